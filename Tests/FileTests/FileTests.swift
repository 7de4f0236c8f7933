import CodeGen
import Foundation
import IR
import Passes
import Support
import Testing

@Test(arguments: FileTest.all) func file(_ test: FileTest) throws {
  var test = test
  #expect(test.unknown.isEmpty, "unknown commands in \(test.name)")
  #expect(!test.commands.isEmpty, "no command in \(test.name)")
  for index in test.sections.indices {
    var run = CommandRun(file: test.name, section: test.sections[index])
    for command in test.commands { run.run(command) }
    test.sections[index] = run.section
    checkSilently(test, test.sections[index])
  }
  if updatesGoldens {
    try test.text.write(to: testFolder.appending(path: test.name), atomically: true, encoding: .utf8)
  }
}

/// What holds of every section: no error but those expected, and the laws of texts, also after mutations.
private func checkSilently(_ test: FileTest, _ section: Section) {
  if section.errors.isEmpty {
    do {
      let module = try parseModule(section.text)
      for error in verify(module) { Issue.record("\(test.name): \(error)") }
    } catch {
      Issue.record("\(test.name): \(error)")
    }
  }
  if let broken = brokenLaw(section.text) { Issue.record("\(test.name): \(broken)") }
  // Without the comments, so that mutations hit code.
  let code = section.code.joined(separator: "\n")
  var mutator = Mutator(seed: UInt64(CRC32C.checksum(Array(code.utf8))))
  for _ in 0..<50 {
    let text = mutator.mutate(code)
    if let broken = brokenLaw(text) { Issue.record("a mutation of \(test.name): \(broken)") }
  }
}

@Test func everyOperationStandsInAFileAtEachOfItsLevels() {
  var missing: [String] = []
  var seen: Set<String> = []
  for section in FileTest.all.flatMap(\.sections) where section.errors.isEmpty {
    guard let module = try? parseModule(section.text) else { continue }
    for opcode in opcodes(of: module) { seen.insert("\(opcode.rawValue) at \(module.level.rawValue)") }
  }
  for opcode in Opcode.allCases {
    for level in LevelName.allCases where opcode.spec.levels.contains(level) {
      let key = "\(opcode.rawValue) at \(level.rawValue)"
      if !seen.contains(key) { missing.append(key) }
    }
  }
  #expect(missing.isEmpty, "no file holds \(missing.joined(separator: ", "))")
}

@Test(arguments: PassRegistry.standard.entries.map(\.name)) func everyPassHasItsFiles(pass: String) {
  let files = FileTest.all.filter { $0.name.hasPrefix("Files/passes/\(pass)") }
  func uses(_ command: Command) -> (opt: Bool, eval: Bool) {
    switch command {
    case .opt(let text): return (text.contains(pass), false)
    case .eval(let asked), .run(let asked): return (false, asked.pipeline?.contains(pass) == true)
    default: return (false, false)
    }
  }
  let uses = files.flatMap { file in file.commands.map { (file, uses($0)) } }
  #expect(uses.contains { $0.1.opt && $0.0.sections.contains { $0.expected != nil } }, "no exact test")
  #expect(files.flatMap(\.sections).contains { !$0.errors.isEmpty }, "no error test")
  #expect(uses.contains { $0.1.eval }, "no test of values before and after")
}

/// All opcodes of a module, those in bodies included.
func opcodes(of module: AnyModule) -> Set<Opcode> {
  func collect<L: Level>(_ module: Module<L>, _ body: [OpID]) -> Set<Opcode> {
    var found: Set<Opcode> = []
    for id in body {
      found.insert(module.ops[id].opcode)
      found.formUnion(collect(module, module.ops[id].body))
    }
    return found
  }
  switch module {
  case .tensor(let module): return collect(module, module.body)
  case .crossbar(let module): return collect(module, module.body)
  case .program(let module): return collect(module, module.body)
  }
}
