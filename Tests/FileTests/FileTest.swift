import Foundation
import Mapping
import Support
import Testing

/// The folder of these tests.
let testFolder = URL(filePath: #filePath).deletingLastPathComponent()
/// The root of the repository.
let repository = testFolder.deletingLastPathComponent().deletingLastPathComponent()
/// Whether expected outputs are rewritten instead of compared.
let updatesGoldens = ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1"

/// What a `// test:` line asks for; `readme.xir` describes each.
enum Command: Equatable, Sendable {
  case roundTrip, verify, encode, disassemble
  case opt(String)
  case eval(Evaluated)
  case run(Evaluated)

  /// Reads what stands behind `// test:`; nil for an unknown command.
  init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 1).map(String.init)
    let rest = words.count > 1 ? words[1] : ""
    switch words.first {
    case "round-trip": self = .roundTrip
    case "verify": self = .verify
    case "encode": self = .encode
    case "disassemble": self = .disassemble
    case "opt": self = .opt(rest)
    case "eval", "run":
      guard let evaluated = Evaluated(rest) else { return nil }
      self = words.first == "run" ? .run(evaluated) : .eval(evaluated)
    default: return nil
    }
  }
}

/// What stands behind `eval` and `run`: `[within TOLERANCE] [after PIPELINE] [counting EVENT N, ...]`.
struct Evaluated: Equatable, Sendable {
  /// The passes before the second evaluation, if there is one.
  var pipeline: String?
  /// How far an output may be off after the passes.
  var tolerance: Float = 0
  /// Events of all layers that a program must have, by name.
  var counts: [String: Int] = [:]

  init?(_ text: String) {
    var rest = Substring(text)
    if rest.hasPrefix("within ") {
      let parts = rest.dropFirst(7).split(separator: " ", maxSplits: 1)
      guard let number = parts.first, let value = Float(number) else { return nil }
      tolerance = value
      rest = parts.count > 1 ? parts[1] : ""
    }
    if let at = rest.range(of: "counting ") {
      for count in rest[at.upperBound...].split(separator: ",") {
        let parts = count.split(separator: " ")
        guard parts.count == 2, let value = Int(parts[1]) else { return nil }
        counts[String(parts[0])] = value
      }
      rest = rest[..<at.lowerBound]
    }
    while rest.last == " " { rest.removeLast() }
    if rest.isEmpty { return }
    guard rest.hasPrefix("after ") else { return nil }
    pipeline = String(rest.dropFirst(6))
  }
}

/// An error that a section expects: `// error: id: words` behind the code it is about, or on a line of its own.
struct ExpectedError: Sendable {
  let id: String
  let words: String
  /// The line, counted from 1.
  let line: Int

  /// Whether `found` is this error; `codeLines` are the lines of the file that hold code.
  func matches(_ found: Diagnostic, codeLines: Set<Int>) -> Bool {
    guard found.id == id, found.message.contains(words) else { return false }
    let isAlone = !codeLines.contains(line)
    guard case .text(let position) = found.location.place else { return isAlone }
    let next = codeLines.filter { $0 > line }.min()
    return position.line == line || (isAlone && (!codeLines.contains(position.line) || position.line == next))
  }
}

/// One sample of `eval`: the inputs, the outputs and the conversions that saturated.
struct Sample: Equatable, Sendable {
  var inputs: [[Float]] = []
  var outputs: [String] = []
}

/// A module of a file with what is expected of it.
struct Section: Sendable {
  /// The line before its first one.
  let before: Int
  /// Its lines up to `// expect:`.
  var lines: [String]
  /// What stands behind `// expect:`, without the comment signs.
  var expected: [String]?

  /// The text with as many empty lines in front that its lines have their numbers of the file.
  var text: String { String(repeating: "\n", count: before) + lines.joined(separator: "\n") + "\n" }

  /// Replaces the code by `text`; what stands before and after it stays.
  mutating func setCode(_ text: String) {
    let isCode = lines.map { !splitComment($0).code.isEmpty }
    guard let first = isCode.firstIndex(of: true), let last = isCode.lastIndex(of: true) else { return }
    lines.replaceSubrange(first...last, with: text.split(separator: "\n").map(String.init))
  }

  /// The lines without comments, without trailing blanks and without empty ones.
  var code: [String] {
    lines.map { splitComment($0).code }.filter { !$0.isEmpty }
  }

  /// The numbers of the lines that hold code.
  var codeLines: Set<Int> {
    Set(lines.indices.filter { !splitComment(lines[$0]).code.isEmpty }.map { before + $0 + 1 })
  }

  /// The errors that are expected.
  var errors: [ExpectedError] {
    lines.enumerated().compactMap { number, line in
      guard let text = splitComment(line).comment, text.hasPrefix("error: ") else { return nil }
      let parts = text.dropFirst(7).split(separator: ":", maxSplits: 1)
      let words = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
      return ExpectedError(id: String(parts.first ?? ""), words: words, line: before + number + 1)
    }
  }

  /// What stands behind comments that start with `key:`.
  func values(_ key: String) -> [String] {
    lines.compactMap { line in
      guard let text = splitComment(line).comment, text.hasPrefix("\(key):") else { return nil }
      return text.dropFirst(key.count + 1).trimmingCharacters(in: .whitespaces)
    }
  }

  /// How many graph inputs the module has, and each sample with it.
  private var inputCount: Int { max(1, code.filter { $0.contains(" = input ") }.count) }

  /// The samples: a line for each graph input, and the results that follow.
  var samples: [Sample] {
    var samples: [Sample] = []
    for line in lines {
      guard let text = splitComment(line).comment else { continue }
      if text.hasPrefix("in:") {
        if samples.last.map({ $0.inputs.count == inputCount }) ?? true { samples.append(Sample()) }
        samples[samples.count - 1].inputs.append(numbers(text.dropFirst(3)))
      } else if isResult(text), !samples.isEmpty {
        samples[samples.count - 1].outputs.append(text)
      }
    }
    return samples
  }

  /// Replaces the result lines behind the inputs of each sample.
  mutating func setResults(_ results: [[String]]) {
    let count = inputCount
    var inputs = 0
    var new: [String] = []
    for line in lines {
      let text = splitComment(line).comment ?? ""
      if !isResult(text) { new.append(line) }
      guard text.hasPrefix("in:") else { continue }
      inputs += 1
      if inputs % count == 0 { new += results[inputs / count - 1].map { "// \($0)" } }
    }
    lines = new
  }
}

private func isResult(_ comment: String) -> Bool {
  comment.hasPrefix("out:") || comment.hasPrefix("saturated:")
}

/// The floats of `[1, 2.5]`.
private func numbers(_ text: Substring) -> [Float] {
  text.split { "[], ".contains($0) }.map { Float($0) ?? .nan }
}

/// The code of a line without trailing blanks, and its comment without the sign and the blank behind it.
func splitComment(_ line: String) -> (code: String, comment: String?) {
  var inString = false
  var previous: Character = " "
  var at = line.startIndex
  while at < line.endIndex {
    let character = line[at]
    if character == "\"" && previous != "\\" { inString.toggle() }
    if character == "/" && previous == "/" && !inString {
      let code = line[..<line.index(before: at)]
      let comment = line[line.index(after: at)...]
      return (trimmedEnd(code), comment.hasPrefix(" ") ? String(comment.dropFirst()) : String(comment))
    }
    previous = character
    at = line.index(after: at)
  }
  return (trimmedEnd(line[...]), nil)
}

private func trimmedEnd(_ text: Substring) -> String {
  var text = text
  while let last = text.last, last == " " { text.removeLast() }
  return String(text)
}

/// A file with commands and sections.
struct FileTest: Sendable, CustomTestStringConvertible {
  /// The path below the folder of these tests, or the name of a code block.
  let name: String
  var commands: [Command]
  /// Lines behind `// test:` that are no command.
  var unknown: [String]
  var sections: [Section]

  var testDescription: String { name }

  /// Cuts `text` at lines `// -----`; `firstLine` is the number of its first line.
  init(name: String, text: String, firstLine: Int = 1) {
    self.name = name
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let header = lines.prefix { $0.isEmpty || $0.hasPrefix("//") }
    let asked = header.filter { $0.hasPrefix("// test: ") }.map { String($0.dropFirst(9)) }
    commands = asked.compactMap { Command($0) }
    unknown = asked.filter { Command($0) == nil }
    sections = []
    var start = 0
    for (number, line) in lines.enumerated() where line == "// -----" {
      sections.append(FileTest.section(lines[start..<number], before: firstLine - 1 + start))
      start = number + 1
    }
    let rest = lines.last == "" ? lines.dropLast() : lines[...]
    sections.append(FileTest.section(rest[start...], before: firstLine - 1 + start))
  }

  private static func section(_ lines: ArraySlice<String>, before: Int) -> Section {
    guard let at = lines.firstIndex(of: "// expect:") else {
      return Section(before: before, lines: Array(lines), expected: nil)
    }
    let expected = lines[(at + 1)...].map { $0.hasPrefix("// ") ? String($0.dropFirst(3)) : "" }
    return Section(before: before, lines: Array(lines[..<at]), expected: expected)
  }

  /// The text of the file.
  var text: String {
    sections.map { section in
      var lines = section.lines
      if let expected = section.expected {
        lines += ["// expect:"] + expected.map { $0.isEmpty ? "//" : "// \($0)" }
      }
      return lines.joined(separator: "\n") + "\n"
    }.joined(separator: "// -----\n")
  }

  /// All `.xir` files, in the order of their names.
  static let all: [FileTest] = {
    let found =
      FileManager.default.enumerator(at: testFolder, includingPropertiesForKeys: nil)?
      .compactMap { $0 as? URL }.filter { $0.pathExtension == "xir" } ?? []
    return found.map(\.standardizedFileURL.path).sorted().map { path in
      let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
      let name = path.dropFirst(testFolder.standardizedFileURL.path.count).drop { $0 == "/" }
      return FileTest(name: String(name), text: text)
    }
  }()
}
