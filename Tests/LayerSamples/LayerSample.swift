public import Hardware
public import IR
public import Mapping
import Support
public import Tensors

/// A layer of integers with inputs for it, and how it is to be sliced and divided into operation units.
public struct LayerSample: Sendable {
  /// Rows of the matrix.
  public var rows = 1
  /// Columns of the matrix.
  public var columns = 1
  /// Bits of a weight, sign included.
  public var weightBits = 8
  /// The type of the inputs; signed ones are symmetric around 0.
  public var inputs = ElementType.integer(bits: 8, signed: false)
  /// The matrix, row-major.
  public var weights: [Int64] = [0]
  /// How many input vectors there are.
  public var positions = 1
  /// The input vectors, one after the other.
  public var x: [Int64] = [0]
  /// The crossbar.
  public var array = ArrayDescription(
    rows: 128, columns: 128, cellBits: 2, unitHeight: 16, unitWidth: 16, dacBits: 1, adcBits: 6)
  /// How signs become cell levels.
  public var signs = SignCoding.differential
  /// `weight-major` or `slice-major`.
  public var order = "weight-major"
  /// `intra` or `inter`.
  public var placement = "intra"

  /// A layer of one cell.
  public init() {}

  /// The passes that bring `module` to the program level; the converters are lossless where `adc` is nil.
  public func pipeline(adc: Int? = nil, fullScale: Int? = nil) -> String {
    let scale = fullScale.map { ", full-scale: \($0)" } ?? ""
    let converter = adc.map { "adc: \($0)\(scale)" } ?? "lossless: true"
    return "slice-bits(signs: \(signs.rawValue), order: \(order), placement: \(placement)), "
      + "form-units(\(converter)), place-blocks, schedule"
  }

  /// The machine with the sample's array.
  public var machine: Machine {
    Machine(
      name: "sample", summary: "a machine for tests", array: array,
      operands: OperandWidths(weightBits: weightBits, inputBits: 8),
      hierarchy: Hierarchy(crossbarsPerComputeUnit: 8, computeUnitsPerTile: 12, tiles: 0),
      timing: Timing(cycleNanoseconds: 10, pipelineCycles: 2), energy: EnergyTable(), area: AreaTable())
  }

  /// The largest input.
  public var highest: Int64 { inputs.highest }

  /// Whether inputs are signed.
  public var isSigned: Bool { inputs.lowest < 0 }

  /// The graph input: the input vectors as floats, which hold them exactly.
  public var graphInput: Tensor { Tensor([positions, rows], x.map { Float($0) }) }

  /// The coding of `inputs`, which are integers.
  public var coding: InputCoding { InputCoding(inputs) ?? .unsigned(bits: 1) }

  /// `input`, `quantize` with scale 1, `window`, `mvm`, `col2im`, `dequantize` with scale 1, `output`.
  public var module: Module<CrossbarLevel> {
    var builder = Builder(Module<CrossbarLevel>(name: "sample", facts: [.shaped], machine: machine))
    let shape = [positions, rows]
    let image = builder.emit(
      .input, [], [NamedAttribute("name", .string("x"))], type: ValueType(.float32, shape), name: "x",
      origin: nil)
    let levels = builder.emit(
      .quantize(scale: 1, zero: 0, low: isSigned ? -highest : 0, high: highest), [image],
      type: ValueType(inputs, shape, Quantization(scale: 1, zero: 0)), name: "q", origin: nil)
    let matrix = Tensor([rows, columns], weights, as: .integer(bits: weightBits, signed: true))
    let layer = Layer(
      name: "layer", rows: rows, columns: columns, inputs: coding, weightBits: weightBits, weights: matrix)
    let encoded = builder.module.encode(layer, origin: nil)
    builder.module.append(encoded)
    let windows = builder.emit(
      .window, [levels],
      [NamedAttribute("window", .window(.rows(positions, rows))), NamedAttribute("padding", .int(0))],
      type: ValueType(inputs, shape), name: "windows", origin: nil)
    let type = ValueType(.accumulator, [positions, columns])
    let sums = builder.emit(
      .mvm, [windows], [NamedAttribute("layer", .symbol("layer"))], type: type, name: "rows", origin: nil)
    let arranged = builder.emit(.col2im, [sums], type: type, name: "sums", origin: nil)
    let real = builder.emit(
      .dequantize(scale: 1, zero: 0), [arranged], type: ValueType(.float32, [positions, columns]), name: "y",
      origin: nil)
    builder.module.append(
      Op(.output, operands: [real], attributes: [NamedAttribute("name", .string("y"))]))
    return builder.module
  }
}
