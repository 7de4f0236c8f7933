import Hardware
import IR
import Mapping
import Passes
import Support
import Tensors
import Testing

/// The dense resource counts that the papers give for LeNet-5: layers of 25x20, 500x50, 800x500 and 500x10.
@Suite("Resource counts of LeNet-5")
struct ResourceCountTests {
  private func placed(_ slicing: String) throws -> Module<CrossbarLevel> {
    var net = Net(seed: 500)
    let x = net.input([1, 1, 28, 28])
    let a = try net.pool(try net.conv(x, ConvGeometry(filters: 20, kernel: [5, 5]), name: "conv1"))
    let b = try net.pool(try net.conv(a, ConvGeometry(filters: 50, kernel: [5, 5]), name: "conv2"))
    let c = try net.gemm(try net.digital(.reshape([1, 800]), b), 500, name: "fc1")
    net.output(try net.gemm(try net.digital(.unary(.relu), c), 10, name: "fc2"))
    var module = net.module
    module.machine = testMachine()
    var context = PassContext(calibration: net.samples(1))
    let text =
      "calibrate, quantize(weights: 16, inputs: 16, signed: zero-point), lower-to-crossbar, \(slicing), form-units, "
      + "place-blocks, schedule"
    return try run(text, on: AnyModule(module), in: &context).crossbarModule
  }

  /// Activations of operation units: positions times input digits times units, by the corners of the blocks.
  private func activations(_ module: Module<CrossbarLevel>, _ layer: Layer) throws -> Int {
    let product = try #require(module.bodyOps.first { $0.opcode == .mvm && $0[.layer] == layer.name })
    let positions = try #require(module.values[product.operands[0]].type.shape)[0]
    let (height, width) = (16, 16)
    var units = 0
    for block in layer.blocks {
      var borders: Set<Int> = []
      for r in block.rows.indices {
        for c in block.columns.indices { borders.insert(r / height * 1000 + c / width) }
      }
      units += borders.count
    }
    return positions * 16 * units
  }

  @Test func sixteenBitWeightsInTwoBitCells() throws {
    let module = try placed("slice-bits(signs: offset)")
    let layers = module.layers.map(\.layer)
    #expect(layers.map { [$0.rows, $0.columns] } == [[25, 20], [500, 50], [800, 500], [500, 10]])
    #expect(layers.map(\.blocks.count) == [2, 16, 224, 4])
    #expect(Set(layers.flatMap(\.blocks).map(\.crossbar)).count == 246)
    #expect(layers.allSatisfy { $0.inputs.magnitudeBits == 16 })
    let counts = try layers.map { try activations(module, $0) }
    #expect(counts == [184_320, 819_200, 200_000, 2560])
    #expect(abs(Double(counts.reduce(0, +)) - 1.206e6) < 500)
  }

  @Test func signsTakeTwiceTheCells() throws {
    let layers = try placed("slice-bits(signs: differential)").layers.map(\.layer)
    // 15 bits of a magnitude in 8 cells, for each sign.
    #expect(layers.map { $0.blocks.reduce(0) { $0 + $1.cells.count } } == [8000, 400_000, 6_400_000, 80_000])
  }
}
