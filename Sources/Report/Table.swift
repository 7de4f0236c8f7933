import Support

/// The alignment of a text in its column.
public enum Alignment: Hashable, Sendable {
  case left, right
}

/// A table of text with aligned columns.
public struct TextTable: Equatable, Sendable {
  /// A column's title and alignment.
  public struct Column: Equatable, Sendable {
    /// The title.
    public let title: String
    /// The alignment of the cells and of the title.
    public let alignment: Alignment

    /// Creates a column.
    public init(_ title: String, _ alignment: Alignment = .right) {
      self.title = title
      self.alignment = alignment
    }
  }

  /// The columns.
  public let columns: [Column]
  /// The cells; a short row is filled with empty cells.
  public private(set) var rows: [[String]] = []
  /// How many of the last rows are totals, set apart by a line.
  public private(set) var totals = 0

  /// Creates a table without rows.
  public init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row; cells beyond the columns are dropped.
  public mutating func add(_ row: [String]) {
    let cells = row.prefix(columns.count)
    rows.append(cells + [String](repeating: "", count: columns.count - cells.count))
  }

  /// Adds a row that is set apart from the rows above it.
  public mutating func add(total row: [String]) {
    add(row)
    totals += 1
  }

  /// The table for a terminal: a title line, a rule, the rows; every line ends with a line feed. What a terminal would
  /// act on in a cell is written as an escape.
  public var plain: String { mapped { terminalText($0) }.plainText }

  /// The table in Markdown; `|` in cells is escaped, and what a terminal would act on.
  public var markdown: String { mapped { escapedForMarkdown(terminalText($0)) }.markdownText }

  private func mapped(_ text: (String) -> String) -> TextTable {
    var copy = TextTable(columns.map { Column(terminalText($0.title), $0.alignment) })
    for row in rows { copy.add(row.map(text)) }
    copy.totals = totals
    return copy
  }

  private var plainText: String {
    let widths = self.widths
    let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
    var lines = [line(columns.map(\.title), widths, "  "), rule]
    for (index, row) in rows.enumerated() {
      if totals > 0 && index == rows.count - totals { lines.append(rule) }
      lines.append(line(row, widths, "  "))
    }
    return lines.map { trimmedRight($0) + "\n" }.joined()
  }

  private var markdownText: String {
    let widths = self.widths.map { max($0, 3) }
    let rule = zip(columns, widths).map { column, width in
      String(repeating: "-", count: width - 1) + (column.alignment == .right ? ":" : "-")
    }
    let lines = [columns.map(\.title), rule] + rows
    return lines.map { "| \(line($0, widths, " | ")) |\n" }.joined()
  }

  private var widths: [Int] {
    columns.indices.map { k in
      max(columns[k].title.count, rows.map { $0[k].count }.max() ?? 0)
    }
  }

  private func line(_ cells: [String], _ widths: [Int], _ separator: String) -> String {
    let texts = columns.indices.map { padded(cells[$0], to: widths[$0], columns[$0].alignment) }
    return texts.joined(separator: separator)
  }
}

/// `text` filled with spaces up to `width` characters.
private func padded(_ text: String, to width: Int, _ alignment: Alignment) -> String {
  let gap = String(repeating: " ", count: max(0, width - text.count))
  return alignment == .left ? text + gap : gap + text
}

private func escapedForMarkdown(_ cell: String) -> String {
  cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
}

private func trimmedRight(_ text: String) -> String {
  var bytes = Array(text.utf8)
  while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
  return String(decoding: bytes, as: UTF8.self)
}
