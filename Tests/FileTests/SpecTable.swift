import CodeGen
import DeviceModel
import Foundation
import IR
import Mapping
import Passes
import ProgramFormat
import Tensors
import Testing

@testable import Hardware

/// The generated tables of `ir-spec.md`, by the words in their markers.
enum SpecTable: String, CaseIterable {
  case textLimits = "text-limits"
  case figures
  case operations
  case layerFields = "layer-fields"
  case blockFields = "block-fields"
  case layerLimits = "layer-limits"
  case passes, options, operators, refusals
  case programLimits = "program-limits"
  case events, energy, time, diagnostics, status

  func lines() throws -> [String] {
    switch self {
    case .textLimits: return try limitTable("IR/Text/AttributeText.swift", of: "TextLimits")
    case .figures: return figureTable
    case .operations: return operationTable
    case .layerFields: return fieldTable(Layer.fields)
    case .blockFields: return fieldTable(Block.fields)
    case .layerLimits: return try limitTable("Mapping/LayerLimits.swift", of: "LayerLimits")
    case .passes: return passTable
    case .options: return optionTable
    case .operators: return operatorTable
    case .refusals: return try refusalTable()
    case .programLimits: return try limitTable("ProgramFormat/Limits.swift", of: "ProgramLimits")
    case .events: return try eventTable()
    case .energy: return try energyTable()
    case .time: return try timeTable()
    case .diagnostics: return try diagnosticTable()
    case .status: return Journey.all.table
    }
  }
}

/// A table with these columns.
private func table(_ columns: [String], _ rows: [[String]]) -> [String] {
  func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }
  return [line(columns), "|\(columns.map { _ in "---|" }.joined())"] + rows.map(line)
}

// MARK: Operations and passes

private var operationTable: [String] {
  table(
    ["operation", "levels", "operands", "results", "attributes", "meaning"],
    Opcode.allCases.map { opcode in
      let spec = opcode.spec
      let levels = LevelName.allCases.filter(spec.levels.contains)
      return [
        "`\(opcode.rawValue)`\(spec.hasSymbol ? " `@name`" : "")",
        levels.count == LevelName.allCases.count ? "all" : levels.map(\.rawValue).joined(separator: ", "),
        counts(spec.operands), "\(spec.results)", attributes(of: opcode),
        spec.summary.replacing("|", with: "\\|"),
      ]
    })
}

/// The attributes of an operation; those of layers and blocks have tables of their own.
private func attributes(of opcode: Opcode) -> String {
  switch opcode {
  case .layer: return "[fields of layers](#fields-of-layers)"
  case .block: return "[fields of blocks](#fields-of-blocks)"
  default:
    return opcode.spec.attributes.map { attribute in
      let kind = attribute.kind.name.replacing(" >= \(Int64.min)", with: "")
        .replacing("\(Int32.max)", with: "2^31 - 1").replacing("\(1 << 20)", with: "2^20")
      return "`\(attribute.name)` \(kind)\(attribute.isRequired ? "" : ", optional")"
    }.joined(separator: "; ")
  }
}

private func counts(_ range: ClosedRange<Int>) -> String {
  range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
}

private var passTable: [String] {
  func list(_ facts: Set<Fact>) -> String { facts.sorted().map(\.rawValue).joined(separator: ", ") }
  return table(
    ["pass", "level", "requires", "invalidates", "establishes", "numbers", "afterwards"],
    PassRegistry.standard.entries.map { pass in
      [
        "`\(pass.name)`",
        pass.from == pass.to ? pass.from.rawValue : "\(pass.from.rawValue) to \(pass.to.rawValue)",
        list(pass.requires), list(pass.invalidates), list(pass.establishes), pass.guarantee.text,
        pass.summary,
      ]
    })
}

private var optionTable: [String] {
  table(
    ["pass", "option", "kind", "default", "what it does"],
    PassRegistry.standard.entries.flatMap { pass in
      pass.options.map {
        ["`\(pass.name)`", "`\($0.name)`", $0.kind.name, "\($0.fallback)", $0.summary]
      }
    })
}

// MARK: Fields

private func fieldTable<Owner>(_ fields: [LayerField<Owner>]) -> [String] {
  table(
    ["field", "values", "in the binary", "since", "what it means"],
    fields.map { field in
      [
        "`\(field.name)`", field.kind.name + (field.isRequired ? "" : ", optional"), place(field.storage),
        "\(field.since)", field.summary,
      ]
    })
}

private func place(_ storage: FieldStorage) -> String {
  switch storage {
  case .record: return "record"
  case .tagged(let number): return "part \(number)"
  case .plan: return "`PLAN`"
  case .module: return "modules only"
  }
}

/// The figures of a machine, neighbors of one object with the same values together.
private var figureTable: [String] {
  var rows: [(section: String, names: [String], values: String)] = []
  for field in MachineField.all(with: MachineField.optionalSections) {
    let (low, high) = (short(field.range.lowerBound), short(field.range.upperBound))
    let values = "\(field.isWhole ? "whole, " : "")\(low) to \(high)"
    if let last = rows.last, last.section == field.section, last.values == values {
      rows[rows.count - 1].names.append(field.key)
    } else {
      rows.append((field.section, [field.key], values))
    }
  }
  return table(
    ["object", "figures", "values"],
    rows.map { ["`\($0.section)`", $0.names.map { "`\($0)`" }.joined(separator: ", "), $0.values] })
}

/// A bound, as a power where it is one.
private func short(_ number: Double) -> String {
  let exponent = log10(number)
  if number > 0, exponent == exponent.rounded(), abs(exponent) >= 6 { return "10^\(Int(exponent))" }
  return power(Int(number))
}

private func power(_ number: Int) -> String {
  if number >= 1 << 14, number & (number - 1) == 0 { return "2^\(number.trailingZeroBitCount)" }
  return number >= 1 << 20 && number & (number + 1) == 0
    ? "2^\((number + 1).trailingZeroBitCount) - 1" : "\(number)"
}

// MARK: Digital operators

/// The digital operators by their codes.
private var operatorTable: [String] {
  let entries = OperatorCatalog.entries.sorted {
    ($0.code.rawValue, $0.function ?? 0) < ($1.code.rawValue, $1.function ?? 0)
  }
  return table(
    ["code", "operator", "parameters", "elements", "shape of the result", "events"],
    entries.map { entry in
      [
        "\(entry.code.rawValue)" + (entry.function.map { ", \($0)" } ?? ""), "`\(entry.name)`",
        entry.parameters.map(text).joined(separator: ", "), text(entry.elements), text(entry.shape),
        text(entry.events),
      ]
    })
}

private func text(_ parameter: OperatorParameter) -> String {
  switch parameter.kind {
  case .float: return "f32 \(parameter.name)"
  case .integer: return "i64 \(parameter.name)"
  case .axis, .window: return parameter.name
  case .flag: return "\(parameter.name) (0 or 1)"
  case .axes, .lengths: return "numbers (\(parameter.name))"
  case .moreLengths: return "as many words (\(parameter.name))"
  case .constants: return "constant (\(parameter.name))"
  }
}

private func text(_ elements: ElementRule) -> String {
  switch elements {
  case .floats: return "floats"
  case .numbers: return "floats, or integers to integers"
  case .kept: return "any, which the result keeps"
  case .floatsToIntegers: return "floats to integers"
  case .integersToFloats: return "integers to floats"
  case .integers, .accumulatorsToIntegers, .accumulators: return "integers"
  }
}

private func text(_ shape: ShapeRule) -> String {
  switch shape {
  case .argument: return "that of the argument"
  case .broadcast: return "what the arguments broadcast to"
  case .product: return "rows of the first argument, columns of the second"
  case .window: return "the positions of the window"
  case .reduced: return "length 1 on the axes"
  case .joined: return "the sum of the lengths on the axis"
  case .parameters: return "by the parameters"
  }
}

private func text(_ events: EventClass) -> String {
  switch events {
  case .alias: return "alias"
  case .move: return "move"
  case .activations: return "activations"
  case .windowComparisons: return "window comparisons"
  case .comparisons: return "comparisons"
  case .multiplyAdds: return "multiply-adds"
  }
}

// MARK: Events and their cost

private func eventTable() throws -> [String] {
  let source = try source("DeviceModel/Events.swift")
  // The counts of values fetched are members of a member.
  let parts = source.components(separatedBy: "public struct Events")
  let nested = declarations(in: parts[0], #/^public var (\w+): Int/#)
    .map { ("inputFetches.\($0.name)", $0.text) }
  let own = declarations(in: parts[1], #/^public var (\w+) = /#).map { ($0.name, $0.text) }
  let texts = Dictionary(own + nested) { first, _ in first }
  return table(
    ["event", "what it counts"],
    try Events.fields.map { ["`\($0.name)`", try #require(texts[$0.name], "\($0.name) has no comment")] })
}

/// A machine on which nothing costs anything.
private func freeMachine() throws -> Machine {
  var machine = try Machine.target(named: "sre")
  machine.timing.cycleNanoseconds = 0
  machine.operands.inputBits = 1
  for field in EnergyTable.fields { machine.energy[keyPath: field.path] = 0 }
  machine.memory = MemorySystem(
    clockMegahertz: .infinity, sramBytes: 1, bufferBytes: 1, dramLatencyNanoseconds: 0, valuesPerClock: 1)
  machine.writing = WriteFigures(wordlineNanoseconds: 0, cellPicojoules: 0)
  return machine
}

/// The events that a cost is a sum of, all with the same factor.
private func terms(_ machine: Machine, factor: Double = 1, _ cost: (Cost) -> Double) -> [String] {
  Events.fields.compactMap { event in
    var events = Events()
    events[keyPath: event.path] = 1
    let share = cost(DeviceModel.cost(of: events, machine: machine))
    return share != factor ? nil : "`\(event.name)`"
  }
}

private func sum(_ terms: [String]) -> String {
  terms.count == 1 ? terms[0] : "(\(terms.joined(separator: " + ")))"
}

/// Found by giving one figure after the other a cost of 1.
private func energyTable() throws -> [String] {
  table(
    ["component", "picojoules"],
    try EnergyBreakdown.fields.map { component in
      var products: [String] = []
      for figure in EnergyTable.fields {
        var machine = try freeMachine()
        machine.energy[keyPath: figure.path] = 1
        let events = terms(machine) { $0.energyPicojoules[keyPath: component.path] }
        if events.isEmpty { continue }
        machine.operands.inputBits = 2
        let isWide = terms(machine, factor: 2) { $0.energyPicojoules[keyPath: component.path] } == events
        products.append("\(sum(events)) * `\(figure.name)`\(isWide ? " * `operands.inputBits`" : "")")
      }
      var machine = try freeMachine()
      machine.writing = WriteFigures(wordlineNanoseconds: 0, cellPicojoules: 1)
      let events = terms(machine) { $0.energyPicojoules[keyPath: component.path] }
      if !events.isEmpty { products.append("\(sum(events)) * `writing.cellPicojoules`") }
      return ["`\(component.name)`", products.joined(separator: " + ")]
    })
}

private func timeTable() throws -> [String] {
  var cycles = try freeMachine()
  cycles.timing.cycleNanoseconds = 1
  var clocks = try freeMachine()
  clocks.memory?.clockMegahertz = 1000
  var writing = try freeMachine()
  writing.writing = WriteFigures(wordlineNanoseconds: 1, cellPicojoules: 0)
  return table(
    ["events", "nanoseconds of each"],
    [
      (cycles, "`timing.cycleNanoseconds`"), (clocks, "1000 / `memory.clockMegahertz`"),
      (writing, "`writing.wordlineNanoseconds`"),
    ].map { [sum(terms($0.0) { $0.latencyNanoseconds }), $0.1] })
}

// MARK: What only the sources say

private func source(_ path: String) throws -> String {
  try String(contentsOf: repository.appending(path: "Sources/\(path)"), encoding: .utf8)
}

/// What `pattern` finds at the beginnings of lines, with the comments above it in one line.
private func declarations(in source: String, _ pattern: Regex<(Substring, Substring)>)
  -> [(name: String, text: String, rest: String)]
{
  var comment: [String] = []
  var found: [(name: String, text: String, rest: String)] = []
  for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
    let line = line.trimmingCharacters(in: .whitespaces)
    if line.hasPrefix("/// ") {
      comment.append(String(line.dropFirst(4)))
      continue
    }
    if let match = line.firstMatch(of: pattern) {
      let rest = String(line[match.range.upperBound...])
      found.append((String(match.1), comment.joined(separator: " "), rest))
    }
    comment = []
  }
  return found
}

/// The constants of an enumeration of limits, with their values as they are written.
private func limitTable(_ path: String, of name: String) throws -> [String] {
  func constants(_ path: String, _ name: String) throws -> [(name: String, text: String, rest: String)] {
    let body = try #require(try source(path).components(separatedBy: "enum \(name) {").dropFirst().first)
    let own = body.components(separatedBy: "\n}")[0]
    return declarations(in: own, #/static let (\w+)(?:: \w+)? = /#)
  }
  let others = try constants("Mapping/LayerLimits.swift", "LayerLimits")
  let own = try constants(path, name)
  let values = Dictionary(
    others.map { ("LayerLimits.\($0.name)", $0.rest) } + own.map { ($0.name, $0.rest) }
  ) { first, _ in first }
  return table(
    ["name", "limit", "of"],
    try own.map { constant in
      try #require(!constant.text.isEmpty, "\(constant.name) has no comment")
      return ["`\(constant.name)`", try value(constant.rest, values), constant.text]
    })
}

/// An expression of a limit: `1 << 20`, `1...24`, `Int(Int32.max)`, a number, another limit, or one less.
private func value(_ expression: String, _ others: [String: String]) throws -> String {
  if let other = others[expression] { return try value(other, others) }
  if expression == "Int(Int32.max)" { return "2^31 - 1" }
  if expression.contains("...") { return expression.replacing("...", with: " to ") }
  if let match = expression.wholeMatch(of: /1 << (\d+)/) { return "2^\(match.1)" }
  if expression.hasSuffix(" - 1") {
    let whole = try value(String(expression.dropLast(4)), others)
    return "\(try #require(Int(whole), "\(expression) is no number") - 1)"
  }
  return "\(try #require(Int(expression), "\(expression) is no number"))"
}

private func refusalTable() throws -> [String] {
  let body = try source("ProgramFormat/Fault.swift").components(separatedBy: "\n}")[0]
  let cases = declarations(in: body, #/^case (\w+)/#)
  let ids = Dictionary(ProgramFault.allCases.map { ("\($0)", $0.id) }) { first, _ in first }
  let rows = cases.compactMap { found in ids[found.name].map { ["`\($0)`", found.text] } }
  #expect(rows.count == ProgramFault.allCases.count)
  return table(["id", "meaning"], rows)
}

/// The modules whose diagnostics have ids of their own; those of `ProgramFormat` are in the table of refusals.
private let diagnosticModules = [
  "CodeGen", "CommandLineTools", "DeviceModel", "Driver", "Evaluation", "Evaluator", "Executor", "Hardware",
  "IR",
  "Import", "ONNX", "Passes", "RunDriver", "Support", "Tensors", "Workbench",
]

/// What modules put before the ids that their own failures name.
private let diagnosticPrefixes = [
  "DeviceModel": "device", "Hardware": "target", "IR": "verify", "Import": "import", "Tensors": "operator",
]

/// Every id that the sources name.
private func diagnosticTable() throws -> [String] {
  var found: [String: Set<String>] = [:]
  for module in diagnosticModules {
    let files = FileManager.default.enumerator(
      at: repository.appending(path: "Sources/\(module)"), includingPropertiesForKeys: nil)
    for case let file as URL in files ?? FileManager.DirectoryEnumerator()
    where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /Diagnostic\(\s*"([a-z-]+\.[a-z-]+)"/) {
        found[module, default: []].insert(String(match.1))
      }
      guard let prefix = diagnosticPrefixes[module] else { continue }
      for match in text.matches(of: /(?:fail|failure|FactProblem)\(\s*"([a-z-]+)",/) {
        found[module, default: []].insert("\(prefix).\(match.1)")
      }
    }
  }
  // Layers are checked in `Mapping`; the verifier puts its name before what is found there.
  found["IR", default: []].formUnion(LayerFault.allCases.map { "verify.\($0.rawValue)" })
  return table(
    ["module", "ids"],
    found.keys.sorted().map { module in
      [module, (found[module] ?? []).sorted().map { "`\($0)`" }.joined(separator: ", ")]
    })
}
