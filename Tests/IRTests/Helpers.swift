import IR
import Support
import TestSupport
import Testing

/// Expects `body` to throw a diagnostic with this id whose message holds `words`; returns it.
@discardableResult
func expectFailure(
  _ id: String, _ words: String = "", _ place: SourceLocation = #_sourceLocation,
  _ body: () throws(Diagnostic) -> Void
) -> Diagnostic? {
  do throws(Diagnostic) {
    try body()
    Issue.record("expected \(id), nothing was thrown", sourceLocation: place)
    return nil
  } catch {
    #expect(error.id == id, sourceLocation: place)
    #expect(error.message.contains(words), "\(error.message)", sourceLocation: place)
    #expect(error.message.last != ".", sourceLocation: place)
    return error
  }
}

/// Expects that `text` does not parse.
@discardableResult
func expectParseFailure(
  _ id: String, _ words: String = "", _ text: String, _ place: SourceLocation = #_sourceLocation
) -> Diagnostic? {
  expectFailure(id, words, place) { () throws(Diagnostic) in _ = try parseModule(text) }
}

/// A module of the tensor level with these lines between its braces.
func tensorText(_ body: String, facts: String = "") -> String {
  "xir 2\nmodule @m level tensor facts [\(facts)] {\n\(body)\n}\n"
}

/// A module of the crossbar level with these lines between its braces.
func crossbarText(_ body: String, facts: String = "") -> String {
  "xir 2\nmodule @m level crossbar facts [\(facts)] {\n\(body)\n}\n"
}

/// The attribute that `text` stands for, by way of a pipeline's option.
func attribute(_ text: String) throws(Diagnostic) -> Attribute {
  let calls = try parsePipeline("p(a: \(text))")
  guard let option = calls.first?.options.first else { throw Diagnostic("test.none", "no option") }
  return option.value
}

/// Parses what a module prints, taking its large constants from itself.
func reparsed<L: Level>(_ module: Module<L>) throws(Diagnostic) -> AnyModule {
  try parseModule(module.text) { module.resource($0)?.tensor }
}

/// Expects that a module prints to a text that parses to the same module and prints the same.
func expectRoundTrip<L: Level>(_ module: Module<L>, _ place: SourceLocation = #_sourceLocation) {
  do throws(Diagnostic) {
    let again = try reparsed(module)
    #expect(again.text == module.text, sourceLocation: place)
    let alone = try parseModule(module.text(resources: .text))
    #expect(
      alone.text(resources: .text) == module.text(resources: .text), "\(module.text)", sourceLocation: place)
    #expect(isSame(again, AnyModule(module)), "\(module.text)", sourceLocation: place)
  } catch {
    Issue.record("\(error)\n\(module.text)", sourceLocation: place)
  }
}
