import Hardware
import Mapping
import Support
import Testing

@Suite struct MachineTests {
  @Test func describesUnits() {
    #expect(UnitForming.fixed(height: 9, width: 8).description == "fixed(9x8)")
    #expect(UnitForming.dynamic(height: 16, width: 16).description == "dynamic(16x16)")
    for unit in [UnitForming.fixed(height: 3, width: 5), .dynamic(height: 3, width: 5)] {
      #expect(unit.height == 3 && unit.width == 5)
    }
    #expect(
      UnitForming.dynamic(height: 1, width: 1).isDynamic && !UnitForming.fixed(height: 1, width: 1).isDynamic)
  }

  @Test func tablesNameEveryField() {
    var energy = EnergyTable()
    for (index, field) in EnergyTable.fields.enumerated() {
      #expect(energy[keyPath: field.path] == 0)
      energy[keyPath: field.path] = Double(index + 1)
    }
    #expect(EnergyTable.fields.map { energy[keyPath: $0.path] } == (1...15).map(Double.init))
    #expect(Mirror(reflecting: energy).children.map(\.label) == EnergyTable.fields.map(\.name))
    var area = AreaTable()
    for (index, field) in AreaTable.fields.enumerated() { area[keyPath: field.path] = Double(index + 1) }
    #expect(AreaTable.fields.map { area[keyPath: $0.path] } == (1...8).map(Double.init))
    #expect(Mirror(reflecting: area).children.map(\.label) == AreaTable.fields.map(\.name))
  }

  @Test func sectionsOfAFileAreThePropertiesOfAMachine() throws {
    let file = try Machine.targetFile(named: "recom")
    let sections = file.numbers.map { $0.path.prefix { $0 != "." } }
    let names = Mirror(reflecting: file.machine).children.compactMap(\.label)
    #expect(
      names == [
        "name", "summary", "array", "operands", "hierarchy", "timing", "energy", "area", "memory", "writing",
      ])
    #expect(Set(sections.map(String.init)) == Set(names.dropFirst(2)))
    let memory = try #require(file.machine.memory)
    let writing = try #require(file.machine.writing)
    let parts =
      Mirror(reflecting: file.machine).children.dropFirst(2).dropLast(2)
      + [("memory", memory), ("writing", writing)]
    for (name, value) in parts {
      let keys = file.numbers.filter { $0.path.hasPrefix("\(name ?? "").") }.map {
        $0.path.split(separator: ".")[1]
      }
      #expect(
        keys.map(String.init) == Mirror(reflecting: value).children.compactMap(\.label), "\(name ?? "")")
    }
  }

  /// A change of one number of recom's memories is accepted where `isValid`.
  private func expectMemory(
    _ isValid: Bool, _ place: SourceLocation = #_sourceLocation, _ change: (inout MemorySystem) -> Void
  ) throws {
    var machine = try Machine.target(named: "recom")
    var memory = try #require(machine.memory)
    change(&memory)
    machine.memory = memory
    do {
      try machine.validate()
      #expect(isValid, sourceLocation: place)
    } catch {
      #expect(
        !isValid && error.id == "target.range" && error.message.hasPrefix("memory."), sourceLocation: place)
    }
  }

  @Test func checksTheNumbersOfMemories() throws {
    try expectMemory(true) { _ in }
    for clock in [0, -1, 1e10, .nan, .infinity] { try expectMemory(false) { $0.clockMegahertz = clock } }
    for clock in [1e-6, 1e9] { try expectMemory(true) { $0.clockMegahertz = clock } }
    for bytes in [0, -1, 1 << 31, .max] {
      try expectMemory(false) { $0.sramBytes = bytes }
      try expectMemory(false) { $0.bufferBytes = bytes }
    }
    for bytes in [1, (1 << 31) - 1] {
      try expectMemory(true) { $0.sramBytes = bytes }
      try expectMemory(true) { $0.bufferBytes = bytes }
    }
    for latency in [-1, -0.0, 1e10, .nan] { try expectMemory(false) { $0.dramLatencyNanoseconds = latency } }
    try expectMemory(true) { $0.dramLatencyNanoseconds = 0 }
    for values in [0, 65_537] { try expectMemory(false) { $0.valuesPerClock = values } }
    try expectMemory(true) { $0.valuesPerClock = 65_536 }
  }

  @Test func machinesWithoutMemoriesAreValid() throws {
    var machine = try Machine.target(named: "recom")
    machine.memory = nil
    try machine.validate()
    #expect(machine != (try Machine.target(named: "recom")))
  }
}
