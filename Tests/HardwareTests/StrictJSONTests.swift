import Hardware
import Support
import Testing

@Suite struct StrictJSONTests {
  private func value(_ text: String) throws -> JSONNode.Value {
    try JSONNode(parsing: Array(text.utf8)).value
  }

  @Test func readsScalars() throws {
    let cases: [(String, JSONNode.Value)] = [
      ("null", .null), (" true\n", .boolean(true)), ("false", .boolean(false)), ("0", .number(0)),
      ("-0.5e-3", .number(-0.0005)), ("1E+2", .number(100)),
      ("12345678901234567168", .number(12345678901234567168)),
      ("\"\"", .string("")), ("\"a\\n\\\"\\u00e9\\ud83d\\uDE00/\\/\"", .string("a\n\"é😀//")),
      ("\"é😀\"", .string("é😀")),
      ("1e-400", .number(0)),
    ]
    for (text, expected) in cases { #expect(try value(text) == expected, "\(text)") }
  }

  @Test func readsContainers() throws {
    guard case .array(let list) = try value("[1, [], {} ]"),
      case .object(let members) = try value("{ \"b\" : 1 ,\n \"a\":[2]}")
    else {
      Issue.record("other kinds")
      return
    }
    #expect(list.map(\.kind) == ["a number", "a list", "an object"])
    #expect(members.map(\.key) == ["b", "a"])
    #expect(members[1].position == TextPosition(line: 2, column: 2))
    #expect(members[1].node.position == TextPosition(line: 2, column: 6))
  }

  @Test(arguments: [
    "", " ", "{", "[", "]", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1,\"a\":1}", "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "NaN", "Infinity", "1e999",
    "-1e999", "tru",
    "nul", "True", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"a\nb\"", "\"\t\"", "'a'", "1 2", "{} {}", "// c\n1", "\u{FEFF}1", "{\"a\":1,\"\\u0061\":2}",
  ])
  func refuses(_ text: String) { #expect(throws: JSONError.self) { try value(text) } }

  @Test func refusesBadUTF8AndDeepNesting() {
    for bytes in [[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]] {
      #expect(throws: JSONError.self) { try JSONNode(parsing: bytes) }
    }
    #expect(throws: Never.self) {
      try value(String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
    }
    #expect(throws: JSONError.self) { try value(String(repeating: "[", count: 100_000)) }
    #expect(throws: JSONError.self) { try value(String(repeating: "{\"a\":", count: 100_000)) }
  }

  @Test func standsNoise() {
    var random = SeededGenerator(seed: 5)
    let letters = Array("{}[]\",:\\u0019eE.+-truefalsn \n".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<random.below(30)).map { _ in letters[random.below(letters.count)] }
      do throws(JSONError) {
        _ = try JSONNode(parsing: bytes)
      } catch {
        #expect(
          error.position.line >= 1 && error.position.column >= 1 && error.position.column <= bytes.count + 1)
      }
    }
  }
}
