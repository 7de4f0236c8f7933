import IR
import Support
import Testing

/// Words, numbers, names and places, seen through the parsers that use them.
@Suite struct LexerTests {
  @Test func namesKeepLettersDigitsAndSingleDots() throws {
    for name in ["a", "0", "_", "a.b", "a-b", "16x16", "conv1.weights.2", "_.x", "a.-"] {
      let text = tensorText("%\(name) = input [name: \"x\"] : tensor<1xf32>")
      #expect(
        try parseModule(text).text
          == "xir 2\nmodule @m level tensor facts [] {\n  %\(name) = input [name: \"x\"] : tensor<1xf32>\n}\n"
      )
    }
  }

  @Test(arguments: ["a.", "a..b", ".a", "-a", "", "ä", "a b", "a/b", "%a"])
  func otherNamesAreRefused(name: String) {
    #expect(throws: Diagnostic.self) {
      try parseModule(tensorText("%\(name) = input [name: \"x\"] : tensor<1xf32>"))
    }
  }

  @Test(arguments: [
    ("conv/1:x", "conv_1_x"), ("", "_"), (".x", "_.x"), ("-x", "_-x"), ("a..b", "a_.b"), ("a.", "a_"),
    ("...", "____"),
    ("größe", "gr__e"), ("a b", "a_b"), ("x.y-z_0", "x.y-z_0"),
  ])
  func sanitizedNamesCanBeRead(name: String, expected: String) throws {
    #expect(sanitize(name) == expected)
    #expect(sanitize(expected) == expected)
    _ = try parseModule("xir 2\nmodule @\(expected) level tensor facts [] {}")
  }

  @Test func sanitizedRandomNamesCanBeRead() throws {
    var random = SeededGenerator(seed: 11)
    let letters: [Character] = ["a", "Z", "0", "_", ".", ".", "-", "/", " ", "é", "\n", "\""]
    for _ in 0..<500 {
      let name = String((0..<random.below(6)).map { _ in letters[random.below(letters.count)] })
      let clean = sanitize(name)
      #expect(sanitize(clean) == clean)
      let module = try parseModule("xir 2\nmodule @\(clean) level tensor facts [] {}")
      #expect(module.text == "xir 2\nmodule @\(clean) level tensor facts [] {\n}\n")
      // Passes join names with a dot.
      _ = try parseModule("xir 2\nmodule @\(clean).\(clean) level tensor facts [] {}")
    }
  }

  @Test(arguments: [
    ("0", Attribute.int(0)), ("-0", .int(0)), ("9223372036854775807", .int(.max)),
    ("-9223372036854775808", .int(.min)),
    ("1.5", .float(1.5)), ("-0.0", .float(-0.0)), ("1e3", .float(1000)), ("1e+3", .float(1000)),
    ("1.5e-3", .float(0.0015)),
    ("inf", .float(.infinity)), ("-inf", .float(-.infinity)), ("nan", .float(.nan)), ("1e-60", .float(0)),
    ("true", .word("true")), ("twos-complement", .word("twos-complement")),
    ("\"a\\\"b\\\\c\\n\\t\\r\"", .string("a\"b\\c\n\t\r")),
    ("\"\\u{1B}[0m\\u{202e}\"", .string("\u{1B}[0m\u{202E}")),
    ("@a.b", .symbol("a.b")), ("#a.b", .resource("a.b")), ("[]", .list([])),
    ("[1, [2.0,],]", .list([.int(1), .list([.float(2)])])),
    ("\"größe\"", .string("größe")),
  ])
  func valuesAreRead(text: String, value: Attribute) throws {
    #expect(try attribute(text) == value)
  }

  @Test(arguments: [
    "9223372036854775808", "-9223372036854775809", "1e39", "-1e39", "1.", ".5", "+1", "--1", "1..2", "\"",
    "\"a\nb\"", "\"\\x\"",
    "\"\\", "@", "#", "%", "&", "[1", "[1 2]", "-nan", "- inf 1", "",
  ])
  func badValuesAreRefused(text: String) {
    #expect(throws: Diagnostic.self) { try attribute(text) }
  }

  @Test func placesCountLinesAndBytes() {
    let error = expectParseFailure(
      "text.character", "", "xir 2\nmodule @m level tensor facts [] {\n  // ä\n\t%ä = input\n}")
    #expect(error?.location == Location(.text(TextPosition(line: 4, column: 3, length: 1))))
    let name = expectParseFailure("text.opcode", "", tensorText("  // größe\n  %x = inputt [name: \"é\"]"))
    #expect(name?.location == Location(.text(TextPosition(line: 4, column: 8, length: 6))))
    #expect(name?.notes == ["did you mean 'input'?"])
  }

  @Test func theFileStandsInTheMessage() {
    let error = expectFailure("text.version") { () throws(Diagnostic) in
      _ = try parseModule("x", file: "a.xir")
    }
    #expect(error?.description.hasPrefix("a.xir:1:1: error: ") == true)
  }

  @Test func commentsReachToTheEndOfTheLine() throws {
    #expect(try attribute("// a ]\n 1 // b\n") == .int(1))
    #expect(try attribute("\"// no comment\"") == .string("// no comment"))
  }
}
