import CommandLineTools
import Support
import Testing

private let spec = CommandSpec(
  name: "tool run", summary: "runs a thing",
  positionals: [PositionalSpec("FILE", "what to run"), PositionalSpec("MORE", required: false, "what else")],
  options: [
    OptionSpec("input", value: "X.npy", required: true, "the input"),
    OptionSpec("output", short: "o", value: "FILE", "the output"),
    OptionSpec("limit", value: "N", "at most N samples"),
    OptionSpec("mode", value: "NAME", "how"),
    OptionSpec("over", value: "AXIS", repeats: true, "what is varied"),
    OptionSpec(flag: "quiet", short: "q", "say nothing"),
  ],
  examples: [ExampleSpec("tool run a --input b.npy", "runs a on b")], remarks: ["The end."])

private func parsed(_ words: String...) throws -> ParsedArguments {
  guard case .run(_, let arguments) = try spec.parse(words) else {
    Issue.record("expected arguments")
    throw Diagnostic("test.help", "help")
  }
  return arguments
}

private func identifier(_ words: String...) -> String {
  do throws(Diagnostic) {
    _ = try spec.parse(words)
    return ""
  } catch { return error.id }
}

private func notes(_ words: String...) -> [String] {
  do throws(Diagnostic) {
    _ = try spec.parse(words)
    return []
  } catch { return error.notes }
}

@Suite struct CommandLineTests {
  @Test func readsValuesInAllForms() throws {
    let a = try parsed("p.xbar", "--input", "x", "--output=y=z", "-q")
    #expect(a.positionals == ["p.xbar"])
    #expect(a.value("input") == "x")
    #expect(a.value("output") == "y=z")
    #expect(a.has("quiet"))
    #expect(a.positional(1) == nil)
    let b = try parsed("--input=", "-o", "-", "p", "q")
    #expect(b.value("input") == "")
    #expect(b.value("output") == "-")
    #expect(b.positionals == ["p", "q"])
    #expect(!b.has("quiet"))
  }

  @Test func someOptionsRepeat() throws {
    let a = try parsed("p", "--input", "x", "--over", "b", "--quiet", "--over=a=1", "--over", "b")
    #expect(a.values("over") == ["b", "a=1", "b"] && a.value("over") == "b" && a.has("over"))
    #expect(a.values("input") == ["x"] && a.values("mode").isEmpty && a.value("mode") == nil)
    #expect(identifier("p", "--input", "x", "--mode", "a", "--mode", "a") == "usage.repeated")
    #expect(
      spec.usage.contains("[--over AXIS] ...") && spec.help.contains("what is varied (may be given again)"))
  }

  @Test func doubleDashEndsOptions() throws {
    let a = try parsed("--input", "x", "--", "--quiet")
    #expect(a.positionals == ["--quiet"])
    #expect(!a.has("quiet"))
  }

  @Test func dashIsAnArgument() throws {
    #expect(try parsed("-", "--input", "x").positionals == ["-"])
  }

  @Test func refusesWrongUse() {
    #expect(identifier("p", "--input", "x", "--nonsense") == "usage.unknown-option")
    #expect(identifier("p", "--input") == "usage.missing-value")
    #expect(identifier("p", "--input", "--quiet") == "usage.missing-value")
    #expect(identifier("p", "--input", "x", "--quiet=yes") == "usage.unwanted-value")
    #expect(identifier("p", "--input", "x", "--input", "y") == "usage.repeated")
    #expect(identifier("p", "q", "r", "--input", "x") == "usage.unexpected-argument")
    #expect(identifier("--input", "x") == "usage.missing-argument")
    #expect(identifier("p") == "usage.missing-option")
  }

  @Test func suggestsTheClosestOption() {
    #expect(notes("p", "--inptu", "x").contains("did you mean '--input'?"))
    #expect(notes("p", "--ouput", "x").contains("did you mean '--output'?"))
    #expect(!notes("p", "--zzzzzzz", "x").contains { $0.hasPrefix("did you mean") })
  }

  @Test func readsNumbersInRange() throws {
    #expect(try parsed("p", "--input", "x", "--limit", "12").integer("limit", in: 1...100) == 12)
    #expect(try parsed("p", "--input", "x").integer("limit", in: 1...100) == nil)
    for text in ["0", "101", "x", "", "1.5", "99999999999999999999"] {
      let arguments = try parsed("p", "--input", "x", "--limit=\(text)")
      #expect(throws: Diagnostic.self) { try arguments.integer("limit", in: 1...100) }
    }
  }

  @Test func readsChoices() throws {
    #expect(try parsed("p", "--input", "x", "--mode", "fast").choice("mode", of: ["fast", "slow"]) == "fast")
    let wrong = try parsed("p", "--input", "x", "--mode", "fats")
    do throws(Diagnostic) {
      _ = try wrong.choice("mode", of: ["fast", "slow"])
      Issue.record("accepted")
    } catch {
      #expect(error.id == "usage.value")
      #expect(error.notes == ["did you mean 'fast'?"])
    }
  }

  @Test func helpNamesEverything() throws {
    guard case .help(let text) = try spec.parse(["p", "--help"]) else {
      Issue.record("expected help")
      return
    }
    for part in [
      "tool run: runs a thing", "FILE", "[MORE]", "--input X.npy", "-o, --output FILE", "(required)",
      "tool run a --input b.npy", "The end.", "-h, --help",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    #expect(text.hasSuffix("\n"))
  }

  @Test func programFindsItsCommand() throws {
    let program = ProgramSpec(name: "tool", summary: "does things", commands: [spec])
    guard case .run(let command, let arguments) = try program.parse(["run", "p", "--input", "x"]) else {
      Issue.record("expected a command")
      return
    }
    #expect(command == spec)
    #expect(arguments.value("input") == "x")
    #expect(try program.parse(["--help"]) == .help(program.help))
    #expect(try program.parse(["help", "run"]) == .help(spec.help))
    #expect(try program.parse(["run", "-h"]) == .help(spec.help))
    for (words, id) in [([], "usage.missing-command"), (["rnu"], "usage.unknown-command")] {
      do throws(Diagnostic) {
        _ = try program.parse(words)
        Issue.record("accepted")
      } catch {
        #expect(error.id == id)
        #expect(ExitStatus(for: error) == .usage)
      }
    }
  }

  @Test func statusFollowsTheIdentifier() {
    #expect(ExitStatus(for: Diagnostic("usage.value", "")) == .usage)
    #expect(ExitStatus(for: Diagnostic("internal.pass", "")) == .internalError)
    #expect(ExitStatus(for: Diagnostic("program.magic", "")) == .failure)
    let list = DiagnosticList([Diagnostic("a.b", "", severity: .warning), Diagnostic("usage.value", "")])
    #expect(ExitStatus(for: list) == .usage)
    #expect(ExitStatus(for: DiagnosticList([Diagnostic("a.b", "", severity: .note)])) == .success)
  }

  /// What is wrong with the value of an option is a mistake of usage; what is wrong in a file that it names is not.
  @Test func aWrongValueOfAnOptionIsAMistakeOfUsage() {
    let found = Diagnostic("pass.unknown", "unknown", at: Location(.text(TextPosition(line: 1, column: 4))))
    #expect(ExitStatus(for: found) == .failure && ExitStatus(for: found.inOption("set")) == .usage)
    #expect(found.inOption("set").description == "--set:1:4: error: unknown [pass.unknown]")
    #expect(ExitStatus(for: found.inFile("a.json").inOption("target")) == .failure)
  }

  @Test func unsignedNumbersTakeAll64Bits() throws {
    let spec = CommandSpec(name: "tool", summary: "", options: [OptionSpec("seed", value: "S", "")])
    func seed(_ text: String) throws(Diagnostic) -> UInt64? {
      guard case .run(_, let arguments) = try spec.parse(["--seed", text]) else { return nil }
      return try arguments.unsigned("seed")
    }
    #expect(try seed("18446744073709551615") == .max && seed("0") == 0)
    for text in ["18446744073709551616", "-1", "0x1", "1.0", ""] {
      do throws(Diagnostic) {
        _ = try seed(text)
        Issue.record("accepted '\(text)'")
      } catch {
        #expect(error.id == "usage.value" && error.message.contains("0 ... 18446744073709551615"))
      }
    }
  }

  /// The help lists the verb of today alone.
  @Test func aFormerVerbStillCallsItsCommandWithOneWarning() throws {
    let program = ProgramSpec(
      name: "tool", summary: "does things",
      commands: [
        CommandSpec(name: "tool go", formerVerb: "walk", summary: "goes"),
        CommandSpec(name: "tool stay", summary: "stays"),
      ])
    guard case .run(let command, let arguments) = try program.parse(["walk"]) else {
      Issue.record("expected arguments")
      return
    }
    #expect(command.name == "tool go" && arguments.warnings.map(\.id) == ["usage.renamed"])
    #expect(arguments.warnings.first?.severity == .warning)
    #expect(arguments.warnings.first?.message.contains("'tool walk' is now 'tool go'") == true)
    for verb in ["go", "stay"] {
      guard case .run(_, let arguments) = try program.parse([verb]) else { continue }
      #expect(arguments.warnings.isEmpty)
    }
    guard case .help(let text) = try program.parse(["--help"]) else { return }
    #expect(text.contains("go") && !text.contains("walk"))
  }
}
