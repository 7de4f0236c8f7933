import DeviceModel
import Hardware
import Mapping
import NaiveTwin
import ProgramFormat
import ProgramSamples
import Support
import Tensors
import Testing

@testable import Executor

@Suite struct MoveTests {
  @Test func windowsAreThoseOfTheGeometry() {
    var random = SeededGenerator(seed: 8)
    for _ in 0..<300 {
      let window = randomWindow(&random)
      let source = (0..<window.inputCount).map { UInt32($0 + 1) }
      for position in 0..<window.positions {
        var found = [UInt32](repeating: 99, count: window.length)
        loadWindow(window, position: position, from: source, into: &found, padding: 7777)
        #expect(found == naiveWindow(window, source, position: position).map { $0 ?? 7777 }, "\(window)")
      }
    }
  }

  private func randomWindow(_ random: inout SeededGenerator) -> Window {
    let channels = random.inside(1...4)
    let first = random.below(channels)
    return Window(
      batch: random.inside(1...2), channels: channels, height: random.inside(1...7),
      width: random.inside(1...7),
      channelStart: first, channelCount: random.inside(1...(channels - first)),
      kernelHeight: random.inside(1...4),
      kernelWidth: random.inside(1...4), strideHeight: random.inside(1...3),
      strideWidth: random.inside(1...3),
      padTop: random.below(4), padLeft: random.below(4), dilationHeight: random.inside(1...3),
      dilationWidth: random.inside(1...3), outHeight: random.inside(1...5), outWidth: random.inside(1...5))
  }

  @Test func registersGoToTheirChannels() {
    let place = OutputLayout(channels: 4, positions: 3, channelStart: 1)
    var buffer = [Int64](repeating: 0, count: 2 * 4 * 3)
    for round in 0..<6 {
      storeRegister(
        place, round: round, count: 2, from: [Int64(10 * round + 1), Int64(10 * round + 2)], into: &buffer)
    }
    #expect(
      buffer == [
        0, 0, 0, 1, 11, 21, 2, 12, 22, 0, 0, 0,
        0, 0, 0, 31, 41, 51, 32, 42, 52, 0, 0, 0,
      ])
  }
}

@Suite struct StepTests {
  /// Whether the changed loop is executed in batches; the register of its sums begins with zeros where asked.
  private func isBatched(sumsBegin: Bool = false, _ change: (inout [Operation]) -> Void) throws -> Bool {
    let sample = LayerCase(seed: 3)
    var program = sample.program
    program.buffers.append(Buffer(name: "spare", shape: program.buffers[3].shape, element: .accumulator))
    if sumsBegin {
      program.buffers[3].initial = Tensor(
        program.buffers[3].shape, .i64([Int64](repeating: 0, count: program.buffers[3].count)))
    }
    guard case .loop(let count, let body) = program.code[1].operation else { return false }
    var operations = body.map(\.operation)
    change(&operations)
    program.code[1].operation = .loop(count: count, body: operations.map { Instruction($0) })
    let plan = try ExecutablePlan(program)
    return plan.steps.contains { if case .batchedLoop = $0 { true } else { false } }
  }

  @Test func independentRoundsAreBatched() throws {
    #expect(try isBatched { _ in })
  }

  @Test func digitalOperatorsKeepRoundsApart() throws {
    let batched = try isBatched {
      $0.insert(.digital(.binary(.add), inputs: [3, 3], output: 6), at: 4)
    }
    #expect(!batched)
  }

  @Test func registersReadBeforeTheyAreWrittenKeepRoundsApart() throws {
    let batched = try isBatched(sumsBegin: true) { body in
      let store = body.removeLast()
      body.insert(store, at: 0)
    }
    #expect(!batched)
  }

  @Test func destinationsThatAreSourcesKeepRoundsApart() throws {
    let shape = LayerCase(seed: 3).program.buffers[4].shape
    let batched = try isBatched { body in
      body.append(.load(register: 6, source: 4, window: .rows(shape[0], shape[1]), padding: 0))
    }
    #expect(!batched)
  }

  @Test func nestedLoopsKeepRoundsApart() throws {
    let batched = try isBatched { body in
      body.append(.loop(count: 1, body: []))
    }
    #expect(!batched)
  }

  /// Both forms give the same outputs and events.
  @Test func batchingDoesNotMatter() throws {
    for seed in 0..<60 {
      let sample = LayerCase(seed: UInt64(seed))
      var slow = sample.program
      guard case .loop(let count, var body) = slow.code[1].operation else { continue }
      body.append(Instruction(.loop(count: 1, body: [])))
      slow.code[1].operation = .loop(count: count, body: body)
      let inputs = [sample.inputs.flatMap { $0 }]
      let batched = try ExecutablePlan(sample.program).run(inputs: inputs, samples: 2, threads: 1)
      let apart = try ExecutablePlan(slow).run(inputs: inputs, samples: 2, threads: 1)
      #expect(batched == apart, "seed \(seed)")
    }
  }

  /// A register of a batched loop holds what the last round left, as it does round by round.
  @Test func lastRoundStaysInTheRegister() throws {
    let sample = LayerCase(seed: 12)
    var program = sample.program
    let outputs = program.layers[0].columns
    program.buffers.append(Buffer(name: "last", shape: [outputs], element: .float32))
    program.code.append(Instruction(.digital(.dequantize(scale: 1, zero: 0), inputs: [3], output: 6)))
    program.outputs.append(Port(name: "last", buffer: 6))
    let result = try ExecutablePlan(program).run(
      inputs: [sample.inputs.flatMap { $0 }], samples: sample.inputs.count, threads: 1)
    let rows = program.buffers[5].shape[0]
    for k in 0..<sample.inputs.count {
      let first = (k * rows + rows - 1) * outputs
      #expect(
        Array(result.outputs[1][k * outputs..<(k + 1) * outputs])
          == Array(result.outputs[0][first..<first + outputs]))
    }
  }
}

@Suite struct MethodTests {
  /// The method of a layer of one block whose cells are all at their top level.
  private func method(
    rows: Int, cellBits: Int, adcBits: Int, dacBits: Int = 1, inputBits: Int = 8, units: UnitForming,
    shift: Int = 0
  ) throws -> Method? {
    let machine = sampleMachine(rows: 1024, columns: 2, cellBits: cellBits, adcBits: adcBits)
    let block = Block(
      crossbar: 0, row: 0, column: 0, rows: (0..<rows).map { RowEntry(input: $0, shift: shift) },
      columns: [ColumnEntry(output: 0, shift: 0)], units: units)
    let layer = Layer(
      name: "l", inputs: rows, outputs: 1, inputBits: inputBits, inputSigned: false, dacBits: dacBits,
      adcBits: adcBits, offset: 0, blocks: [])
    let level = UInt8((1 << cellBits) - 1)
    let program = LayerCase.program(
      machine, [Crossbar(cells: [UInt8](repeating: level, count: 2048))], layer, [block],
      .integer(bits: inputBits, signed: false), rows: 1)
    return try ExecutablePlan(program).layers[0].patterns.first?.method
  }

  @Test func linearBlocksHaveNoMethod() throws {
    #expect(try method(rows: 16, cellBits: 2, adcBits: 6, units: .fixed(height: 16, width: 1)) == nil)
    #expect(try method(rows: 64, cellBits: 2, adcBits: 6, units: .dynamic(height: 16, width: 1)) == nil)
    #expect(
      try method(rows: 5, cellBits: 2, adcBits: 6, dacBits: 2, units: .zeroSkipping(height: 5, width: 1))
        == nil)
  }

  @Test func saturatingBlocksGoThroughNibbles() throws {
    let fixed = UnitForming.fixed(height: 16, width: 1)
    #expect(try method(rows: 16, cellBits: 2, adcBits: 5, units: fixed) == .nibbles(wide: false))
    #expect(try method(rows: 16, cellBits: 4, adcBits: 7, units: fixed) == .nibbles(wide: false))
    #expect(try method(rows: 16, cellBits: 7, adcBits: 7, units: fixed) == .nibbles(wide: true))
    let whole = UnitForming.fixed(height: 128, width: 1)
    #expect(try method(rows: 128, cellBits: 2, adcBits: 7, units: whole) == .nibbles(wide: false))
    #expect(try method(rows: 128, cellBits: 2, adcBits: 8, units: whole) == .nibbles(wide: true))
    #expect(
      try method(rows: 300, cellBits: 8, adcBits: 16, units: .fixed(height: 300, width: 1))
        == .listed)
  }

  @Test func skippingUnitsAreComputedAsFixedOnes() throws {
    let skipping = UnitForming.zeroSkipping(height: 16, width: 1)
    #expect(try method(rows: 16, cellBits: 2, adcBits: 5, units: skipping) == .nibbles(wide: false))
  }

  @Test func dynamicUnitsAddCellsOrRowsOfSetBits() throws {
    let dynamic = UnitForming.dynamic(height: 16, width: 1)
    #expect(try method(rows: 16, cellBits: 2, adcBits: 5, units: dynamic) == .cells)
    #expect(
      try method(rows: 1000, cellBits: 1, adcBits: 7, units: .dynamic(height: 256, width: 1)) == .bits)
    #expect(try method(rows: 300, cellBits: 1, adcBits: 1, units: .dynamic(height: 1, width: 1)) == nil)
    #expect(
      try method(rows: 600, cellBits: 2, adcBits: 1, units: .dynamic(height: 2, width: 1)) == .bits)
    #expect(try method(rows: 16, cellBits: 6, adcBits: 8, units: dynamic) == .listed)
  }

  @Test func otherBlocksAreListed() throws {
    let fixed = UnitForming.fixed(height: 16, width: 1)
    #expect(try method(rows: 16, cellBits: 2, adcBits: 5, dacBits: 2, units: fixed) == .listed)
    #expect(try method(rows: 16, cellBits: 2, adcBits: 5, units: fixed, shift: 30) == .listed)
  }

  /// Of three bitlines with cells of 0, 1 and 3 only the last one can exceed 31 in a unit of 16 wordlines.
  @Test(arguments: [UnitForming.fixed(height: 16, width: 3), .dynamic(height: 16, width: 3)])
  func linearBitlinesAreTakenOut(_ units: UnitForming) throws {
    let block = Block(
      crossbar: 0, row: 0, column: 0, rows: (0..<16).map { RowEntry(input: $0) },
      columns: (0..<3).map { ColumnEntry(output: $0, shift: 0) }, units: units)
    let layer = Layer(
      name: "l", inputs: 16, outputs: 3, inputBits: 8, inputSigned: false, dacBits: 1, adcBits: 5, offset: 0,
      blocks: [])
    let cells = (0..<48).map { [UInt8(0), 1, 3][$0 % 3] }
    let program = LayerCase.program(
      sampleMachine(rows: 16, columns: 3, adcBits: 5), [Crossbar(cells: cells)], layer, [block],
      .integer(bits: 8, signed: false), rows: 1)
    let plan = try ExecutablePlan(program).layers[0]
    #expect(plan.patterns.map { $0.strips.map(\.outputs) } == [[[2]]])
    #expect(plan.dense?.weights == (0..<256).map { $0 % 16 == 1 ? 1 : 0 })
    #expect(plan.gathered == nil)
  }

  @Test func compressedBlocksAreGathered() throws {
    let blocks = [[0, 2], [1, 2]].enumerated().map { number, inputs in
      Block(
        crossbar: 0, row: 2 * number, column: 0, rows: inputs.map { RowEntry(input: $0) },
        columns: [ColumnEntry(output: 0, shift: 0), ColumnEntry(output: 0, shift: 2, negative: true)],
        units: .dynamic(height: 2, width: 2))
    }
    let layer = Layer(
      name: "l", inputs: 3, outputs: 1, inputBits: 8, inputSigned: false, dacBits: 1, adcBits: 6, offset: 0,
      blocks: [])
    let cells: [UInt8] = [3, 0, 1, 1, 0, 2, 0, 0]
    let program = LayerCase.program(
      sampleMachine(rows: 4, columns: 2), [Crossbar(cells: cells)], layer, blocks,
      .integer(bits: 8, signed: false), rows: 1)
    let plan = LayerPlan(program.layers[0], program)
    #expect(plan.gathered?.starts == [0, 2] && plan.gathered?.inputs == [0, 2])
    #expect(plan.gathered?.weights == [3, -3])
    #expect(plan.dense?.weights == [0, -8, 0].flatMap { [$0] + [Int32](repeating: 0, count: 15) })
  }

  @Test func slotsPadUnits() {
    let map = RowMap(rows: (0..<11).map { RowEntry(input: $0) }, unitHeight: 5, isDynamic: false)
    let slots = SlotMap(map)
    #expect(slots.unitNibbles == 2)
    #expect(
      slots.rows == [0, 1, 2, 3, 4, -1, -1, -1, 5, 6, 7, 8, 9, -1, -1, -1, 10]
        + [Int32](repeating: -1, count: 7))
    #expect(slots.inputs[16] == 10 && slots.masks[16] == .max && slots.masks[17] == 0)
  }

  @Test func blocksWithTheSameRowsShareAPattern() throws {
    let plan = try ExecutablePlan(DenseBuilder.leNet(machine: sampleMachine(adcBits: 3)))
    #expect(plan.layers.map(\.patterns.count) == [1, 4, 7, 4])
    for pattern in plan.layers.flatMap(\.patterns) {
      #expect(pattern.strips.dropLast().allSatisfy { $0.count == 64 })
      #expect(pattern.strips.allSatisfy { $0.cells.count == $0.count * pattern.map.rows.count + 64 })
    }
  }
}
