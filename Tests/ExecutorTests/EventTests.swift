import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Tensors
import Testing

@testable import Executor

/// Counts that can be worked out by hand.
@Suite struct EventTests {
  /// One 128x128 crossbar full of ones, read with a single input bit of 1 on every wordline.
  private func fullCrossbar(
    _ units: UnitForming, adcBits: Int = 8, inputBits: Int = 1, signed: Bool = false, value: Float = 1
  ) throws -> RunResult {
    let machine = sampleMachine(cellBits: 1, adcBits: adcBits)
    let block = Block(
      crossbar: 0, row: 0, column: 0, rows: (0..<128).map { RowEntry(input: $0) },
      columns: (0..<128).map { ColumnEntry(output: $0, shift: 0) }, units: units)
    let layer = Layer(
      name: "full", inputs: 128, outputs: 128, inputBits: inputBits, inputSigned: signed, dacBits: 1,
      adcBits: adcBits, offset: 0, blocks: [])
    let program = LayerCase.program(
      machine, [Crossbar(cells: [UInt8](repeating: 1, count: 128 * 128))], layer, [block],
      .integer(bits: inputBits, signed: signed), rows: 1)
    let inputs = [Float](repeating: value, count: 128)
    return try ExecutablePlan(program).run(inputs: [inputs], samples: 1, threads: 1)
  }

  /// Dense 128x128: 64 activations with units of 16x16; 15 * 16 with 9x8, as 128 = 14 * 9 + 2; one as a whole.
  @Test(arguments: [(16, 16, 64), (9, 8, 240), (128, 128, 1)])
  func activationsOfAFullCrossbar(_ height: Int, _ width: Int, _ expected: Int) throws {
    let result = try fullCrossbar(.fixed(height: height, width: width))
    let events = result.layers[0].events
    #expect(events.ouActivations == expected)
    #expect(events.cycles == expected + 2)
    #expect(events.adcConversions == 128 * ((128 + height - 1) / height))
    #expect(events.shiftAdds == events.adcConversions)
    #expect(events.wordlineDrives == 128 * ((128 + width - 1) / width))
    #expect(events.cellReads == 128 * 128)
    #expect(events.adcSaturations == 0)
    #expect(result.outputs[0].allSatisfy { $0 == 128 })
  }

  /// 983 ns and 569 pJ for 64 units of 16x16; the table has 570.
  @Test func costOfAFullCrossbar() throws {
    let events = try fullCrossbar(.fixed(height: 16, width: 16), adcBits: 6).layers[0].events
    let whole = cost(of: events, machine: sampleMachine(adcBits: 6))
    let energy = whole.energyPicojoules
    let units = energy.adc + energy.dac + energy.array + energy.shiftAdd + energy.sampleHold
    #expect(abs(units - 569) < 2)
    #expect(abs(whole.latencyNanoseconds - 66 * 15.36) < 1e-6)
  }

  @Test func saturation() throws {
    let result = try fullCrossbar(.fixed(height: 16, width: 16), adcBits: 3)
    #expect(result.layers[0].events.adcSaturations == 8 * 128)
    #expect(result.outputs[0].allSatisfy { $0 == 8 * 7 })
    let exact = try fullCrossbar(.fixed(height: 7, width: 16), adcBits: 3)
    #expect(exact.layers[0].events.adcSaturations == 0)
  }

  @Test func dynamicUnitsOfSilentInputsAreNotActivated() throws {
    let silent = try fullCrossbar(.dynamic(height: 16, width: 16), inputBits: 4, value: 0).layers[0].events
    #expect(silent.ouActivations == 0 && silent.adcConversions == 0 && silent.cycles == 2)
    let one = try fullCrossbar(.dynamic(height: 16, width: 16), inputBits: 4, value: 4).layers[0].events
    #expect(one.ouActivations == 64 && one.cycles == 66)
    let fixed = try fullCrossbar(.fixed(height: 16, width: 16), inputBits: 4, value: 4).layers[0].events
    #expect(fixed.ouActivations == 4 * 64 && fixed.wordlineDrives == one.wordlineDrives)
  }

  /// Only the second of four inputs is not 0, and only in the third of its digits: one row of units of two.
  @Test func skippingUnitsOfSilentInputsAreNotActivated() throws {
    for (forming, expected) in [
      (UnitForming.zeroSkipping(height: 2, width: 3), [2, 4, 0]), (.dynamic(height: 2, width: 3), [2, 4, 1]),
      (.fixed(height: 2, width: 3), [2 * 2 * 4, 2 * 4 * 4, 0]),
    ] {
      let block = Block(
        crossbar: 0, row: 0, column: 0, rows: (0..<4).map { RowEntry(input: $0) },
        columns: (0..<4).map { ColumnEntry(output: $0, shift: 0) }, units: forming)
      let layer = Layer(
        name: "l", inputs: 4, outputs: 4, inputBits: 4, inputSigned: false, dacBits: 1, adcBits: 8, offset: 0,
        blocks: [])
      let program = LayerCase.program(
        sampleMachine(rows: 4, columns: 4), [Crossbar(cells: [UInt8](repeating: 1, count: 16))], layer,
        [block], .integer(bits: 4, signed: false), rows: 1)
      let result = try ExecutablePlan(program).run(inputs: [[0, 4, 0, 0]], samples: 1, threads: 1)
      let events = result.layers[0].events
      #expect([events.ouActivations, events.adcConversions, events.wordlineVectors] == expected)
      #expect(events.cycles == expected[0] + 2 && events.shiftAdds == expected[1])
      #expect(events.wordlineDrives == 2 && events.cellReads == 4)
      #expect(result.outputs == [[4, 4, 4, 4]])
    }
  }

  @Test func layersWithoutBlocksOnlySubtractTheOffset() throws {
    let layer = Layer(
      name: "l", inputs: 2, outputs: 1, inputBits: 4, inputSigned: false, dacBits: 1, adcBits: 8, offset: 3,
      blocks: [])
    let program = LayerCase.program(
      sampleMachine(rows: 4, columns: 4), [], layer, [], .integer(bits: 4, signed: false), rows: 2)
    let result = try ExecutablePlan(program).run(inputs: [[1, 2, 4, 7]], samples: 1, threads: 1)
    #expect(result.outputs == [[-9, -33]])
    let events = result.layers[0].events
    #expect(events.cycles == 0 && events.ouActivations == 0 && events.positions == 2)
    #expect(events.inputFetches.buffer == 0 && result.layers[0].inputDigits == 6)
  }

  @Test func indexTablesAreReadOnceForEachPosition() throws {
    var block = Block(
      crossbar: 0, row: 0, column: 0, rows: [RowEntry(input: 3), RowEntry(input: 4), RowEntry(input: 90)],
      columns: [0, 0, 1, 7].map { ColumnEntry(output: $0, shift: 0) }, units: .fixed(height: 4, width: 4))
    func counts() -> [Int] {
      let layer = Layer(
        name: "l", inputs: 100, outputs: 8, inputBits: 4, inputSigned: true, dacBits: 1, adcBits: 8,
        offset: 0,
        blocks: [])
      let program = LayerCase.program(
        sampleMachine(), [Crossbar(cells: [UInt8](repeating: 1, count: 128 * 128))], layer, [block],
        .integer(bits: 4, signed: true), rows: 1)
      let events = eventsOfPosition(program.layers[0], program)
      return [events.indexReads, events.indexBits]
    }
    #expect(counts() == [3 + 3, 3 * 7 + 3 * 3])
    block.rowIndex = .delta(bits: 5, first: 0)
    #expect(counts() == [3 + 3, 3 * 5 + 3 * 3])
    block.columnIndex = .absolute(bits: 2, first: 0)
    #expect(counts() == [3 + 4, 3 * 5 + 4 * 2])
    block.rows[2].input = 5
    #expect(counts() == [3 + 4, 3 * 5 + 4 * 2])
    block.rowIndex = nil
    #expect(counts() == [4, 4 * 2])
  }

  @Test func signedInputsTakeTwoPasses() throws {
    let result = try fullCrossbar(.fixed(height: 16, width: 16), inputBits: 4, signed: true, value: -5)
    #expect(result.outputs[0].allSatisfy { $0 == -5 * 128 })
    #expect(result.layers[0].events.ouActivations == 2 * 3 * 64)
    #expect(result.layers[0].events.cycles == 2 * (3 * 64 + 2))
    #expect(result.layers[0].events.wordlineDrives == 2 * 128 * 8)
  }

  @Test func fetches() throws {
    let events = try fullCrossbar(.fixed(height: 16, width: 16)).total
    #expect(events.inputFetches == InputFetches(dram: 128, sram: 128, buffer: 128))
    #expect(events.outputWrites == 128 && events.dramWrites == 128 && events.indexReads == 0)
    #expect(events.positions == 1)
  }

  @Test func tablesOfBlocks() {
    let layer = Layer(
      name: "tables", inputs: 40, outputs: 20, inputBits: 8, inputSigned: false, dacBits: 1, adcBits: 8,
      offset: 0,
      blocks: [])
    func tables(
      _ rows: [(Int, Int)], _ outputs: [Int], _ rowIndex: IndexCoding? = nil,
      _ columnIndex: IndexCoding? = nil
    ) -> [Int] {
      let block = Block(
        crossbar: 0, row: 0, column: 0, rows: rows.map { RowEntry(input: $0.0, shift: $0.1) },
        columns: outputs.map { ColumnEntry(output: $0, shift: 0) }, units: .fixed(height: 1, width: 1),
        rowIndex: rowIndex, columnIndex: columnIndex)
      let (wordlines, bitlines) = (wordlineTable(block, layer), bitlineTable(block, layer))
      return [
        wordlines.entries, wordlines.entries * wordlines.bits, bitlines.entries,
        bitlines.entries * bitlines.bits,
      ]
    }
    #expect(tables([(3, 0), (4, 0)], [1, 1, 2, 2]) == [0, 0, 0, 0])
    #expect(tables([(3, 0), (5, 0)], [1, 1, 3, 3]) == [2, 12, 2, 10])
    // Shifts stand in a table of their own.
    #expect(tables([(3, 0), (4, 1)], [2, 1, 2]) == [0, 0, 3, 15])
    #expect(tables([(3, 0), (5, 4)], [1]) == [2, 12, 0, 0])
    #expect(
      tables([(3, 0), (4, 0)], [1, 1], .delta(bits: 3, first: 0), .absolute(bits: 5, first: 0)) == [
        2, 6, 2, 10,
      ])
    #expect(tables([(3, 2), (9, 0)], [1], .delta(bits: 3, first: 0)) == [2, 6, 0, 0])
  }
}
