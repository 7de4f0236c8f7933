extension OptionSpec {
  /// `-o`, or nil.
  var shortForm: String? { short.map { "-\($0)" } }

  /// The name with its value, without dashes: `input X.npy`.
  var usage: String { value.map { "\(name) \($0)" } ?? name }

  /// As the help prints it: `-o, --output FILE`.
  var helpForm: String { "\(shortForm.map { "\($0), " } ?? "")--\(usage)" }

  /// What the option does, and whether it is needed or may be repeated.
  var helpText: String {
    let marks = [required ? "required" : nil, repeats ? "may be given again" : nil].compactMap { $0 }
    return marks.isEmpty ? help : "\(help) (\(marks.joined(separator: "; ")))"
  }
}

extension CommandSpec {
  /// One line that shows all arguments: `xbarrun PROGRAM.xbar --input X.npy [--quiet]`.
  public var usage: String {
    var words = [name]
    for spec in positionals { words.append(spec.required ? spec.name : "[\(spec.name)]") }
    for option in options {
      words.append(option.required ? "--\(option.usage)" : "[--\(option.usage)]")
      if option.repeats { words.append("...") }
    }
    return words.joined(separator: " ")
  }

  /// The full help: what the command does, its usage, arguments, options and examples.
  public var help: String {
    var lines = ["\(name): \(summary)", "", "usage:"]
    lines += wrapped(usage.split(separator: " ").map(String.init), first: "  ", rest: "      ")
    let arguments = positionals.map { ($0.name, $0.help) }
    if !arguments.isEmpty { lines += ["", "arguments:"] + helpRows(arguments) }
    let rows = options.map { ($0.helpForm, $0.helpText) }
    lines += ["", "options:"] + helpRows(rows + [("-h, --help", "print this help")])
    if !examples.isEmpty { lines += ["", "examples:"] }
    for example in examples { lines += ["  \(example.line)", "      \(example.meaning)"] }
    for remark in remarks {
      lines += [""] + wrapped(remark.split(separator: " ").map(String.init), first: "", rest: "")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ProgramSpec {
  /// The list of commands.
  public var help: String {
    let rows = commands.map { ($0.verb, $0.summary) }
    let head = ["\(name): \(summary)", "", "usage:", "  \(name) COMMAND ...", "", "commands:"]
    let tail = ["", "'\(name) COMMAND --help' explains a command with its options and examples."]
    return (head + helpRows(rows) + tail).joined(separator: "\n") + "\n"
  }
}

/// Two columns; the right one starts at the same place in all rows, or on a line of its own below a long left one.
private func helpRows(_ rows: [(String, String)]) -> [String] {
  let width = min(30, rows.map(\.0.count).max() ?? 0)
  return rows.flatMap { left, right -> [String] in
    let text = wrapped(
      right.split(separator: " ").map(String.init), first: "", rest: "", width: 100 - width - 4)
    let margin = String(repeating: " ", count: width + 4)
    let tail = text.dropFirst().map { margin + $0 }
    let first = text.first ?? ""
    if left.count > width { return ["  \(left)", margin + first] + tail }
    let gap = String(repeating: " ", count: width - left.count)
    return ["  \(left)\(gap)  \(first)"] + tail
  }
}

/// Fills lines of up to `width` characters with `words`.
private func wrapped(_ words: [String], first: String, rest: String, width: Int = 100) -> [String] {
  var lines: [String] = []
  var line = first
  var isEmpty = true
  for word in words {
    if !isEmpty && line.count + 1 + word.count > width {
      lines.append(line)
      line = rest
      isEmpty = true
    }
    line += isEmpty ? word : " \(word)"
    isEmpty = false
  }
  return isEmpty ? lines : lines + [line]
}
