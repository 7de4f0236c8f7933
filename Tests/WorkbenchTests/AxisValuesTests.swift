import Support
import Testing

@testable import Workbench

private func texts(_ text: String, _ meaning: SpanMeaning = .nothing) throws(Diagnostic) -> [String] {
  try axisValues(text, of: "axis", span: meaning).map(\.text)
}

@Suite struct AxisValuesTests {
  @Test func listsKeepTheirOrderAndTheirWords() throws {
    #expect(try texts("10, 5,50") == ["10", "5", "50"])
    #expect(try texts("0.10,1e-3") == ["0.10", "1e-3"])
    let values = try axisValues("fixed,0.10", of: "axis", span: .nothing)
    #expect(values.map(\.number) == [nil, 0.1])
    #expect(AxisValue("nan").number == nil && AxisValue("inf").number == nil)
  }

  @Test(arguments: [
    ("0:0.3:0.05", ["0", "0.05", "0.1", "0.15", "0.2", "0.25", "0.3"]), ("1:3:1", ["1", "2", "3"]),
    ("0:1:0.3", ["0", "0.3", "0.6", "0.9"]), ("5:5:1", ["5"]), ("-1:1:1", ["-1", "0", "1"]),
    ("1e-3:3e-3:1e-3", ["0.001", "0.002", "0.003"]), ("0:1e3:5e2", ["0", "500", "1000"]),
    ("0.7:0.9:0.1", ["0.7", "0.8", "0.9"]),
  ]) func stepsAreDecimalNumbers(text: String, expected: [String]) throws {
    #expect(try texts(text) == expected)
  }

  /// Every value is the one that its text reads back to, so that a point equals the same value from a list.
  @Test func stepsAreWhatTheirTextsSay() throws {
    for text in ["0:3:0.01", "0.001:0.2:0.007", "1:2:0.125", "0:1:1e-3"] {
      for value in try axisValues(text, of: "axis", span: .nothing) {
        #expect(Double(value.text) == value.number && value.text.count <= 7, "\(value.text)")
      }
    }
  }

  @Test func spansMeanWhatTheAxisSays() throws {
    #expect(try texts("2..128", .powersOfTwo) == ["2", "4", "8", "16", "32", "64", "128"])
    #expect(try texts("3..20", .powersOfTwo) == ["4", "8", "16"])
    #expect(try texts("3..8", .wholeNumbers) == ["3", "4", "5", "6", "7", "8"])
    #expect(try texts("7..7", .wholeNumbers) == ["7"])
    #expect(try texts("2..8,9,100:200:50", .powersOfTwo) == ["2", "4", "8", "9", "100", "150", "200"])
  }

  @Test(arguments: [
    "", ",", "1,", "1,,2", "0:1", "0:1:", "0:1:0", "0:1:-1", "1:0:0.1", "0:1:2:3", "a:b:c", "0:nan:1",
    "0:inf:1",
    "1..", "..3", "1..2", "0:1e9:1", "1,1", "0.5,0.50", "0:1:0.5,0.5",
  ]) func refuses(text: String) {
    #expect(refusal { () throws(Diagnostic) in _ = try texts(text) }?.id == "sweep.values", "\(text)")
  }

  @Test func refusesSpansThatLeadNowhere() {
    for (text, meaning) in [
      ("8..2", SpanMeaning.powersOfTwo), ("5..7", .powersOfTwo), ("0..8", .powersOfTwo),
      ("a..8", .wholeNumbers),
      ("1..20000", .wholeNumbers), ("-4..4", .wholeNumbers), ("1...8", .wholeNumbers),
      ("1.5..3", .wholeNumbers),
    ] {
      let error = refusal { () throws(Diagnostic) in _ = try texts(text, meaning) }
      #expect(error?.id == "sweep.values", "\(text)")
    }
    let error = refusal { () throws(Diagnostic) in _ = try texts("x..y", .powersOfTwo) }
    #expect(error?.notes.first?.contains("axis=2..128") == true)
  }
}
