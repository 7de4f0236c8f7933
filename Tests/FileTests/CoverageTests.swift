import Foundation
import IR
import Passes
import Support
import Testing

/// The texts of all Swift files below a folder of the repository.
private func sources(_ folder: String) throws -> [String] {
  let found = FileManager.default.enumerator(
    at: repository.appending(path: folder), includingPropertiesForKeys: nil)
  let files = found?.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" } ?? []
  return try files.map { try String(contentsOf: $0, encoding: .utf8) }
}

/// What is stated is tested: constraints, facts, diagnostics, and operations on their way through the compiler.
@Suite("Coverage")
struct CoverageTests {
  /// The comments of the file tests.
  private let comments = FileTest.all.flatMap(\.sections).flatMap(\.lines)
    .compactMap { splitComment($0).comment }.joined(separator: "\n")

  @Test func everyConstraintHasACommentAndAFileTest() throws {
    let spec = try String(contentsOf: repository.appending(path: "ir-spec.md"), encoding: .utf8)
    let verifier = try sources("Sources/IR/Verify").joined()
    let numbers = Set(spec.matches(of: /\| S(\d+) \|/).compactMap { Int($0.1) })
    #expect(numbers == Set(1...13))
    for number in numbers.sorted() {
      #expect(
        verifier.firstMatch(of: try Regex("//[^\n]*S\(number)\\b")) != nil, "no comment names S\(number)")
      // What only a program can build has its test beside the verifier's others.
      let inFiles = comments.contains("(S \(number))")
      let inTests = try sources("Tests/IRTests").contains { $0.contains("func s\(number)") }
      #expect(inFiles || inTests, "no test names S\(number)")
    }
  }

  @Test(arguments: Fact.allCases) func everyFactHasACommentAndAFileTest(fact: Fact) throws {
    let spec = try String(contentsOf: repository.appending(path: "ir-spec.md"), encoding: .utf8)
    #expect(spec.contains("F-\(fact.rawValue)"))
    #expect(try sources("Sources/IR/Verify").joined().contains("F-\(fact.rawValue)"))
    #expect(comments.contains("(F-\(fact.rawValue))"))
  }

  @Test func everyDiagnosticOfTextVerifierAndPassesHasATest() throws {
    let tests = try sources("Tests").joined() + comments
    var ids: Set<String> = []
    for text in try sources("Sources/IR") + sources("Sources/Passes") + sources("Sources/Evaluator")
      + sources("Sources/CodeGen")
    {
      for match in text.matches(of: /Diagnostic\(\s*"([a-z-]+\.[a-z-]+)"/) { ids.insert(String(match.1)) }
      for match in text.matches(of: /(?:fail|LayerProblem)\(\s*"([a-z-]+)",/) {
        ids.insert("verify.\(match.1)")
      }
    }
    #expect(ids.count > 40)
    // Refusals of what a verified module cannot hold, and of defects of passes: no text leads there.
    let unreachable: Set<String> = [
      "fold-constants.value", "lower-to-crossbar.shape", "lower-to-program.constant",
      "lower-to-program.layer", "lower-to-program.operator",
      "pass.broken", "pass.layer", "quantize.bias", "quantize.value", "evaluate.constant", "evaluate.layer",
      "slice-bits.weights",
    ]
    let missing = ids.subtracting(unreachable).filter { !tests.contains($0) }
    #expect(missing.isEmpty, "no test names \(missing.sorted().joined(separator: ", "))")
    #expect(unreachable.isSubset(of: ids), "\(unreachable.subtracting(ids).sorted())")
  }

  @Test func everyOperationGoesAllTheWay() {
    let seen = Journey.all
    for opcode in Opcode.allCases {
      let levels = opcode.spec.levels
      let starts = levels.contains(.tensor) || levels.contains(.crossbar)
      if starts { #expect(seen.evaluated.contains(opcode), "\(opcode.rawValue) is evaluated nowhere") }
      if starts { #expect(seen.lowered.contains(opcode), "\(opcode.rawValue) is lowered nowhere") }
      if levels.contains(.program) {
        #expect(seen.executed.contains(opcode), "\(opcode.rawValue) runs nowhere")
      }
    }
  }
}

/// The operations that file tests take through the evaluator, a lowering and the executor.
struct Journey {
  var evaluated: Set<Opcode> = []
  var lowered: Set<Opcode> = []
  var executed: Set<Opcode> = []

  /// What all files do.
  static let all: Journey = {
    var journey = Journey()
    for file in FileTest.all {
      for section in file.sections where section.errors.isEmpty {
        for command in file.commands { journey.follow(command, section) }
      }
    }
    return journey
  }()

  private mutating func follow(_ command: Command, _ section: Section) {
    switch command {
    case .eval(let asked), .run(let asked):
      guard !section.samples.isEmpty, let module = try? parseModule(section.text) else { return }
      pass(module)
      guard let pipeline = asked.pipeline else { return }
      var context = PassContext()
      guard let result = try? apply(pipeline, to: module, &context) else { return }
      pass(result)
      if pipeline.contains("lower-to-") { lowered.formUnion(opcodes(of: module)) }
      // What the first lowering gives goes into the second one.
      if case .program = result, case .tensor = module { lowerOnce(pipeline, module) }
    default: return
    }
  }

  private mutating func pass(_ module: AnyModule) {
    if case .program = module {
      executed.formUnion(opcodes(of: module))
    } else {
      evaluated.formUnion(opcodes(of: module))
    }
  }

  private mutating func lowerOnce(_ pipeline: String, _ module: AnyModule) {
    let start = pipeline.split(separator: ", lower-to-program").first.map(String.init) ?? ""
    var context = PassContext()
    guard let crossbar = try? apply(start, to: module, &context) else { return }
    lowered.formUnion(opcodes(of: crossbar))
  }

  /// The table of ir-spec.md, *Status*: how far each operation goes, as the tests show it.
  var table: [String] {
    ["| operation | levels | evaluator | lowered | executed |", "|---|---|---|---|---|"]
      + Opcode.allCases.map { opcode in
        let levels = LevelName.allCases.filter(opcode.spec.levels.contains)
        let computes = levels.contains(.tensor) || levels.contains(.crossbar)
        func cell(_ applies: Bool, _ set: Set<Opcode>) -> String {
          applies ? set.contains(opcode) ? "yes" : "no" : "-"
        }
        return "| `\(opcode.rawValue)` | \(levels.map(\.rawValue).joined(separator: ", ")) | "
          + "\(cell(computes, evaluated)) | \(cell(computes, lowered)) | \(cell(levels.contains(.program), executed)) |"
      }
  }
}
