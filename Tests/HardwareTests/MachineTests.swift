import Hardware
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
    let file = try Machine.targetFile(named: "sre")
    let sections = file.numbers.map { $0.path.prefix { $0 != "." } }
    let names = Mirror(reflecting: file.machine).children.compactMap(\.label)
    #expect(names == ["name", "summary", "array", "operands", "hierarchy", "timing", "energy", "area"])
    #expect(Set(sections.map(String.init)) == Set(names.dropFirst(2)))
    for (name, value) in Mirror(reflecting: file.machine).children.dropFirst(2) {
      let keys = file.numbers.filter { $0.path.hasPrefix("\(name ?? "").") }.map {
        $0.path.split(separator: ".")[1]
      }
      #expect(
        keys.map(String.init) == Mirror(reflecting: value).children.compactMap(\.label), "\(name ?? "")")
    }
  }
}
