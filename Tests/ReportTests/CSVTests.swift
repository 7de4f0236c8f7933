import Report
import Support
import Testing

/// A row of a table over schemes.
private struct Result {
  let name: String
  let trials: Int
  let accuracy: Double?
}

private let columns: [CSVTable.Column<Result>] = [
  .init("name") { .text($0.name) }, .init("trials") { .integer($0.trials) },
  .init("accuracy, mean") { .init($0.accuracy) },
]

/// A table whose rows are cells already.
private func table(_ header: [String], _ rows: [[CSVTable.Cell]]) -> CSVTable {
  let columns = header.indices.map { index in
    CSVTable.Column<[CSVTable.Cell]>(header[index]) { $0.indices.contains(index) ? $0[index] : .empty }
  }
  return CSVTable(rows, columns: columns)
}

/// The text of a table of one column and one row.
private func single(_ cell: CSVTable.Cell) -> String { table(["a"], [[cell]]).text }

/// Reads a file of RFC 4180 with line feeds.
private func read(_ text: String) -> [[String]] {
  var rows: [[String]] = []
  var row: [String] = []
  var field = String.UnicodeScalarView()
  var isQuoted = false
  var afterQuote = false
  for scalar in text.unicodeScalars {
    if scalar == "\"" {
      if afterQuote { field.append(scalar) }
      afterQuote = isQuoted
      isQuoted.toggle()
      continue
    }
    afterQuote = false
    if isQuoted || scalar != "," && scalar != "\n" {
      field.append(scalar)
      continue
    }
    row.append(String(field))
    field = .init()
    guard scalar == "\n" else { continue }
    rows.append(row)
    row = []
  }
  return rows
}

@Suite struct CSVTests {
  @Test func writesHeaderAndRows() {
    let results = [
      Result(name: "dense", trials: 10, accuracy: 0.975),
      Result(name: "8 x 8, sparse", trials: 1, accuracy: nil),
    ]
    let expected = """
      name,trials,"accuracy, mean"
      dense,10,0.975
      "8 x 8, sparse",1,

      """
    let table = CSVTable(results, columns: columns)
    #expect(table.text == expected)
    #expect(table.header == ["name", "trials", "accuracy, mean"])
    #expect(table.rows == [["dense", 10, 0.975], ["8 x 8, sparse", 1, .empty]])
  }

  @Test func quotesWhereNeeded() {
    #expect(single("plain text") == "a\nplain text\n")
    #expect(single("a,b") == "a\n\"a,b\"\n")
    #expect(single("say \"so\"") == "a\n\"say \"\"so\"\"\"\n")
    #expect(single("two\nlines") == "a\n\"two\nlines\"\n")
    #expect(single("two\r\nlines") == "a\n\"two\r\nlines\"\n")
    #expect(single(" a") == "a\n\" a\"\n" && single("a ") == "a\n\"a \"\n")
    #expect(single("Größe µm²; 'x'") == "a\nGröße µm²; 'x'\n")
    // A combining sign after a quote belongs to no character of its own.
    #expect(single("\"\u{301}") == "a\n\"\"\"\u{301}\"\n")
    #expect(table(["x\"y", "b"], []).text == "\"x\"\"y\",b\n")
  }

  @Test func numbersReadBackExactly() {
    let values: [Double] = [
      0, -0.0, 0.1, 1.0 / 3, 1e-300, 1e300, 123456789.125, -2.5, .greatestFiniteMagnitude, .pi,
    ]
    for value in values { #expect(single(.number(value)) == "a\n\(value)\n") }
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<1000 {
      let value = Double(bitPattern: generator.next())
      let field = read(single(.number(value))).last?.first ?? ""
      #expect(value.isNaN ? field.contains("nan") : Double(field) == value)
    }
    #expect(single(.number(.infinity)) == "a\ninf\n" && single(.number(-.infinity)) == "a\n-inf\n")
    #expect(single(.number(.nan)) == "a\nnan\n")
    #expect(single(.integer(.min)) == "a\n-9223372036854775808\n")
    #expect(single(1_000_000) == "a\n1000000\n" && single(0.5) == "a\n0.5\n")
  }

  @Test func emptyCellsKeepTheirRows() {
    #expect(table(["a", "b"], [[.empty, .empty], [""]]).text == "a,b\n,\n,\n")
    #expect(table(["a"], [[.empty], [""]]).text == "a\n\"\"\n\"\"\n")
    #expect(table([""], []).text == "\"\"\n")
    #expect(table([], [[], [1]]).text == "")
    #expect(table([], [[]]).rows == [[]])
    #expect(CSVTable([Result](), columns: columns).text == "name,trials,\"accuracy, mean\"\n")
    #expect(CSVTable.Cell(nil) == .empty && CSVTable.Cell(1.5) == 1.5)
  }

  @Test func everyTextReadsBack() {
    let pieces = [",", "\"", "\n", "\r", "\r\n", " ", "a", "é", "e\u{301}", "'", ";", "\t", "=", "🙂"]
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<500 {
      let width = generator.inside(1...4)
      func text() -> String {
        (0..<generator.below(6)).map { _ in pieces[generator.below(pieces.count)] }.joined()
      }
      let header = (0..<width).map { _ in text() }
      let rows = (0..<generator.below(4)).map { _ in (0..<width).map { _ in text() } }
      let written = table(header, rows.map { $0.map { .text($0) } }).text
      #expect(read(written) == [header] + rows, "\(written)")
    }
  }
}
