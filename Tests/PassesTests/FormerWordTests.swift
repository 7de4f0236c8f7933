import CodeGen
import IR
import Passes
import Support
import Testing

/// Keywords of options that were renamed are still read from command lines.
@Suite("Former words of options")
struct FormerWordTests {
  static let renamed = [
    ("place-blocks(packing: exclusive)", "place-blocks(packing: exclusive)"),
    ("place-blocks(packing: side-by-side)", "place-blocks(packing: side-by-side)"),
    ("place-blocks(packing: stacked)", "place-blocks(packing: stacked)"),
    ("place-blocks(packing: shelf)", "place-blocks(packing: shelf)"),
    ("quantize(fit: mse)", "quantize(fit: mse)"),
    ("quantize(signed: two-pass)", "quantize(signed: two-pass)"),
    ("form-units(units: zero-skipping)", "form-units(units: zero-skipping)"),
    ("cluster-columns(order: original)", "cluster-columns(order: original)"),
  ]

  @Test(arguments: renamed) func commandLinesGetTheWordOfTodayAndAWarning(_ former: String, _ today: String)
    throws
  {
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
    #expect(found == Set(Self.renamed.map(\.0)))
  }
}
