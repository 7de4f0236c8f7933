import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

@Suite("lower-to-program")
struct ProgramTests {
  private func network(_ seed: UInt64 = 400) throws -> (Module<TensorLevel>, [[Tensor]]) {
    var net = Net(seed: seed)
    let x = net.input([1, 4, 8, 8])
    let a = try net.pool(
      try net.digital(.unary(.relu), try net.conv(x, ConvGeometry(pads: [1, 1, 1, 1], groups: 2))))
    let b = try net.gemm(try net.digital(.reshape([1, 64]), a), 10)
    let c = try net.digital(.binary(.multiply), b, net.constant([10, 10]))
    net.output(try net.digital(.softmax(axis: 1), c))
    var module = net.module
    module.machine = testMachine()
    return (module, net.samples(4, -1...1))
  }

  private let pipeline =
    "calibrate, quantize(scale: output), lower-to-crossbar, slice-bits, form-units, place-blocks, schedule"

  @Test func aConvolutionIsALoop() throws {
    let (module, samples) = try network()
    var context = PassContext(calibration: samples)
    let crossbar = try run(pipeline, on: AnyModule(module), in: &context)
    let program = try run("lower-to-program", on: crossbar, in: &context)
    let result = try #require(program.module(at: ProgramLevel.self))
    let loops = result.bodyOps.filter { $0.opcode == .repeat }
    #expect(loops.map { $0[.repetitions] } == [64, 64, 1])
    for loop in loops {
      #expect(loop.body.map { result.ops[$0].opcode } == [.load, .drive, .convert, .accumulate, .store])
    }
    let crossbars = result.bodyOps.filter { $0.opcode == .crossbar }
    #expect(crossbars.map { $0[.crossbarNumber] } == Array(0..<crossbars.count))
    #expect(result.resources.allSatisfy { !$0.name.contains("weights") }, "only cells are left")
  }

  /// Every cell of every block stands where the block lies, and every other cell is 0.
  @Test func crossbarsHoldTheBlocks() throws {
    var random = SeededGenerator(seed: 401)
    for number in 0..<60 {
      let sample = randomLayerSample(number, &random)
      var context = PassContext()
      let placed = try run(sample.pipeline(), on: AnyModule(sample.module), in: &context)
      let layer = try #require(placed.crossbarModule.layers.first).layer
      let program = try #require(
        run("lower-to-program", on: placed, in: &context).module(at: ProgramLevel.self))
      let shape = [sample.array.rows, sample.array.columns]
      let images = program.bodyOps.filter { $0.opcode == .crossbar }.compactMap {
        program.tensor(
          $0["cells"], element: .integer(bits: sample.array.cellBits, signed: false), shape: shape)?.integers
      }
      #expect(images.count == layer.blocks.count)
      #expect(zip(images, layer.blocks).allSatisfy { $0 == image(of: $1, sample.array) })
    }
  }

  private func image(of block: Block, _ array: ArrayDescription) -> [Int64] {
    var cells = [Int64](repeating: 0, count: array.rows * array.columns)
    for r in block.rows.indices {
      for c in block.columns.indices {
        cells[r * array.columns + c] = Int64(block.cells[r * block.columns.count + c])
      }
    }
    return cells
  }

  @Test func numbersOfCrossbarsHaveNoGaps() throws {
    var context = PassContext()
    let sample = LayerSample()
    for number in [1, 1 << 23] {
      var placed = try run(sample.pipeline(), on: AnyModule(sample.module), in: &context).crossbarModule
      var (id, layer) = try #require(placed.layers.first)
      layer.blocks[0].placement?.crossbar = number
      id = try #require(placed.layers.first).id
      placed.replaceLayers([(id, layer)])
      expectFailure("lower-to-program.crossbars") {
        _ = try run("lower-to-program", on: AnyModule(placed), in: &context)
      }
    }
  }

  @Test func rowsOutsideOfALoopAreRefused() throws {
    var context = PassContext()
    let sample = LayerSample()
    var placed = try run(sample.pipeline(), on: AnyModule(sample.module), in: &context).crossbarModule
    let rows = try #require(placed.first(.mvm).results.first)
    let real = placed.values.add(Value(name: "real", type: ValueType(.float32, [1, 1])))
    placed.append(
      Op(
        .dequantize, operands: [rows], results: [real],
        attributes: [NamedAttribute("scale", .float(1)), NamedAttribute("zero", .int(0))]))
    placed.append(Op(.output, operands: [real], attributes: [NamedAttribute("name", .string("z"))]))
    expectFailure("lower-to-program.value") {
      _ = try run("lower-to-program", on: AnyModule(placed), in: &context)
    }
  }

  @Test func col2imTakesTheRowsOfAProduct() throws {
    var context = PassContext()
    let sample = LayerSample()
    var placed = try run(sample.pipeline(), on: AnyModule(sample.module), in: &context).crossbarModule
    let sums = try #require(placed.first(.col2im).results.first)
    let again = placed.values.add(Value(name: "again", type: placed.values[sums].type))
    let at = try #require(placed.body.firstIndex { placed.ops[$0].opcode == .col2im })
    placed.body.insert(placed.add(Op(.col2im, operands: [sums], results: [again])), at: at + 1)
    expectFailure("lower-to-program.shape") {
      _ = try run("lower-to-program", on: AnyModule(placed), in: &context)
    }
  }
}
