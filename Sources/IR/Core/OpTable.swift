import Mapping
import Tensors

/// The table of operations: a row an operation, in the order of `Opcode`.
public let operationTable: [OpSpec] =
  networkRows + OperatorCatalog.entries.map { OpSpec($0) } + scanRows + crossbarRows + programRows

private let everyLevel = Set(LevelName.allCases)

private let networkRows: [OpSpec] = [
  OpSpec(
    .input, .input, everyLevel, operands: 0...0, [.required(.portName)],
    "a graph input; one sample at a time"),
  OpSpec(
    .output, .output, everyLevel, operands: 1...1, results: 0, [.required(.portName)], "a graph output"),
  OpSpec(
    .constant, .constant, [.tensor, .crossbar], operands: 0...0, [.required(.value)],
    "numbers known at compile time"),
  OpSpec(
    .conv, .conv, [.tensor], operands: 2...3,
    [.required(.strides), .required(.pads), .required(.dilations), .required(.groups)],
    "convolution of an image with weights, plus a bias"),
  OpSpec(
    .gemm, .gemm, [.tensor], operands: 2...3, [.optional(.part)],
    "product of a matrix with weights, plus a bias"),
  OpSpec(
    .batchNorm, .batchNorm, [.tensor], operands: 5...5, [.required(.epsilon)],
    "per channel (x - mean) / sqrt(variance + epsilon) * scale + bias"),
]

private let scanRows: [OpSpec] = [
  OpSpec(
    .scan, .scan, [.tensor, .crossbar], operands: 0...0, results: 0, [.required(.rounds)],
    body: Set(Opcode.allCases).subtracting([
      .input, .output, .constant, .batchNorm, .buffer, .crossbar, .layer, .block, .load, .drive, .convert,
      .accumulate, .store, .repeat, .scan,
    ]),
    "runs its body a number of times, with carries that go from one iteration to the next"),
  OpSpec(
    .carry, .carry, [.tensor, .crossbar], operands: 1...1, [],
    "a carry of the scan: its operand in the first iteration, then the value yielded in the one before"),
  OpSpec(
    .scanSlice, .scanSlice, everyLevel, operands: 1...1, partAttributes,
    "the slice of this iteration, of equal slices along an axis; the last one first where reversed"),
  OpSpec(
    .yield, .yield, [.tensor, .crossbar], operands: 2...2, [],
    "gives a carry its value for the next iteration; its result is the final value of the carry"),
  OpSpec(
    .scanOutput, .scanOutput, everyLevel, operands: 1...1, partAttributes,
    "the stacked output of the scan: the values of all iterations joined along an axis, the last one first where reversed"
  ),
]

private let partAttributes: [AttributeSpec] = [.required(.axis), .required(.parts), .required(.reverse)]

private let crossbarRows: [OpSpec] = [
  OpSpec(
    .window, .window, [.crossbar], operands: 1...1, [.required(.window), .required(.padding)],
    "the windows of an image as the rows of a matrix (im2col)"),
  OpSpec(
    .mvm, .mvm, [.crossbar], operands: 1...1, [.required(.layer)],
    "every row of a matrix through a layer of crossbars"),
  OpSpec(
    .col2im, .col2im, [.crossbar], operands: OpSpec.many, [],
    "joins the columns of matrices and makes them the channels of images"),
  OpSpec(
    .layer, .layer, [.crossbar, .program], operands: 0...0, results: 0, AttributeSpec.of(Layer.fields),
    symbol: true, body: [.block], "an integer matrix that blocks of cells realize"),
  OpSpec(
    .block, .block, [.crossbar, .program], operands: 0...0, results: 0, AttributeSpec.of(Block.fields),
    "a rectangle of cells inside one crossbar"),
]

private let programRows: [OpSpec] = [
  OpSpec(
    .buffer, .buffer, [.program], operands: 0...0, [.optional(.value)],
    "declares an array that instructions work on; its numbers are its value, or what is written before it is read"
  ),
  OpSpec(
    .crossbar, .crossbar, [.program], operands: 0...0, results: 0,
    [.required(.crossbarNumber), .required(.cells)], "a programmed crossbar"),
  OpSpec(
    .load, .load, [.program], operands: 1...1, [.required(.window), .required(.padding)],
    "copies the window of this round into a register"),
  OpSpec(
    .drive, .drive, [.program], operands: 1...1, results: 0, [.required(.layer)],
    "presents a register to the wordline drivers of a layer"),
  OpSpec(
    .convert, .convert, [.program], operands: 0...0, results: 0, [.required(.layer)],
    "reads every operation unit of a layer for every input digit"),
  OpSpec(
    .accumulate, .accumulate, [.program], operands: 0...0, [.required(.layer)],
    "adds the bitlines of a layer into a register of outputs"),
  OpSpec(
    .store, .store, [.program], operands: 1...1,
    [.required(.channels), .required(.positions), .required(.channelStart)],
    "copies a register into its place in a buffer"),
  OpSpec(
    .repeat, .repeat, [.program], operands: 0...0, results: 0, [.required(.repetitions)],
    body: Set(Opcode.allCases).subtracting([
      .input, .output, .constant, .buffer, .crossbar, .layer, .block, .scan, .carry, .yield,
    ]),
    "runs its body a number of times"),
]
