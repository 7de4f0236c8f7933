import DeviceModel
import Hardware
import ProgramSamples
import Support
import Testing

@testable import DeviceModel

@Suite struct CostTests {
  /// One 16x16 unit with all 16 digits 1 and a 6-bit converter: 0.09 pJ drivers, 0.46 pJ cells, 8.04 pJ converters,
  /// 0.31 pJ shift and add; 8.9 pJ in all.
  @Test func energyOfOneUnit() {
    var events = Events()
    events.ouActivations = 1
    events.adcConversions = 16
    events.shiftAdds = 16
    events.wordlineDrives = 16
    events.cellReads = 256
    let energy = cost(of: events, machine: sampleMachine()).energyPicojoules
    #expect(abs(energy.dac - 0.0944) < 1e-9)
    #expect(abs(energy.array - 0.45824) < 1e-9)
    #expect(abs(energy.adc - 8.032) < 1e-9)
    #expect(abs(energy.shiftAdd - 0.3104) < 1e-9)
    #expect(abs(energy.total - 8.9) < 0.05)
  }

  @Test func latencyIsCyclesTimesTheirTime() {
    var events = Events()
    events.cycles = 64
    #expect(abs(cost(of: events, machine: sampleMachine()).latencyNanoseconds - 983) < 0.1)
  }

  /// P(6) / P(8) = (2^6 / 7) / (2^8 / 9): 2 mW become 0.643 mW.
  @Test func converterEnergyScalesWithResolution() {
    #expect(abs(2 * converterScale(from: 8, to: 6) - 0.643) < 0.0005)
    #expect(abs(2 * converterScale(from: 8, to: 3) - 0.141) < 0.0005)
    #expect(converterScale(from: 5, to: 5) == 1)
    var events = Events()
    events.adcConversions = 1000
    let whole = cost(of: events, machine: sampleMachine(), adcBits: 8).energyPicojoules.adc
    #expect(abs(whole / 1000 - 1.56) < 0.01)
  }

  @Test func costIsLinear() {
    var random = SeededGenerator(seed: 4)
    let machine = sampleMachine()
    for _ in 0..<50 {
      let (a, b) = (events(&random), events(&random))
      var sum = a
      sum.add(b, times: 3)
      let expected =
        cost(of: a, machine: machine).energyPicojoules.total
        + 3 * cost(of: b, machine: machine).energyPicojoules.total
      let total = cost(of: sum, machine: machine).energyPicojoules.total
      #expect(abs(total - expected) <= 1e-9 * expected)
    }
  }

  @Test func everyCountThatCostsIsCosted() {
    let free: Set = [
      "positions", "ouActivations", "adcSaturations", "indexReads", "inputFetches.sram", "cycles",
      "wordlineVectors", "bufferFills", "skippedBuffers", "clocks", "stallClocks", "digitalMultiplyAdds",
      "wordlineWrites",
      "writeSteps",
    ]
    var machine = sampleMachine()
    machine.writing = WriteFigures(wordlineNanoseconds: 1, cellPicojoules: 1)
    machine.energy.indexBit = 0.5
    for field in Events.fields {
      var events = Events()
      events[keyPath: field.path] = 1000
      #expect(
        (cost(of: events, machine: machine).energyPicojoules.total > 0) == !free.contains(field.name),
        "\(field.name)")
    }
  }

  /// 1000 cells of 3910 pJ; 128 steps of 50.88 ns beside the crossbars' cycles.
  @Test func writingTakesEnergyByCellsAndTimeBySteps() {
    var machine = sampleMachine()
    machine.writing = WriteFigures(wordlineNanoseconds: 50.88, cellPicojoules: 3910)
    var events = Events()
    (events.cellWrites, events.wordlineWrites, events.writeSteps, events.cycles) = (1000, 300, 128, 10)
    let whole = cost(of: events, machine: machine)
    #expect(whole.energyPicojoules.write == 3_910_000 && whole.energyPicojoules.total == 3_910_000)
    #expect(abs(whole.latencyNanoseconds - (128 * 50.88 + 153.6)) < 1e-9)
    #expect(!whole.omitsWriting)
  }

  /// A machine that does not tell what writing takes leaves it out, and says so; nothing written is nothing left out.
  @Test func unknownCostsOfWritingAreNotZeros() {
    var events = Events()
    events.cycles = 10
    #expect(!cost(of: events, machine: sampleMachine()).omitsWriting)
    (events.cellWrites, events.wordlineWrites, events.writeSteps) = (1000, 300, 128)
    let part = cost(of: events, machine: sampleMachine())
    #expect(part.omitsWriting && part.energyPicojoules.write == 0 && part.latencyNanoseconds == 153.6)
    var sum = Cost()
    sum += part
    sum += Cost()
    #expect(sum.omitsWriting)
  }

  /// Clocks of memories are time beside the crossbars' cycles; a machine without memories has none.
  @Test func clocksAreTime() {
    var machine = sampleMachine()
    var events = Events()
    (events.cycles, events.clocks, events.stallClocks) = (7, 1000, 300)
    let cycles = 7 * machine.timing.cycleNanoseconds
    #expect(cost(of: events, machine: machine).latencyNanoseconds == cycles)
    machine.memory = MemorySystem(
      clockMegahertz: 250, sramBytes: 1, bufferBytes: 1, dramLatencyNanoseconds: 0, valuesPerClock: 1)
    #expect(cost(of: events, machine: machine).latencyNanoseconds == cycles + 4000)
  }

  @Test func eventsAddFieldByField() {
    var a = Events()
    for (index, field) in Events.fields.enumerated() { a[keyPath: field.path] = index + 1 }
    var b = a
    b += a
    for (index, field) in Events.fields.enumerated() { #expect(b[keyPath: field.path] == 2 * (index + 1)) }
    #expect(Set(Events.fields.map(\.name)).count == Events.fields.count)
    #expect(Mirror(reflecting: a).children.count == Events.fields.count - 2)
  }

  @Test func breakdownAddsUp() {
    var breakdown = EnergyBreakdown()
    for field in EnergyBreakdown.fields { breakdown[keyPath: field.path] = 2 }
    #expect(breakdown.total == 2 * Double(EnergyBreakdown.fields.count))
    #expect(Mirror(reflecting: breakdown).children.count == EnergyBreakdown.fields.count)
    var cost = Cost()
    cost.energyPicojoules = breakdown
    cost.latencyNanoseconds = 5
    cost += cost
    #expect(cost.energyPicojoules.total == 2 * breakdown.total && cost.latencyNanoseconds == 10)
  }

  private func events(_ random: inout SeededGenerator) -> Events {
    var events = Events()
    for field in Events.fields { events[keyPath: field.path] = random.below(1_000_000) }
    return events
  }
}
