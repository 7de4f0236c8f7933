import Mapping
import Support
import Tensors

/// Limits of the text form; larger numbers are resources.
enum TextLimits {
  /// Nesting of lists.
  static let listDepth = 16
  /// Nesting of bodies.
  static let bodyDepth = 8
  /// Axes of a shape.
  static let rank = 16
  /// Digits between the brackets of `columns`.
  static let columnDigits = 4096

  /// Entries of all row and column maps of a text: those of the largest column layout, and 64 for each byte.
  static func mapEntries(of text: String) -> Int { LayerLimits.columnLayout + 64 * text.utf8.count }
}

extension TokenStream {
  /// `[name: value, ...]`.
  mutating func takeAttributes() throws(Diagnostic) -> [NamedAttribute] {
    var attributes: [NamedAttribute] = []
    try expect("[")
    while !isSign("]") {
      let name = try take(.word, "the name of an attribute")
      guard !attributes.contains(where: { $0.name == name.text }) else {
        throw Diagnostic(
          "text.attribute-twice", "attribute '\(name.text)' is given twice",
          at: Location(.text(name.position)))
      }
      try expect(":")
      attributes.append(NamedAttribute(name.text, try takeValue(of: name.text)))
      guard try skip(",") else { break }
    }
    try expect("]")
    return attributes
  }

  /// The value of the attribute `name`; a number that is too large for it is refused with the name.
  private mutating func takeValue(of name: String) throws(Diagnostic) -> Attribute {
    do throws(Diagnostic) { return try takeAttribute(depth: 0) } catch {
      guard ["text.number", "text.units", "text.index"].contains(error.id) else { throw error }
      throw Diagnostic(error.id, "'\(name)': \(error.message)", at: error.location, notes: error.notes)
    }
  }

  /// One attribute value.
  mutating func takeAttribute(depth: Int) throws(Diagnostic) -> Attribute {
    switch current.kind {
    case .int, .float: return try takeNumber()
    case .string: return .string(try take().text)
    case .symbol: return .symbol(try take().text)
    case .resource: return .resource(try take().text)
    case .word: return try takeWordAttribute()
    case .sign where current.text == "-": return try takeNumber()
    case .sign where current.text == "[": return try takeList(depth: depth)
    case .value, .sign, .end: throw unexpected("a value")
    }
  }

  private mutating func takeList(depth: Int) throws(Diagnostic) -> Attribute {
    guard depth < TextLimits.listDepth else {
      throw Diagnostic("text.depth", "lists nest too deeply", at: Location(.text(current.position)))
    }
    var items: [Attribute] = []
    try expect("[")
    while !isSign("]") {
      items.append(try takeAttribute(depth: depth + 1))
      guard try skip(",") else { break }
    }
    try expect("]")
    return .list(items)
  }

  private mutating func takeNumber() throws(Diagnostic) -> Attribute {
    let start = current
    let negative = try skip("-")
    if isWord("inf") {
      _ = try take()
      return .float(negative ? -.infinity : .infinity)
    }
    guard current.kind == .int || current.kind == .float else { throw unexpected("a number") }
    let token = try take()
    let text = (negative ? "-" : "") + token.text
    if token.kind == .int, let value = Int64(text) { return .int(value) }
    if token.kind == .float, let value = Float(text), value.isFinite { return .float(value) }
    throw Diagnostic("text.number", "number out of range", at: Location(.text(start.position)))
  }

  private mutating func takeWordAttribute() throws(Diagnostic) -> Attribute {
    let word = try take()
    guard isSign("(") else {
      switch word.text {
      case "inf": return .float(.infinity)
      case "nan": return .float(.nan)
      default: return .word(word.text)
      }
    }
    switch word.text {
    case "rows": return .rows(try takeRows())
    case "columns": return .columns(try takeColumns())
    case "window": return .window(try takeWindow())
    case "fixed", "zero-skipping", "dynamic": return .units(try takeUnits(word.text))
    case "absolute", "delta": return .index(try takeIndex(isDelta: word.text == "delta"))
    default:
      throw Diagnostic(
        "text.syntax",
        "expected rows, columns, window, fixed, zero-skipping, dynamic, absolute or delta before '('",
        at: Location(.text(word.position)))
    }
  }

  /// `(HxW)`.
  private mutating func takeUnits(_ keyword: String) throws(Diagnostic) -> UnitForming {
    try expect("(")
    let token = try take(.word, "a size such as 16x16")
    let parts = token.text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let height = parts[0], let width = parts[1],
      let units = UnitForming(keyword: keyword, height: height, width: width),
      FieldKind.units.admits(.units(units))
    else {
      let side = LayerLimits.unitSide
      throw Diagnostic(
        "text.units", "expected a size such as 16x16, at most \(side)x\(side)",
        at: Location(.text(token.position)))
    }
    try expect(")")
    return units
  }

  /// `(2)` or `(7 from 128)`.
  private mutating func takeIndex(isDelta: Bool) throws(Diagnostic) -> IndexCoding {
    try expect("(")
    let start = current.position
    let range = LayerLimits.indexBits
    let bits = try takeCount(limit: range.upperBound)
    guard range ~= bits else {
      throw Diagnostic(
        "text.index", "a field of an index table has \(range.lowerBound) to \(range.upperBound) bits",
        at: Location(.text(start)))
    }
    var first = 0
    if isWord("from") {
      _ = try take()
      first = try takeCount(limit: LayerLimits.indexFirst - 1)
    }
    try expect(")")
    return isDelta ? .delta(bits: bits, first: first) : .absolute(bits: bits, first: first)
  }

  /// `a` or `a..b`.
  private mutating func takeRange() throws(Diagnostic) -> ClosedRange<Int> {
    let start = current.position
    let first = try takeCount(limit: LayerLimits.side - 1)
    guard try skip("..") else { return first...first }
    let last = try takeCount(limit: LayerLimits.side - 1)
    guard last >= first else {
      throw Diagnostic("text.range", "a range counts upwards", at: Location(.text(start)))
    }
    return first...last
  }

  /// `(0..15, 20, 3<<1)`.
  private mutating func takeRows() throws(Diagnostic) -> [RowEntry] {
    var rows: [RowEntry] = []
    try expect("(")
    while !isSign(")") {
      let range = try takeRange()
      let shift = try skip("<<") ? try takeCount(limit: LayerLimits.rowShift) : 0
      try takeEntries(range.count)
      rows += range.map { RowEntry(input: $0, shift: shift) }
      guard try skip(",") else { break }
    }
    try expect(")")
    return rows
  }

  /// `(0..7 x [+0, +2, -0, -2])`.
  private mutating func takeColumns() throws(Diagnostic) -> [ColumnEntry] {
    var columns: [ColumnEntry] = []
    try expect("(")
    while !isSign(")") {
      let range = try takeRange()
      try expectWord("x")
      let digits = try takeDigits()
      try takeEntries(range.count * digits.count)
      for output in range {
        columns += digits.map { ColumnEntry(output: output, shift: $0.shift, negative: $0.negative) }
      }
      guard try skip(",") else { break }
    }
    try expect(")")
    return columns
  }

  private mutating func takeDigits() throws(Diagnostic) -> [(shift: Int, negative: Bool)] {
    var digits: [(shift: Int, negative: Bool)] = []
    try expect("[")
    while !isSign("]") {
      let negative = isSign("-")
      guard negative || isSign("+") else { throw unexpected("'+' or '-'") }
      _ = try take()
      digits.append((try takeCount(limit: LayerLimits.columnShift), negative))
      guard digits.count <= TextLimits.columnDigits else {
        throw unexpected("at most \(TextLimits.columnDigits) digits")
      }
      guard try skip(",") else { break }
    }
    try expect("]")
    return digits
  }
}

extension Attribute: CustomStringConvertible {
  /// The text form, which parses back to the same attribute.
  public var description: String {
    switch self {
    case .int(let value): return String(value)
    case .float(let value): return value.isNaN ? "nan" : value.description
    case .word(let word): return word
    case .string(let text): return quote(text)
    case .symbol(let name): return "@\(name)"
    case .resource(let name): return "#\(name)"
    case .list(let items): return "[\(items.map(\.description).joined(separator: ", "))]"
    case .units(let units): return units.description
    case .index(let index): return index.description
    case .window(let window): return windowText(window)
    case .rows(let rows): return "rows(\(rowTerms(rows).joined(separator: ", ")))"
    case .columns(let columns): return "columns(\(columnTerms(columns).joined(separator: ", ")))"
    }
  }
}

/// `text` in quotes, with the escapes that the lexer reads.
func quote(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    case _: result += isTerminalControl(scalar) ? terminalEscape(scalar) : String(scalar)
    }
  }
  return result + "\""
}

/// Runs of neighboring inputs with one shift.
private func rowTerms(_ rows: [RowEntry]) -> [String] {
  var terms: [String] = []
  var start = 0
  while start < rows.count {
    var end = start + 1
    while end < rows.count, rows[end].shift == rows[start].shift,
      rows[end].input == rows[start].input + (end - start)
    {
      end += 1
    }
    let shift = rows[start].shift == 0 ? "" : "<<\(rows[start].shift)"
    terms.append(rangeText(rows[start].input, rows[end - 1].input) + shift)
    start = end
  }
  return terms
}

/// Runs of neighboring outputs with one list of digits.
private func columnTerms(_ columns: [ColumnEntry]) -> [String] {
  var groups: [(output: Int, digits: [ColumnEntry])] = []
  for column in columns {
    if let last = groups.last, last.output == column.output, last.digits.count < TextLimits.columnDigits {
      groups[groups.count - 1].digits.append(column)
    } else {
      groups.append((column.output, [column]))
    }
  }
  let texts = groups.map { group in
    group.digits.map { "\($0.negative ? "-" : "+")\($0.shift)" }.joined(separator: ", ")
  }
  var terms: [String] = []
  var start = 0
  while start < groups.count {
    var end = start + 1
    while end < groups.count, texts[end] == texts[start],
      groups[end].output == groups[start].output + (end - start)
    {
      end += 1
    }
    terms.append("\(rangeText(groups[start].output, groups[end - 1].output)) x [\(texts[start])]")
    start = end
  }
  return terms
}

private func rangeText(_ first: Int, _ last: Int) -> String {
  first == last ? "\(first)" : "\(first)..\(last)"
}
