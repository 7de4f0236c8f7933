/// A table as comma-separated values (RFC 4180), for spreadsheets and scripts. A row has as many cells as the header,
/// since both come from the same columns.
public struct CSVTable: Equatable, Sendable {
  /// A cell.
  public enum Cell: Equatable, Sendable {
    /// A text.
    case text(String)
    /// A whole number.
    case integer(Int)
    /// A number, written in the shortest form that reads back to the same value, whatever the language of the
    /// machine; `nan`, `inf` and `-inf` where it is not finite.
    case number(Double)
    /// Nothing.
    case empty
  }

  /// A column: its title, and where the cells come from.
  public struct Column<Row>: Sendable {
    /// The title.
    public let title: String
    /// The cell of a row.
    public let cell: @Sendable (Row) -> Cell

    /// Creates a column.
    public init(_ title: String, _ cell: @escaping @Sendable (Row) -> Cell) {
      self.title = title
      self.cell = cell
    }
  }

  /// The titles of the columns.
  public let header: [String]
  /// The cells row by row, as many to a row as there are titles.
  public let rows: [[Cell]]

  /// Creates a table with a row for each of `rows`.
  public init<Row>(_ rows: some Sequence<Row>, columns: [Column<Row>]) {
    header = columns.map(\.title)
    self.rows = rows.map { row in columns.map { $0.cell(row) } }
  }

  /// The file's text: the header, then the rows, each with a line feed at its end; none without columns.
  public var text: String {
    guard !header.isEmpty else { return "" }
    let lines = [header.map { field($0) }] + rows.map { $0.map { field($0) } }
    return lines.map { line($0) + "\n" }.joined()
  }

  /// The fields of a line. A lone empty one is quoted, as readers skip empty lines.
  private func line(_ fields: [String]) -> String {
    fields == [""] ? "\"\"" : fields.joined(separator: ",")
  }

  private func field(_ cell: Cell) -> String {
    switch cell {
    case .text(let text): return field(text)
    case .integer(let value): return String(value)
    case .number(let value): return "\(value)"
    case .empty: return ""
    }
  }

  /// `text`, in quotes where it holds a sign of the format or begins or ends with a space, which some readers drop.
  private func field(_ text: String) -> String {
    let signs: Set<UInt8> = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
    let isPlain = !text.utf8.contains { signs.contains($0) } && !text.hasPrefix(" ") && !text.hasSuffix(" ")
    if isPlain { return text }
    let doubled = text.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined()
    return "\"\(doubled)\""
  }
}

extension CSVTable.Cell: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  /// A text.
  public init(stringLiteral value: String) { self = .text(value) }

  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }

  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }

  /// A number, or nothing where there is none.
  public init(_ value: Double?) { self = value.map { .number($0) } ?? .empty }
}
