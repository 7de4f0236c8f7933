import Report
import Support
import Testing

private func failure(_ text: String) -> Diagnostic? {
  do throws(Diagnostic) {
    _ = try JSON(parsing: text)
    return nil
  } catch { return error }
}

@Suite struct JSONTests {
  @Test func encodesInOrder() {
    let value: JSON = [
      "b": 1, "a": [1, 2.5, true], "list": [["x": 1], []], "none": .null, "empty": [:],
      "text": "a\"\\\n\u{1}é",
    ]
    let expected = """
      {
        "b": 1,
        "a": [1, 2.5, true],
        "list": [
          {
            "x": 1
          },
          []
        ],
        "none": null,
        "empty": {},
        "text": "a\\"\\\\\\n\\u0001é"
      }

      """
    #expect(value.encoded == expected)
  }

  @Test func encodesOnOneLine() {
    let value: JSON = [
      "b": 1, "a": [1, 2.5, [["x": .null]]], "empty": [:], "none": [], "text": "a\"\\\n\u{1}é",
    ]
    let expected =
      #"{"b": 1, "a": [1, 2.5, [{"x": null}]], "empty": {}, "none": [], "text": "a\"\\\n\u0001é"}"#
    #expect(value.line == expected)
    #expect(JSON.double(.nan).line == "null" && JSON.bool(true).line == "true")
  }

  @Test func readsBackWhatItWrites() throws {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<300 {
      let value = sample(&random, depth: 0)
      #expect(try JSON(parsing: value.encoded) == value)
      #expect(try JSON(parsing: value.line) == value)
      #expect(!value.line.utf8.contains(0x0A))
    }
  }

  @Test func numbersAreExact() throws {
    #expect(try JSON(parsing: "9223372036854775807") == .integer(.max))
    #expect(try JSON(parsing: "-9223372036854775808") == .integer(.min))
    #expect(try JSON(parsing: "9223372036854775808") == .double(0x1p63))
    #expect(try JSON(parsing: "0.1").number == 0.1)
    #expect(try JSON(parsing: "1e-400").number == 0)
    #expect(JSON.double(0.1).encoded == "0.1\n")
    #expect(JSON.double(1e300).encoded == "1e+300\n")
    #expect(JSON.double(.infinity).encoded == "null\n")
  }

  @Test func readsEscapes() throws {
    #expect(try JSON(parsing: #""\u00e9\ud83d\ude00\/\b\f\t""#).text == "é😀/\u{8}\u{C}\t")
  }

  @Test func accessors() throws {
    let value = try JSON(parsing: #" { "a" : [ 1 , "x" , false , 2.5 ] } "#)
    #expect(value["a"]?.elements?.count == 4)
    #expect(value["a"]?.elements?[0].integer == 1)
    #expect(value["a"]?.elements?[0].number == 1)
    #expect(value["a"]?.elements?[1].text == "x")
    #expect(value["a"]?.elements?[2].boolean == false)
    #expect(value["b"] == nil)
    #expect(value.members?.map(\.key) == ["a"])
    #expect(value.text == nil && value.integer == nil && value.elements == nil && value.boolean == nil)
  }

  @Test(arguments: [
    "", "{", "[1,", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "01", "-", "1.", "1e", "+1", ".5", "nul",
    "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u+123\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\u{1}\"",
    "1 2",
    "[1}", "{\"a\":1,\"a\":2}", "1e999", "'a'", "NaN", "\"\\udc00\"",
  ])
  func refuses(_ text: String) {
    #expect(failure(text)?.id == "json.syntax")
  }

  @Test func saysWhere() {
    let error = failure("{\n  \"a\": 1,\n  \"b\": x\n}")
    #expect(error?.location.place == .text(TextPosition(line: 3, column: 8)))
  }

  @Test func limitsDepth() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try JSON(parsing: nested(60)) }
    #expect(failure(nested(70))?.message == "nested deeper than 64")
    #expect(failure(String(repeating: "[", count: 100_000)) != nil)
  }

  @Test func refusesBadUTF8() {
    let bytes: [UInt8] = [0x22, 0xFF, 0x22]
    #expect(throws: Diagnostic.self) { try bytes.withUnsafeBytes { try JSON(parsing: $0, file: "f") } }
  }

  @Test func mutationsNeverTrap() {
    let original = Array(#"{"a": [1, -2.5e3, "x\u00e9\n", true, null], "b": {"c": ""}}"#.utf8)
    var random = SeededGenerator(seed: 9)
    for _ in 0..<2000 {
      var bytes = original
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      _ = try? bytes.withUnsafeBytes { try JSON(parsing: $0, file: "f") }
    }
  }

  private func sample(_ random: inout SeededGenerator, depth: Int) -> JSON {
    switch random.below(depth > 3 ? 5 : 7) {
    case 0: return .null
    case 1: return .bool(random.chance(0.5))
    case 2: return .integer(Int(truncatingIfNeeded: random.next()))
    case 3: return .double((random.unit() - 0.5) * 1e10)
    case 4:
      return .string(
        String((0..<random.below(6)).map { _ in Character(Unicode.Scalar(UInt8(random.below(128)))) }))
    case 5: return .array((0..<random.below(4)).map { _ in sample(&random, depth: depth + 1) })
    default:
      return .object((0..<random.below(4)).map { JSON.Member("k\($0)", sample(&random, depth: depth + 1)) })
    }
  }
}
