import IR
import Evaluator
import Support
import Tensors
import TestSupport

/// Why `text` breaks the laws of texts, or nil: it is refused with a diagnostic, or the module prints and parses to
/// the same; a module that verifies and is small evaluates on zeros or is refused.
func brokenLaw(_ text: String) -> String? {
  guard let module = try? parseModule(text) else { return nil }
  let printed = module.text
  do {
    let again = try parseModule(printed)
    if again.text != printed { return "prints to another text the second time:\n\(printed)\n\(again.text)" }
    if !isSame(module, again) { return "parses to another module the second time:\n\(printed)" }
  } catch {
    return "does not parse again: \(error)\n\(printed)"
  }
  if verify(module).isEmpty, isSmall(module) {
    let inputs = inputShapes(of: module).map { shape in
      Tensor(shape, [Float](repeating: 0, count: shape.reduce(1, *)))
    }
    _ = try? evaluation(of: module, inputs)
  }
  return nil
}

/// Whether a module can be evaluated in a moment.
private func isSmall(_ module: AnyModule) -> Bool {
  func isSmall<L: Level>(_ module: Module<L>) -> Bool {
    var total = 0
    for value in module.values.elements {
      guard let count = checkedProduct(value.type.shape ?? []), count < 1 << 16 else { return false }
      total += count
    }
    for op in module.flatOps {
      if op.opcode == .scan && op[.rounds] > 64 { return false }
      guard let window = op.window else { continue }
      guard window.positions < 1 << 12, window.length < 1 << 12 else { return false }
    }
    return total < 1 << 18
  }
  switch module {
  case .tensor(let module): return isSmall(module)
  case .crossbar(let module): return isSmall(module)
  case .program: return false
  }
}

/// Changes a text in one to three places: letters, words, numbers, lines.
struct Mutator {
  private var generator: SeededGenerator
  private static let words = [
    "0", "1", "-1", "7", "63", "64", "4096", "2147483647", "2147483648", "9223372036854775807",
    "-9223372036854775808", "99999999999999999999", "1e39", "1.5", "inf", "nan", "u1", "i64", "u63", "f32",
    "x",
    "[", "]", "{", "}", "(", ")", ",", "\"", "%", "@", "#", "..", "<<", "//", "*x", "conv", "gemm", "layer",
    "block",
    "repeat", "loop", "state", "step", "next", "stack", "window", "mvm", "relu", "tensor", "crossbar",
    "program", "shaped", "sliced", "0..16777215",
    "1073741824x1073741824xf32", "rows(0..70)", "columns(0 x [+63])", "fixed(1x1)", "dynamic(4096x4096)",
    "4294967296", "-1x2", "1x1x1x1",
  ]

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A changed copy of `text`.
  mutating func mutate(_ text: String) -> String {
    var bytes = Array(text.utf8)
    for _ in 0..<generator.inside(1...3) { change(&bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    let at = generator.below(bytes.count)
    switch generator.below(6) {
    case 0: bytes[at] = UInt8(generator.inside(32...126))
    case 1: bytes.removeSubrange(at..<min(bytes.count, at + generator.inside(1...6)))
    case 2: bytes.insert(contentsOf: word(), at: at)
    case 3: replaceLine(&bytes, at)
    default: replaceWord(&bytes, at)
    }
  }

  private mutating func word() -> [UInt8] { Array(Self.words[generator.below(Self.words.count)].utf8) }

  /// Replaces the word around `at`, or the next number behind it.
  private mutating func replaceWord(_ bytes: inout [UInt8], _ at: Int) {
    func isWord(_ byte: UInt8) -> Bool {
      Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
    }
    var (start, end) = (at, at)
    if generator.chance(0.5), let digit = bytes[at...].firstIndex(where: { (48...57).contains($0) }) {
      (start, end) = (digit, digit)
    }
    while start > 0 && isWord(bytes[start - 1]) { start -= 1 }
    while end < bytes.count && isWord(bytes[end]) { end += 1 }
    bytes.replaceSubrange(start..<end, with: word())
  }

  /// Removes the line around `at`, or writes it twice.
  private mutating func replaceLine(_ bytes: inout [UInt8], _ at: Int) {
    let newline = UInt8(ascii: "\n")
    let start = bytes[..<at].lastIndex(of: newline).map { $0 + 1 } ?? 0
    let end = bytes[at...].firstIndex(of: newline).map { $0 + 1 } ?? bytes.count
    let line = Array(bytes[start..<end])
    bytes.replaceSubrange(start..<end, with: generator.chance(0.5) ? [] : line + line)
  }
}
