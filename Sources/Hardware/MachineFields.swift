public import Support

/// A number of a machine: its name in a target file, its place in `Machine` and the values that it may take.
struct MachineField {
  /// Where the number lies.
  enum Place {
    case whole(WritableKeyPath<Machine, Int>)
    case real(WritableKeyPath<Machine, Double>)
    case energy(WritableKeyPath<EnergyTable, Double>)
    case area(WritableKeyPath<AreaTable, Double>)
  }

  /// The object that holds it, such as `array`.
  let section: String
  /// The key in that object, such as `rows`.
  let key: String
  let place: Place
  let range: ClosedRange<Double>

  /// The name in messages, such as `array.rows`.
  var path: String { "\(section).\(key)" }

  /// The sections that a machine may go without.
  static let optionalSections = ["memory", "writing"]

  /// The numbers of a machine in the order of a target file: those that every machine has, and those of `sections`.
  static func all(with sections: [String]) -> [MachineField] {
    always + (memory + writing).filter { sections.contains($0.section) }
  }

  /// The numbers that every machine has.
  private static var always: [MachineField] {
    let whole = array + operands + hierarchy
    let timing = [
      MachineField("timing", "cycleNanoseconds", .real(\.timing.cycleNanoseconds), 1e-6...1e9),
      MachineField("timing", "pipelineCycles", .whole(\.timing.pipelineCycles), 0...1e6),
    ]
    let energy = EnergyTable.fields.map { field in
      MachineField("energy", field.name, .energy(field.path), 0...1e12)
    }
    let area = AreaTable.fields.map { field in
      MachineField("area", field.name, .area(field.path), 0...1e15)
    }
    return whole + timing + energy + area
  }

  private static var array: [MachineField] {
    [
      MachineField("array", "rows", .whole(\.array.rows), 1...4096),
      MachineField("array", "columns", .whole(\.array.columns), 1...4096),
      MachineField("array", "cellBits", .whole(\.array.cellBits), 1...8),
      MachineField("array", "unitHeight", .whole(\.array.unitHeight), 1...4096),
      MachineField("array", "unitWidth", .whole(\.array.unitWidth), 1...4096),
      MachineField("array", "dacBits", .whole(\.array.dacBits), 1...8),
      MachineField("array", "adcBits", .whole(\.array.adcBits), 1...16),
    ]
  }

  private static var operands: [MachineField] {
    [
      MachineField("operands", "weightBits", .whole(\.operands.weightBits), 1...32),
      MachineField("operands", "inputBits", .whole(\.operands.inputBits), 1...32),
    ]
  }

  private static var hierarchy: [MachineField] {
    [
      MachineField(
        "hierarchy", "crossbarsPerComputeUnit", .whole(\.hierarchy.crossbarsPerComputeUnit), 1...65536),
      MachineField("hierarchy", "computeUnitsPerTile", .whole(\.hierarchy.computeUnitsPerTile), 1...65536),
      MachineField("hierarchy", "tiles", .whole(\.hierarchy.tiles), 0...1_048_576),
    ]
  }

  /// The numbers of the memories: all or none.
  static var memory: [MachineField] {
    let bytes = 1.0...2_147_483_647
    return [
      MachineField("memory", "clockMegahertz", .real(\.memoryFigures.clockMegahertz), 1e-6...1e9),
      MachineField("memory", "sramBytes", .whole(\.memoryFigures.sramBytes), bytes),
      MachineField("memory", "bufferBytes", .whole(\.memoryFigures.bufferBytes), bytes),
      MachineField(
        "memory", "dramLatencyNanoseconds", .real(\.memoryFigures.dramLatencyNanoseconds), 0...1e9),
      MachineField("memory", "valuesPerClock", .whole(\.memoryFigures.valuesPerClock), 1...65536),
    ]
  }

  /// The numbers of writing: all or none.
  static var writing: [MachineField] {
    [
      MachineField("writing", "wordlineNanoseconds", .real(\.writeFigures.wordlineNanoseconds), 0...1e12),
      MachineField("writing", "cellPicojoules", .real(\.writeFigures.cellPicojoules), 0...1e12),
    ]
  }

  private init(_ section: String, _ key: String, _ place: Place, _ range: ClosedRange<Double>) {
    self.section = section
    self.key = key
    self.place = place
    self.range = range
  }

  /// Whether the number may be `value`. No number may be a negative zero, which the text of a machine cannot say.
  func accepts(_ value: Double) -> Bool {
    guard range.contains(value), value.sign == .plus else { return false }
    if case .whole = place { return value == value.rounded() }
    return true
  }

  /// Stores an accepted value.
  func store(_ value: Double, in machine: inout Machine) {
    switch place {
    case .whole(let path): machine[keyPath: path] = Int(value)
    case .real(let path): machine[keyPath: path] = value
    case .energy(let path): machine.energy[keyPath: path] = value
    case .area(let path): machine.area[keyPath: path] = value
    }
  }

  /// Whether the number counts something.
  var isWhole: Bool {
    if case .whole = place { return true }
    return false
  }

  /// The number in `machine`.
  func value(in machine: Machine) -> Double {
    switch place {
    case .whole(let path): return Double(machine[keyPath: path])
    case .real(let path): return machine[keyPath: path]
    case .energy(let path): return machine.energy[keyPath: path]
    case .area(let path): return machine.area[keyPath: path]
    }
  }

  /// Throws `target.range` for a value that the figure cannot have.
  func check(_ value: Double) throws(Diagnostic) {
    if accepts(value) { return }
    let text = Int(exactly: value).map { "\($0)" } ?? "\(value)"
    throw Diagnostic("target.range", "\(path) is \(text), expected \(expectation)")
  }

  /// The values that it may take, for messages.
  var expectation: String {
    switch place {
    case .whole: return "a whole number in \(Int(range.lowerBound)) ... \(Int(range.upperBound))"
    case .real, .energy, .area: return "a number in \(range.lowerBound) ... \(range.upperBound)"
    }
  }
}

extension Machine {
  /// Throws `target.range` for a number out of its range or a unit larger than the crossbar.
  public func validate() throws(Diagnostic) {
    try check(MachineField.all(with: optionalSections))
    guard array.unitHeight <= array.rows, array.unitWidth <= array.columns else {
      throw Diagnostic("target.range", "a unit is larger than the crossbar")
    }
  }

  /// The sections that the machine has and others may not have.
  private var optionalSections: [String] {
    (memory == nil ? [] : ["memory"]) + (writing == nil ? [] : ["writing"])
  }

  private func check(_ fields: [MachineField]) throws(Diagnostic) {
    for field in fields { try field.check(field.value(in: self)) }
  }

  /// A machine that a file is read into.
  static var blank: Machine {
    Machine(
      name: "", summary: "",
      array: ArrayDescription(
        rows: 1, columns: 1, cellBits: 1, unitHeight: 1, unitWidth: 1, dacBits: 1, adcBits: 1),
      operands: OperandWidths(weightBits: 1, inputBits: 1),
      hierarchy: Hierarchy(crossbarsPerComputeUnit: 1, computeUnitsPerTile: 1, tiles: 0),
      timing: Timing(cycleNanoseconds: 1, pipelineCycles: 0), energy: EnergyTable(), area: AreaTable())
  }
}

/// A number of a machine by the path that target files, texts and programs know it by, such as `array.rows`.
public struct MachineFigure: Hashable, Sendable {
  /// The path.
  public let path: String
  /// The value, in the unit of the field of `Machine`.
  public let value: Double

  /// Creates a figure.
  public init(path: String, value: Double) {
    self.path = path
    self.value = value
  }
}

extension Machine {
  /// All numbers of the machine, in the order of a target file.
  public var figures: [MachineFigure] {
    MachineField.all(with: optionalSections).map { MachineFigure(path: $0.path, value: $0.value(in: self)) }
  }

  /// Whether the number at `path` counts something; nil where no machine has such a number.
  public static func isWhole(_ path: String) -> Bool? {
    MachineField.all(with: MachineField.optionalSections).first { $0.path == path }.map(\.isWhole)
  }

  /// The machine with these numbers, and those of `base` where they are not named.
  ///
  /// Throws `target.key` for a path that no machine has or that is named twice, `target.missing` where neither the
  /// figures nor the base have a number, and `target.range`.
  public init(name: String, summary: String, figures: [MachineFigure], base: Machine? = nil)
    throws(Diagnostic)
  {
    var machine = base ?? .blank
    (machine.name, machine.summary) = (name, summary)
    let fields = MachineField.all(with: MachineField.optionalSections)
    var present = Set(base?.figures.map(\.path) ?? [])
    var named: Set<String> = []
    for figure in figures {
      guard let field = fields.first(where: { $0.path == figure.path }) else {
        let hint = nearest(figure.path, in: fields.map(\.path)).map { ["did you mean '\($0)'?"] } ?? []
        throw Diagnostic("target.key", "a machine has no figure '\(figure.path)'", notes: hint)
      }
      guard named.insert(figure.path).inserted else {
        throw Diagnostic("target.key", "figure '\(figure.path)' is given twice")
      }
      try field.check(figure.value)
      field.store(figure.value, in: &machine)
      present.insert(figure.path)
    }
    let sections = Set(present.map { $0.prefix { $0 != "." } }.map(String.init))
    let missing = MachineField.all(with: MachineField.optionalSections.filter(sections.contains))
      .map(\.path).filter { !present.contains($0) }
    guard missing.isEmpty else {
      throw Diagnostic("target.missing", "missing: \(missing.joined(separator: ", "))")
    }
    try machine.validate()
    self = machine
  }
}
