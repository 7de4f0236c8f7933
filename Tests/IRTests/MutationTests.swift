import IR
import Support
import TestSupport
import Testing

/// Changed texts are refused with a diagnostic, or parse to a module that prints and parses to the same; the verifier
/// never stops on what parses.
@Suite struct MutationTests {
  private static let words = [
    "0", "1", "-1", "7", "63", "64", "4096", "2147483648", "9223372036854775807", "-9223372036854775808",
    "1e39", "1.5", "inf",
    "nan", "u1", "i64", "u63", "f32", "x", "[", "]", "{", "}", "(", ")", ",", "\"", "%", "@", "#", "..", "<<",
    "//",
    "conv", "layer", "block", "repeat", "tensor", "crossbar", "program", "sliced", "placed", "rows(0..70)",
    "offset",
    "columns(0 x [+61])", "fixed(1x1)", "4294967296", "1x1x1x1", "a.b",
  ]

  private func mutate(_ text: String, _ random: inout SeededGenerator) -> String {
    var bytes = Array(text.utf8)
    for _ in 0..<random.inside(1...3) {
      guard !bytes.isEmpty else { break }
      let at = random.below(bytes.count)
      switch random.below(5) {
      case 0: bytes[at] = UInt8(random.inside(1...127))
      case 1: bytes.removeSubrange(at..<min(bytes.count, at + random.inside(1...9)))
      case 2: bytes.insert(contentsOf: random.pick(Self.words).utf8, at: at)
      case 3: bytes.append(contentsOf: bytes[at..<min(bytes.count, at + 30)])
      default:
        let end =
          bytes[at...].firstIndex { !(48...57).contains($0) && !(97...122).contains($0) } ?? bytes.count
        bytes.replaceSubrange(at..<end, with: random.pick(Self.words).utf8)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the mutation parsed.
  private func check<L: Level>(_ module: Module<L>, _ text: String) -> Bool {
    guard let mutated = try? parseModule(text, resources: { module.resource($0)?.tensor }) else {
      return false
    }
    let printed = mutated.text
    do {
      let again = try parseModule(printed) { name in mutated.resources.first { $0.name == name }?.tensor }
      #expect(again.text == printed)
      #expect(isSame(again, mutated), "\(printed)")
    } catch {
      Issue.record("\(error)\n\(printed)")
    }
    _ = verify(mutated)
    return true
  }

  @Test func mutationsOfRandomModules() {
    var random = SeededGenerator(seed: 9)
    var parsed = 0
    for number in 0..<2000 {
      if number % 2 == 0 {
        let module = random.tensorModule()
        parsed += check(module, mutate(module.text, &random)) ? 1 : 0
      } else {
        let module = random.crossbarModule()
        parsed += check(module, mutate(module.text, &random)) ? 1 : 0
      }
    }
    // Enough of both kinds, or the test says little.
    #expect(parsed > 100 && parsed < 1800, "\(parsed) mutations parsed")
  }

  @Test func everyPrefixIsRefusedOrParses() {
    var random = SeededGenerator(seed: 10)
    let module = random.crossbarModule()
    let bytes = Array(module.text.utf8)
    for end in 0..<min(bytes.count - 2, 1500) {
      #expect(throws: Diagnostic.self) {
        try parseModule(String(decoding: bytes[..<end], as: UTF8.self)) { module.resource($0)?.tensor }
      }
    }
  }

  @Test func noiseIsRefused() {
    var random = SeededGenerator(seed: 12)
    for _ in 0..<500 {
      let bytes = (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      #expect(throws: Diagnostic.self) { try parseModule(String(decoding: bytes, as: UTF8.self)) }
      #expect(throws: Diagnostic.self) {
        try parseModule("xir 2\nmodule @m level tensor facts [] {" + String(decoding: bytes, as: UTF8.self))
      }
    }
  }
}
