import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

@Suite("slice-bits, form-units, place-blocks, schedule")
struct CrossbarPassTests {
  private func sample(_ rows: Int, _ columns: Int, weightBits: Int = 8, _ weights: [Int64]? = nil)
    -> LayerSample
  {
    var random = SeededGenerator(seed: 300)
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits) = (rows, columns, weightBits)
    let half = 1 << (weightBits - 1)
    sample.weights = weights ?? (0..<rows * columns).map { _ in Int64(random.inside(1 - half...half - 1)) }
    sample.x = (0..<rows).map { _ in Int64(random.below(256)) }
    return sample
  }

  private func layer(_ pipeline: String, _ sample: LayerSample) throws -> Layer {
    var context = PassContext()
    let module = try run(pipeline, on: AnyModule(sample.module), in: &context).crossbarModule
    return try #require(module.layers.first).layer
  }

  // MARK: slice-bits

  @Test func differentialHasColumnsThatAddAndColumnsThatSubtract() throws {
    let layer = try layer("slice-bits(cell: 2)", sample(1, 1, weightBits: 6, [-0b11001]))
    let block = try #require(layer.blocks.first)
    #expect(block.columns.map(\.shift) == [0, 2, 4, 0, 2, 4])
    #expect(block.columns.map(\.negative) == [false, false, false, true, true, true])
    #expect(block.cells == [0, 0, 0, 0b01, 0b10, 0b1])
    #expect(layer.coding.offset == 0 && layer.coding.signs == .differential && layer.coding.cellBits == 2)
  }

  /// Only -2^(b-1) needs the sign's bit of the magnitude.
  @Test func differentialTakesOneBitMoreForTheLowestWeight() throws {
    #expect(try layer("slice-bits(cell: 1)", sample(1, 1, weightBits: 4, [-7])).blocks[0].columns.count == 6)
    #expect(try layer("slice-bits(cell: 1)", sample(1, 1, weightBits: 4, [-8])).blocks[0].columns.count == 8)
  }

  @Test func twosComplementHasASignColumn() throws {
    let layer = try layer(
      "slice-bits(cell: 3, signs: twos-complement)", machine: 3, sample(1, 1, weightBits: 6, [-0b11001]))
    let block = try #require(layer.blocks.first)
    #expect(block.columns.map(\.shift) == [0, 3, 5])
    #expect(block.columns.map(\.negative) == [false, false, true])
    #expect(block.cells == [0b111, 0b00, 1])
  }

  private func layer(_ pipeline: String, machine cellBits: Int, _ sample: LayerSample) throws -> Layer {
    var wide = sample
    wide.array.cellBits = cellBits
    return try layer(pipeline, wide)
  }

  @Test func offsetAddsHalfTheRange() throws {
    let layer = try layer("slice-bits(signs: offset)", sample(1, 2, weightBits: 4, [-8, 7]))
    #expect(layer.coding.offset == 8)
    #expect(layer.blocks[0].cells == [0, 0, 3, 3])
    #expect(layer.blocks[0].columns.allSatisfy { !$0.negative })
  }

  @Test func orderSaysWhichColumnsAreNeighbors() throws {
    let s = sample(2, 3, weightBits: 4)
    let weightMajor = try layer("slice-bits(signs: offset)", s).blocks[0].columns.map(\.output)
    let sliceMajor = try layer("slice-bits(signs: offset, order: slice-major)", s).blocks[0].columns.map(
      \.output)
    #expect(weightMajor == [0, 0, 1, 1, 2, 2] && sliceMajor == [0, 1, 2, 0, 1, 2])
  }

  @Test func placementInterGivesEachSliceItsBlock() throws {
    let layer = try layer("slice-bits(signs: offset, placement: inter)", sample(2, 3))
    #expect(layer.blocks.count == 4 && layer.blocks.allSatisfy { Set($0.columns.map(\.shift)).count == 1 })
  }

  @Test func cellTakesTheMachinesBits() throws {
    #expect(try layer("slice-bits", machine: 4, sample(2, 2)).coding.cellBits == 4)
    #expect(try layer("slice-bits(cell: 1)", machine: 4, sample(2, 2)).coding.cellBits == 1)
  }

  @Test func sliceBitsRefusals() throws {
    let s = sample(2, 2)
    expectFailure("slice-bits.blocks") { _ = try layer("slice-bits, slice-bits", s) }
    expectFailure("slice-bits.cell") { _ = try layer("slice-bits(cell: 4)", s) }
    var context = PassContext()
    var module = s.module
    module.machine = nil
    expectFailure("pass.machine") { _ = try run("slice-bits", on: AnyModule(module), in: &context) }
    _ = try run("slice-bits(cell: 4)", on: AnyModule(module), in: &context)
    module = s.module
    let id = try #require(module.layers.first).id
    module.ops[id]["weights"] = nil
    expectFailure("slice-bits.weights") { _ = try run("slice-bits", on: AnyModule(module), in: &context) }
  }

  // MARK: form-units

  @Test func blocksAreCutTopDownThenLeftToRight() throws {
    let s = sample(300, 40, weightBits: 16)
    let layer = try layer("slice-bits(signs: offset), form-units", s)
    #expect(layer.blocks.count == 3 * 3)
    #expect(layer.blocks.map(\.rows.count) == [128, 128, 128, 128, 128, 128, 44, 44, 44])
    #expect(layer.blocks.map(\.columns.count) == [128, 128, 64, 128, 128, 64, 128, 128, 64])
    #expect(layer.blocks[4].rows[0].input == 128 && layer.blocks[4].columns[0].output == 16)
    #expect(layer.blocks.allSatisfy { $0.units == .fixed(height: 16, width: 16) })
  }

  @Test func optionsReplaceTheMachinesNumbers() throws {
    let s = sample(20, 4)
    func formed(_ options: String) throws -> Layer { try layer("slice-bits, form-units\(options)", s) }
    let plain = try formed("")
    #expect(plain.dacBits == 1 && plain.adcBits == 6)
    #expect(try formed("(height: 9, width: 8)").blocks[0].units == .fixed(height: 9, width: 8))
    #expect(try formed("(whole: true)").blocks[0].units == .fixed(height: 128, width: 128))
    let other = try formed("(adc: 4, dac: 2)")
    #expect(other.dacBits == 2 && other.adcBits == 4)
    // 16 * 3 * 3 = 144 needs 8 bits.
    #expect(try formed("(lossless: true, dac: 2, adc: 3)").adcBits == 8)
  }

  /// A full scale is that of the codes, the one given, or what the fullest unit can reach on a bitline.
  @Test func fullScales() throws {
    let s = sample(20, 4)
    func formed(_ options: String) throws -> Layer { try layer("slice-bits, form-units(\(options))", s) }
    #expect(try formed("adc: 3").readout?.fullScale == nil)
    #expect(try formed("adc: 3, full-scale: codes").readout?.fullScale == nil)
    #expect(try formed("adc: 3, full-scale: 100").readout?.fullScale == 100)
    let whole = try formed("dac: 2, full-scale: auto")
    var largest = 0
    for block in whole.blocks {
      for column in block.columns.indices {
        for first in stride(from: 0, to: block.rows.count, by: 16) {
          let unit = first..<min(first + 16, block.rows.count)
          largest = max(largest, unit.reduce(0) { $0 + block.level($1, column) })
        }
      }
    }
    #expect(largest > 0 && whole.readout?.fullScale == 3 * largest && whole.bitlinesPerConversion == 1)
    expectFailure("form-units.full-scale") { _ = try formed("lossless: true, full-scale: auto") }
    expectFailure("pass.option") { _ = try formed("full-scale: 0") }
  }

  /// The table of lossless converters for one driver bit: 128 wordlines of 2-bit cells need 9 bits.
  @Test func losslessConvertersAreAsPublished() {
    for (height, one, two) in [(8, 4, 5), (9, 4, 5), (16, 5, 6), (32, 6, 7), (128, 8, 9)] {
      #expect(losslessBits(height, cell: 1, dac: 1) == one)
      #expect(losslessBits(height, cell: 2, dac: 1) == two)
    }
  }

  @Test func formUnitsRefusals() throws {
    let s = sample(20, 4)
    expectFailure("form-units.size") { _ = try layer("slice-bits, form-units(height: 129)", s) }
    expectFailure("form-units.size") { _ = try layer("slice-bits, form-units(width: 200)", s) }
    expectFailure("form-units.adc") {
      _ = try layer("slice-bits(cell: 8), form-units(whole: true, lossless: true, dac: 8)", machine: 8, s)
    }
    // Sliced for a machine of wider cells.
    var context = PassContext()
    var wide = s
    wide.array.cellBits = 8
    var module = try run("slice-bits", on: AnyModule(wide.module), in: &context).crossbarModule
    module.machine = s.machine
    expectFailure("form-units.cell") { _ = try run("form-units", on: AnyModule(module), in: &context) }
    module.machine = nil
    expectFailure("pass.machine") { _ = try run("form-units", on: AnyModule(module), in: &context) }
  }

  @Test func formingUnitsTwiceTakesTheLastOptions() throws {
    let s = sample(200, 20)
    let twice = try layer("slice-bits, form-units, form-units(height: 9, width: 8)", s)
    #expect(try twice == layer("slice-bits, form-units(height: 9, width: 8)", s))
  }

  // MARK: place-blocks, schedule

  @Test func everyBlockHasACrossbarOfItsOwn() throws {
    var net = Net(seed: 310)
    let x = net.input([1, 40, 4, 4])
    let a = try net.conv(x, ConvGeometry(filters: 8, groups: 2))
    net.output(try net.gemm(try net.digital(.reshape([1, 32]), a), 20))
    var module = net.module
    module.machine = testMachine()
    var context = PassContext(calibration: net.samples(2))
    let text = "calibrate, quantize, lower-to-crossbar, slice-bits, form-units, place-blocks, schedule"
    let placed = try run(text, on: AnyModule(module), in: &context).crossbarModule
    let blocks = placed.layers.flatMap(\.layer.blocks)
    #expect(blocks.map(\.crossbar) == (0..<blocks.count).map { $0 })
    #expect(blocks.allSatisfy { $0.row == 0 && $0.column == 0 })
    #expect(context.counts.contains { $0 == ("crossbars", blocks.count) })
    #expect(placed.layers.map(\.layer.stage) == [0, 0, 1], "groups share their stage")
    #expect(context.warnings.isEmpty)
  }

  @Test func tooFewCrossbarsAreRefusedOrAWarning() throws {
    var s = sample(300, 40)
    s.array.rows = 32
    var context = PassContext()
    var module = s.module
    module.machine?.hierarchy = Hierarchy(crossbarsPerComputeUnit: 2, computeUnitsPerTile: 2, tiles: 1)
    do {
      _ = try run(s.pipeline(), on: AnyModule(module), in: &context)
      Issue.record("the machine is too small")
    } catch let error as Diagnostic {
      #expect(error.id == "schedule.capacity" && error.severity == .error)
      #expect(error.message.hasSuffix("crossbars, the machine sample has 4"))
      #expect(error.notes.contains { $0.contains("schedule(capacity: warn)") })
    }
    #expect(context.warnings.isEmpty)
    let warning = s.pipeline().replacing(/schedule$/, with: "schedule(capacity: warn)")
    _ = try run(warning, on: AnyModule(module), in: &context)
    #expect(context.warnings.map(\.id) == ["schedule.capacity"])
    #expect(context.warnings[0].severity == .warning && !context.warnings[0].notes.isEmpty)
    // The largest numbers are enough room.
    module.machine?.hierarchy = Hierarchy(
      crossbarsPerComputeUnit: 1 << 16, computeUnitsPerTile: 1 << 16, tiles: 1 << 16)
    context.warnings = []
    _ = try run(s.pipeline(), on: AnyModule(module), in: &context)
    #expect(context.warnings.isEmpty)
  }

  @Test func aLayerWithoutAProductIsRefused() throws {
    let s = sample(2, 2)
    var context = PassContext()
    var module = s.module
    let extra = module.encode(
      Layer(
        name: "spare", rows: 1, columns: 1, inputs: s.coding, weightBits: 8,
        weights: Tensor([1, 1], [1], as: .integer(bits: 8, signed: true))), origin: nil)
    module.append(extra)
    expectFailure("schedule.unused") { _ = try run(s.pipeline(), on: AnyModule(module), in: &context) }
  }
}

extension Block {
  fileprivate func level(_ row: Int, _ column: Int) -> Int { Int(cells[row * columns.count + column]) }
}
