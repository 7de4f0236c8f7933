public import Support

/// Cells that are known to be stuck, by crossbar.
///
/// As a file: text in UTF-8, one cell a line as `crossbar,row,column,state`, all counted from 0, where the state is
/// `on`, `off` or a level. Empty lines, lines that begin with `#`, and a first line with these words are passed over.
public struct FaultMap: Equatable, Sendable {
  /// A stuck cell.
  public struct Cell: Hashable, Sendable {
    /// Its wordline.
    public let row: Int
    /// Its bitline.
    public let column: Int
    /// The level that it holds; nil for the highest one.
    public let level: Int?

    /// Creates a cell.
    public init(row: Int, column: Int, level: Int?) {
      self.row = row
      self.column = column
      self.level = level
    }
  }

  /// Stuck cells by crossbar.
  public private(set) var cells: [Int: [Cell]] = [:]

  /// A map without stuck cells.
  public init() {}

  /// How many cells are stuck.
  public var count: Int { cells.values.reduce(0) { $0 + $1.count } }

  /// Adds a cell.
  public mutating func add(_ cell: Cell, crossbar: Int) { cells[crossbar, default: []].append(cell) }

  /// Reads a file's bytes; `file` is the name for messages. Throws `faults.syntax`, with the line, and `faults.twice`
  /// for a cell that is listed twice.
  public init(csv: [UInt8], file: String) throws(Diagnostic) {
    var seen: Set<[Int]> = []
    // Bytes are split, as a carriage return and a line feed are one character of a text.
    for (number, line) in csv.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      let text = String(decoding: line, as: UTF8.self).filter { $0 != " " && $0 != "\r" }
      if text.isEmpty || text.hasPrefix("#") || (number == 0 && text == "crossbar,row,column,state") {
        continue
      }
      let place = Location(file: file, .text(TextPosition(line: number + 1, column: 1)))
      guard let (crossbar, cell) = FaultMap.cell(text) else {
        throw Diagnostic(
          "faults.syntax", "'\(text.prefix(100))' is no stuck cell", at: place,
          notes: ["a line is 'crossbar,row,column,state' with the state 'on', 'off' or a level"])
      }
      guard seen.insert([crossbar, cell.row, cell.column]).inserted else {
        throw Diagnostic("faults.twice", "the cell is listed before", at: place)
      }
      add(cell, crossbar: crossbar)
    }
  }

  private static func cell(_ text: String) -> (Int, Cell)? {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = words.prefix(3).compactMap { Int($0) }
    guard words.count == 4, numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
    switch words[3] {
    case "on": return (numbers[0], Cell(row: numbers[1], column: numbers[2], level: nil))
    case "off": return (numbers[0], Cell(row: numbers[1], column: numbers[2], level: 0))
    default:
      guard let level = Int(words[3]), (0...255).contains(level) else { return nil }
      return (numbers[0], Cell(row: numbers[1], column: numbers[2], level: level))
    }
  }
}
