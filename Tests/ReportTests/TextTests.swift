import Report
import Support
import Testing

@Suite struct TextTests {
  @Test func plainTable() {
    var table = TextTable([.init("layer", .left), .init("count")])
    table.add(["conv1", "12"])
    table.add(["a"])
    table.add(total: ["total", "12,345", "dropped"])
    #expect(
      table.plain == """
        layer   count
        -----  ------
        conv1      12
        a
        -----  ------
        total  12,345

        """)
  }

  @Test func markdownTable() {
    var table = TextTable([.init("a", .left), .init("b")])
    table.add(["x|y", "1"])
    #expect(
      table.markdown == """
        | a    |   b |
        | ---- | --: |
        | x\\|y |   1 |

        """)
  }

  /// Names and attributes of a file are shown, never acted on.
  @Test func tablesShowControlCharactersAsEscapes() {
    var table = TextTable([.init("a\u{7}", .left), .init("b")])
    table.add(["\u{1B}[31mred\n", "\u{202E}x\u{9B}"])
    #expect(
      table.plain == """
        a\\u{7}                         b
        ---------------  ---------------
        \\u{1B}[31mred\\n  \\u{202E}x\\u{9B}

        """)
    #expect(table.markdown.unicodeScalars.allSatisfy { $0 == "\n" || (32..<127).contains($0.value) })
  }

  @Test func diagnosticsShowControlCharactersAsEscapes() {
    let renderer = DiagnosticRenderer(color: false, sources: ["a\n.xir": "x\u{1B}[2J \u{202E}yz w"])
    let error = Diagnostic(
      "ir.name", "'\u{1B}]0;t\u{7}' is\r\nnot a name\u{7F}",
      at: Location(file: "a\n.xir", .text(TextPosition(line: 1, column: 7, length: 5))),
      notes: ["\u{2066}\u{85}"])
    #expect(
      renderer.render(error) == """
        a\\n.xir:1:7: error: '\\u{1B}]0;t\\u{7}' is\\r\\nnot a name\\u{7F} [ir.name]
          x\\u{1B}[2J \\u{202E}yz w
                     ~~~~~~~~~~
          note: \\u{2066}\\u{85}

        """)
    let names = "caf\u{E9} \u{65E5}\u{672C} 'x' \\n"
    #expect(terminalText(names) == names, "letters stay")
    #expect(terminalText("a\tb\n\u{1B}", keepingLines: true) == "a\tb\n\\u{1B}")
  }

  @Test func numbers() {
    #expect(fixed(1.005, decimals: 1) == "1.0")
    #expect(fixed(-0.04, decimals: 1) == "0.0")
    #expect(fixed(-1.25, decimals: 1) == "-1.3")
    #expect(fixed(0.999, decimals: 2) == "1.00")
    #expect(fixed(7, decimals: 0) == "7")
    #expect(fixed(.nan, decimals: 2) == "nan" && fixed(-.infinity, decimals: 2) == "-inf")
    #expect(fixed(1e300, decimals: 2) == "1e+300")
    #expect(grouped(0) == "0" && grouped(-1_234_567) == "-1,234,567" && grouped(999) == "999")
    #expect(grouped(.min) == "-9,223,372,036,854,775,808")
    #expect(percentage(0.9876) == "98.76 %")
    #expect(significant(12.345) == "12.3" && significant(1.2) == "1.20" && significant(999.7) == "1000")
    #expect(significant(0.01234) == "0.0123")
  }

  @Test func units() {
    #expect(energyText(picojoules: 0) == "0.00 pJ")
    #expect(energyText(picojoules: 0.25) == "250 fJ")
    #expect(energyText(picojoules: 8.9) == "8.90 pJ")
    #expect(energyText(picojoules: 999.9) == "1.00 nJ")
    #expect(energyText(picojoules: 2.5e6) == "2.50 uJ")
    #expect(energyText(picojoules: 4e13) == "40.0 J")
    #expect(timeText(nanoseconds: 15.36) == "15.4 ns")
    #expect(timeText(nanoseconds: 0.5) == "0.5000 ns")
    #expect(timeText(nanoseconds: 1.5e6) == "1.50 ms")
    #expect(timeText(nanoseconds: 3.2e10) == "32.0 s")
    #expect(byteText(1000) == "1000 B" && byteText(1536) == "1.50 KiB")
    #expect(durationText(seconds: 4.24) == "4.2 s")
    #expect(durationText(seconds: 185) == "3 min 05 s")
    #expect(durationText(seconds: 7620) == "2 h 07 min")
    #expect(durationText(seconds: .infinity) == "?")
  }

  @Test func rendersTextLocations() {
    let renderer = DiagnosticRenderer(color: false, sources: ["a.xir": "one\n\t%x = foo\r\nthree"])
    let error = Diagnostic(
      "ir.unknown-op", "unknown operation 'foo'",
      at: Location(file: "a.xir", .text(TextPosition(line: 2, column: 7, length: 3))),
      notes: ["see the manual"])
    #expect(
      renderer.render(error) == """
        a.xir:2:7: error: unknown operation 'foo' [ir.unknown-op]
          \t%x = foo
          \t     ~~~
          note: see the manual

        """)
  }

  @Test func rendersPlacesOutsideOfTheText() {
    let renderer = DiagnosticRenderer(color: false, sources: ["a": "x"])
    for position in [
      TextPosition(line: 0, column: 0), TextPosition(line: 9, column: 1), TextPosition(line: 1, column: 99),
    ] {
      let text = renderer.render(Diagnostic("a.b", "m", at: Location(file: "a", .text(position))))
      #expect(text.hasPrefix("a:\(position.line):\(position.column): error: m [a.b]\n"))
    }
  }

  @Test func colors() {
    let text = DiagnosticRenderer(color: true).render(Diagnostic("a.b", "m"))
    #expect(text == "\u{1B}[1;31merror\u{1B}[0m: m [a.b]\n")
  }
}
