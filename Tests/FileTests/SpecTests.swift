import CodeGen
import Foundation
import IR
import Mapping
import Passes
import Tensors
import Testing

/// `ir-spec.md` says what the code does: its code runs, its tables are those of the code.
@Suite("ir-spec.md", .serialized)
struct SpecTests {
  private let file = testFolder.deletingLastPathComponent().deletingLastPathComponent().appending(
    path: "ir-spec.md")

  private func lines() throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  /// The blocks marked `xir` with the number of their first line.
  private func blocks() throws -> [(line: Int, text: String)] {
    var found: [(line: Int, text: String)] = []
    var open: Int?
    let lines = try lines()
    for (number, line) in lines.enumerated() {
      if line == "```xir" {
        open = number + 1
      } else if line == "```", let start = open {
        found.append((start + 1, lines[start..<number].joined(separator: "\n") + "\n"))
        open = nil
      }
    }
    return found
  }

  @Test func codeRunsAsFileTests() throws {
    let blocks = try blocks()
    #expect(blocks.count >= 4)
    for block in blocks {
      let test = FileTest(name: "ir-spec.md", text: block.text, firstLine: block.line)
      #expect(test.unknown.isEmpty && !test.commands.isEmpty, "line \(block.line)")
      for section in test.sections {
        var run = CommandRun(file: "ir-spec.md", section: section)
        for command in test.commands { run.run(command) }
        if let broken = brokenLaw(section.text) { Issue.record("ir-spec.md:\(block.line): \(broken)") }
      }
    }
  }

  // MARK: Tables

  @Test(arguments: [
    "tensor", "crossbar", "program", "passes", "options", "operators", "layer-fields", "block-fields",
    "diagnostics", "status",
  ])
  func tablesAreThoseOfTheCode(name: String)
    throws
  {
    var lines = try lines()
    let marker = "<!-- table \(name) -->"
    let start = try #require(lines.firstIndex(of: marker), "no marker \(marker)") + 1
    let end = lines[start...].dropFirst().firstIndex { !$0.hasPrefix("|") } ?? lines.endIndex
    let expected = [""] + (try table(name))
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      let isThere = lines.indices.contains(start + 1) && lines[start + 1].hasPrefix("|")
      lines.replaceSubrange(start..<(isThere ? end : start), with: expected)
      try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    }
    let found = Array(try self.lines()[start...].prefix(expected.count))
    #expect(found == expected, "UPDATE_GOLDENS=1 writes the table")
  }

  private func table(_ name: String) throws -> [String] {
    switch name {
    case "passes": return passTable
    case "options": return optionTable
    case "layer-fields": return fieldTable(Layer.fields)
    case "block-fields": return fieldTable(Block.fields)
    case "operators": return operatorTable
    case "diagnostics": return try diagnosticTable()
    case "status": return Journey.all.table
    default: return try operationTable(#require(LevelName(rawValue: name)))
    }
  }

  private func operationTable(_ level: LevelName) -> [String] {
    let head = ["| operation | operands | results | attributes | what it does |", "|---|---|---|---|---|"]
    let rows = Opcode.allCases.filter { $0.spec.levels.contains(level) }.map { opcode in
      let spec = opcode.spec
      let attributes = spec.attributes.map { attribute in
        "`\(attribute.name)` \(attribute.kind.name)\(attribute.isRequired ? "" : ", optional")"
      }
      return
        "| `\(opcode.rawValue)`\(spec.hasSymbol ? " `@name`" : "") | \(counts(spec.operands)) | \(spec.results) | "
        + "\(attributes.joined(separator: "; ")) | \(spec.summary.replacing("|", with: "\\|")) |"
    }
    return head + rows
  }

  private func counts(_ range: ClosedRange<Int>) -> String {
    range.count == 1
      ? "\(range.lowerBound)"
      : range.upperBound > 100
        ? "\(range.lowerBound) or more"
        : "\(range.lowerBound) to \(range.upperBound)"
  }

  private var passTable: [String] {
    func list(_ facts: Set<Fact>) -> String { facts.sorted().map(\.rawValue).joined(separator: ", ") }
    let head = [
      "| pass | level | requires | invalidates | establishes | numbers | afterwards |",
      "|---|---|---|---|---|---|---|",
    ]
    return head
      + PassRegistry.standard.entries.map { pass in
        let level = pass.from == pass.to ? pass.from.rawValue : "\(pass.from.rawValue) to \(pass.to.rawValue)"
        return "| `\(pass.name)` | \(level) | \(list(pass.requires)) | \(list(pass.invalidates)) | "
          + "\(list(pass.establishes)) | "
          + "\(pass.guarantee.text) | \(pass.summary) |"
      }
  }

  private var optionTable: [String] {
    let head = ["| pass | option | kind | default | what it does |", "|---|---|---|---|---|"]
    return head
      + PassRegistry.standard.entries.flatMap { pass in
        pass.options.map { option in
          "| `\(pass.name)` | `\(option.name)` | \(option.kind.name) | \(option.fallback) | \(option.summary) |"
        }
      }
  }

  private func fieldTable<Owner>(_ fields: [LayerField<Owner>]) -> [String] {
    let head = ["| field | values | in the binary | since | what it means |", "|---|---|---|---|---|"]
    return head
      + fields.map { field in
        let values = field.kind.name + (field.isRequired ? "" : ", optional")
        return "| `\(field.name)` | \(values) | \(place(field.storage)) | \(field.since) | \(field.summary) |"
      }
  }

  private func place(_ storage: FieldStorage) -> String {
    switch storage {
    case .record: return "record"
    case .tagged(let number): return "part \(number)"
    case .plan: return "`PLAN`"
    case .module: return "modules only"
    }
  }

  /// The digital operators by their codes.
  private var operatorTable: [String] {
    let head = ["| code | operator | parameters | elements | shape of the result |", "|---|---|---|---|---|"]
    let entries = OperatorCatalog.entries.sorted {
      ($0.code.rawValue, $0.function ?? 0) < ($1.code.rawValue, $1.function ?? 0)
    }
    return head
      + entries.map { entry in
        let codes = "\(entry.code.rawValue)" + (entry.function.map { ", \($0)" } ?? "")
        let parameters = entry.parameters.map(text).joined(separator: ", ")
        return
          "| \(codes) | `\(entry.name)` | \(parameters) | \(text(entry.elements)) | \(text(entry.shape)) |"
      }
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

  /// Every id that the sources of the compiler name.
  private func diagnosticTable() throws -> [String] {
    let sources = testFolder.deletingLastPathComponent().deletingLastPathComponent().appending(
      path: "Sources")
    var found: [String: Set<String>] = [:]
    for module in ["IR", "Import", "Passes", "Evaluator", "CodeGen", "Driver"] {
      let files = FileManager.default.enumerator(
        at: sources.appending(path: module), includingPropertiesForKeys: nil)
      for case let file as URL in files ?? FileManager.DirectoryEnumerator()
      where file.pathExtension == "swift" {
        let text = try String(contentsOf: file, encoding: .utf8)
        for match in text.matches(of: /Diagnostic\(\s*"([a-z-]+\.[a-z-]+)"/) {
          found[module, default: []].insert(String(match.1))
        }
        for match in text.matches(of: /(?:fail|failure|FactProblem)\(\s*"([a-z-]+)",/)
        where module == "IR" || module == "Import" {
          found[module, default: []].insert("\(module == "IR" ? "verify" : "import").\(match.1)")
        }
      }
    }
    // Layers are checked in `Mapping`; the verifier puts its name before what is found there.
    found["IR", default: []].formUnion(LayerFault.allCases.map { "verify.\($0.rawValue)" })
    let head = ["| module | ids |", "|---|---|"]
    return head
      + found.keys.sorted().map { module in
        "| \(module) | \((found[module] ?? []).sorted().map { "`\($0)`" }.joined(separator: ", ")) |"
      }
  }
}
