import CodeGen
import IR
import Passes
import Support
import Testing

/// Keywords of options that were renamed are still read from command lines.
@Suite("Former words of options")
struct FormerWordTests {
  /// Pass, option, former word, word of today.
  static let renamed = [
    ("place-blocks", "packing", "alone", "exclusive"), ("place-blocks", "packing", "beside", "side-by-side"),
    ("place-blocks", "packing", "below", "stacked"), ("place-blocks", "packing", "rows", "shelf"),
    ("quantize", "fit", "squares", "mse"), ("quantize", "signed", "passes", "two-pass"),
    ("form-units", "units", "skipping", "zero-skipping"), ("cluster-columns", "order", "natural", "original"),
    ("plan-fetches", "order", "overlapped", "double-buffered"),
  ]

  @Test(arguments: renamed)
  func commandLinesGetTheWordOfTodayAndAWarning(pass: String, option: String, former: String, today: String)
    throws
  {
    let (former, today) = ("\(pass)(\(option): \(former))", "\(pass)(\(option): \(today))")
    var warnings: [Diagnostic] = []
    let calls = try PassRegistry.standard.pipeline(former, warnings: &warnings)
    #expect(calls.map(\.text) == [today])
    #expect(warnings.map(\.id) == ["usage.renamed"] && warnings.allSatisfy { $0.severity == .warning })
    #expect(try PassRegistry.standard.pipeline(today, warnings: &warnings).map(\.text) == [today])
    #expect(warnings.count == 1)
  }

  /// Lists and messages know the word of today alone.
  @Test func everyFormerWordIsTestedAndNoKeywordOfToday() throws {
    var found: Set<String> = []
    for entry in PassRegistry.standard.entries {
      for option in entry.options {
        for (former, today) in option.formerWords {
          #expect(option.kind.admits(.word(today)) && !option.kind.admits(.word(former)))
          found.insert("\(entry.name)(\(option.name): \(former))")
        }
      }
    }
    #expect(found == Set(Self.renamed.map { "\($0.0)(\($0.1): \($0.2))" }))
  }
}
