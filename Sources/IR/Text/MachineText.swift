import Hardware
import Support

/// `machine sre` for a built-in target as it is; every number otherwise.
func machineText(_ machine: Machine) -> String {
  if let known = try? Machine.target(named: machine.name), known == machine {
    return "machine \(machine.name)"
  }
  func list(_ numbers: [Int]) -> String { "[\(numbers.map(String.init).joined(separator: ", "))]" }
  func list(_ numbers: [Double]) -> String { "[\(numbers.map { "\($0)" }.joined(separator: ", "))]" }
  let a = machine.array
  let energy = EnergyTable.fields.map { machine.energy[keyPath: $0.path] }
  let area = AreaTable.fields.map { machine.area[keyPath: $0.path] }
  var fields = [
    "array: \(list([a.rows, a.columns, a.cellBits, a.unitHeight, a.unitWidth, a.dacBits, a.adcBits]))",
    "operands: \(list([machine.operands.weightBits, machine.operands.inputBits]))",
    "hierarchy: \(list([machine.hierarchy.crossbarsPerComputeUnit, machine.hierarchy.computeUnitsPerTile, machine.hierarchy.tiles]))",
    "cycle: \(list([machine.timing.cycleNanoseconds]))", "pipeline: \(list([machine.timing.pipelineCycles]))",
    "energy: \(list(energy))", "area: \(list(area))",
  ]
  if let memory = machine.memory { fields.append("memory: [\(memoryText(memory))]") }
  if let writing = machine.writing {
    fields.append("writing: \(list([writing.wordlineNanoseconds, writing.cellPicojoules]))")
  }
  return "machine \(quote(machine.name)) \(quote(machine.summary)) {\(fields.joined(separator: ", "))}"
}

private func memoryText(_ memory: MemorySystem) -> String {
  "\(memory.clockMegahertz), \(memory.sramBytes), \(memory.bufferBytes), \(memory.dramLatencyNanoseconds), "
    + "\(memory.valuesPerClock)"
}

extension TokenStream {
  /// What `machineText` prints.
  mutating func takeMachine() throws(Diagnostic) -> Machine {
    _ = try take()
    if current.kind == .word {
      let token = try take()
      do {
        return try Machine.target(named: token.text)
      } catch {
        throw Diagnostic(error.id, error.message, at: Location(.text(token.position)), notes: error.notes)
      }
    }
    let place = Location(.text(current.position))
    let name = try take(.string, "the name of a target").text
    let summary = try take(.string, "what the target stands for").text
    try expect("{")
    let array = try takeInts("array", count: 7)
    let operands = try takeInts("operands", count: 2)
    let hierarchy = try takeInts("hierarchy", count: 3)
    let cycle = try takeDoubles("cycle", count: 1)
    let pipeline = try takeInts("pipeline", count: 1)
    let energy = try takeDoubles("energy", count: EnergyTable.fields.count)
    let area = try takeDoubles("area", count: AreaTable.fields.count)
    let memory = isWord("memory") ? try takeMemory() : nil
    let writing = isWord("writing") ? try takeDoubles("writing", count: 2) : nil
    try expect("}")
    var machine = Machine(
      name: name, summary: summary,
      array: ArrayDescription(
        rows: array[0], columns: array[1], cellBits: array[2], unitHeight: array[3], unitWidth: array[4],
        dacBits: array[5], adcBits: array[6]),
      operands: OperandWidths(weightBits: operands[0], inputBits: operands[1]),
      hierarchy: Hierarchy(
        crossbarsPerComputeUnit: hierarchy[0], computeUnitsPerTile: hierarchy[1], tiles: hierarchy[2]),
      timing: Timing(cycleNanoseconds: cycle[0], pipelineCycles: pipeline[0]), energy: EnergyTable(),
      area: AreaTable(), memory: memory,
      writing: writing.map { WriteFigures(wordlineNanoseconds: $0[0], cellPicojoules: $0[1]) })
    for (field, value) in zip(EnergyTable.fields, energy) { machine.energy[keyPath: field.path] = value }
    for (field, value) in zip(AreaTable.fields, area) { machine.area[keyPath: field.path] = value }
    do throws(Diagnostic) {
      try machine.validate()
    } catch {
      throw Diagnostic(error.id, error.message, at: place, notes: error.notes)
    }
    return machine
  }

  private mutating func takeInts(_ key: String, count: Int) throws(Diagnostic) -> [Int] {
    try openList(key)
    var numbers: [Int] = []
    for at in 0..<count {
      if at > 0 { try expect(",") }
      numbers.append(try takeCount(limit: Int(Int32.max)))
    }
    try closeList()
    return numbers
  }

  private mutating func takeDoubles(_ key: String, count: Int) throws(Diagnostic) -> [Double] {
    try openList(key)
    var numbers: [Double] = []
    for at in 0..<count {
      if at > 0 { try expect(",") }
      numbers.append(try takeDouble())
    }
    try closeList()
    return numbers
  }

  private mutating func takeDouble() throws(Diagnostic) -> Double {
    guard current.kind == .float || current.kind == .int, let value = Double(current.text), value.isFinite
    else {
      throw unexpected("a number")
    }
    _ = try take()
    return value
  }

  private mutating func takeMemory() throws(Diagnostic) -> MemorySystem {
    try openList("memory")
    let clock = try takeDouble()
    try expect(",")
    let sram = try takeCount(limit: Int(Int32.max))
    try expect(",")
    let buffer = try takeCount(limit: Int(Int32.max))
    try expect(",")
    let latency = try takeDouble()
    try expect(",")
    let values = try takeCount(limit: Int(Int32.max))
    try closeList()
    return MemorySystem(
      clockMegahertz: clock, sramBytes: sram, bufferBytes: buffer, dramLatencyNanoseconds: latency,
      valuesPerClock: values)
  }

  private mutating func openList(_ key: String) throws(Diagnostic) {
    try expectWord(key)
    try expect(":")
    try expect("[")
  }

  private mutating func closeList() throws(Diagnostic) {
    try expect("]")
    if isSign(",") { _ = try take() }
  }
}
