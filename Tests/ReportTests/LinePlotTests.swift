import Support
import Testing

@testable import Report

/// Two series over the spread of cells, with intervals.
private func sample(_ intervals: LinePlot.IntervalStyle = .bars) -> LinePlot {
  let sigmas = [0, 0.1, 0.2, 0.3, 0.4, 0.5]
  return LinePlot(
    title: "Accuracy over <spread> & \"noise\"", x: .init("standard deviation"),
    y: .init("accuracy", isPercent: true),
    series: [
      .init("dense", sigmas.map { .init($0, 0.9 - $0, plusMinus: 0.02) }),
      .init("sparse & small", sigmas.map { .init($0, 0.9 - 1.5 * $0, plusMinus: 0.03) }),
    ], intervals: intervals)
}

/// A plot of one series without a name.
private func plot(
  _ points: [LinePlot.Point], x: LinePlot.Axis = .init("x"), y: LinePlot.Axis = .init("y")
) -> LinePlot {
  LinePlot(title: "t", x: x, y: y, series: [.init("", points)])
}

/// How often `part` occurs in `text`.
private func count(_ part: String, in text: String) -> Int {
  text.split(separator: part, omittingEmptySubsequences: false).count - 1
}

/// The markers in the drawing of a plot: white edges are theirs alone.
private func markers(_ plot: LinePlot) -> Int { count("stroke:#fff", in: plot.svgDocument) }

/// What is wrong with the tags of an XML text, or nil: each must be closed in its order, with quoted attributes and
/// without stray signs between them.
private func fault(_ text: String) -> String? {
  var open: [Substring] = []
  for piece in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
    let halves = piece.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, !halves[1].contains(">") else { return "signs at '\(piece)'" }
    let tag = halves[0]
    if tag.hasPrefix("?") || tag.hasPrefix("!") { continue }
    guard count("\"", in: String(tag)) % 2 == 0 else { return "quotes at '\(piece)'" }
    if tag.hasPrefix("/") {
      guard open.popLast() == tag.dropFirst() else { return "'\(tag)' closes another element" }
    } else if !tag.hasSuffix("/") {
      open.append(tag.prefix { $0 != " " })
    }
  }
  return open.isEmpty ? nil : "'\(open)' stay open"
}

@Suite struct LinePlotTests {
  @Test func documentStandsAlone() {
    let text = sample().svgDocument
    #expect(
      text.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" ")
    )
    #expect(text.contains("viewBox=\"0 0 ") && text.contains("fill:#fff") && text.hasSuffix("</svg>\n"))
    #expect(!text.contains("<style") && !text.contains("href") && !text.contains("class="))
    #expect(fault(text) == nil && text == sample().svgDocument)
  }

  @Test func theFaultFinderFindsFaults() {
    #expect(fault("<a><b/></a>") == nil && fault("<a b=\"c\">d</a>") == nil)
    #expect(fault("<a><b></a></b>") != nil && fault("<a>") != nil)
    #expect(fault("<a b=\"c>d</a>") != nil && fault("<a>b > c</a>") != nil)
  }

  @Test func namesAreEscaped() {
    let text = sample().svgDocument
    #expect(text.contains("Accuracy over &lt;spread&gt; &amp; &quot;noise&quot;"))
    #expect(text.contains(">sparse &amp; small</text>") && text.contains(">dense</text>"))
    #expect(text.contains(">accuracy</text>") && text.contains(">standard deviation</text>"))
    #expect(drawable("a\u{0}b\u{1B}c\u{FFFF}d\te") == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\te")
  }

  @Test func seriesDifferInColorAndMarker() {
    let looks = (0..<50).map { SeriesLook($0).marker(x: 0, y: 0) + SeriesLook($0).line }
    #expect(Set(looks).count == 50)
    let first = (0..<7).map { SeriesLook($0) }
    #expect(Set(first.map(\.color)).count == 7)
    #expect(Set(first.map { $0.marker(x: 0, y: 0).prefix { $0 != "Z" } }).count == 7)
  }

  @Test func drawsLinesMarkersAndBars() {
    let plot = sample()
    // A marker for each point and for each name in the legend.
    #expect(markers(plot) == 12 + 2)
    let text = plot.svgDocument
    #expect(count("stroke-width:2;", in: text) == 2 + 2)
    #expect(count("stroke-width:1.2", in: text) == 2 + 1)
    #expect(text.contains("95 % interval") && !text.contains("fill-opacity"))
  }

  @Test func drawsBands() {
    let text = sample(.band).svgDocument
    #expect(count("fill-opacity:.16", in: text) == 2 && !text.contains("stroke-width:1.2"))
    let gap = LinePlot(
      title: "", x: .init(""), y: .init(""),
      series: [
        .init("a", [0, 1, 2, 3, 4].map { .init($0, $0, plusMinus: $0 == 2 ? nil : 1) })
      ], intervals: .band)
    #expect(count("fill-opacity:.16", in: gap.svgDocument) == 2)
    #expect(count("stroke-width:2;", in: gap.svgDocument) == 1 + 1)
  }

  @Test func intervalsWithoutBothEndsAreLeftOut() {
    let ends = plot([.init(0, 1, low: 0.5), .init(1, 1, high: 2), .init(2, 1, plusMinus: nil)])
    #expect(!ends.svgDocument.contains("interval") && !ends.svgDocument.contains("stroke-width:1.2"))
    #expect(LinePlot.Point(1, 2, plusMinus: 0.5) == .init(1, 2, low: 1.5, high: 2.5))
  }

  @Test func placesPointsBetweenTheAxes() {
    // Frame: 480 x 300 from 16 down; 14 of room on both sides; no names, numbers of one digit.
    let text = LinePlot(
      title: "", x: .init(""), y: .init(""), series: [.init("", [.init(0, 0), .init(2, 1), .init(4, 4)])]
    ).svgDocument
    #expect(text.contains("M53.2 316.0L279.2 241.0L505.2 16.0"))
  }

  @Test func undefinedPointsBreakTheLine() {
    let points = [0, 1, 2, 3, 4, 5].map { LinePlot.Point($0, $0 == 3 ? .nan : $0 + 1) }
    let text = plot(points).svgDocument
    #expect(markers(plot(points)) == 5)
    let line = text.split(separator: "\n").first { $0.contains("stroke-width:2;") } ?? ""
    #expect(line.filter { $0 == "M" }.count == 2 && line.filter { $0 == "L" }.count == 3)
    let zero = plot([.init(0, 1), .init(1, 1), .init(2, -1), .init(4, 2)], x: .init("x", scale: .log2))
    #expect(markers(zero) == 3)
  }

  @Test func pointsOutsideOfAGivenRangeAreCut() {
    let points = [0, 1, 2, 3, 4].map { LinePlot.Point($0, $0) }
    #expect(markers(plot(points, y: .init("y", range: 1...3))) == 3)
    #expect(markers(plot(points, x: .init("x", range: 1...2), y: .init("y", range: 0...9))) == 2)
    #expect(plot(points).svgDocument.contains("overflow:hidden"))
  }

  @Test func emptyPlotsAreDocuments() {
    for scale in [LinePlot.Scale.linear, .log2, .log10] {
      let axis = LinePlot.Axis("", scale: scale)
      for series in [[], [LinePlot.Series("", [])], [.init("a", [.init(.nan, .infinity)])]] {
        let text = LinePlot(title: "", x: axis, y: axis, series: series).svgDocument
        #expect(fault(text) == nil && count("<text", in: text) >= 4)
      }
    }
  }

  @Test func legendStandsRightOfTheData() throws {
    let text = sample().svgDocument
    let lines = text.split(separator: "\n")
    let name = try #require(lines.first { $0.contains(">dense<") })
    let x = try #require(name.split(separator: "\"").dropFirst().first.flatMap { Double($0) })
    // "100 %" makes the left margin 32 + 18 + 36.
    #expect(x > 86 + 480)
    let short = plot([.init(0, 0), .init(1, 1)])
    #expect(!short.svgDocument.contains("font-size:13px"))
  }

  @Test func longTextsAreBroken() {
    #expect(lines(of: " one two  three\nfour ", upTo: 8) == ["one two", "three", "four"])
    #expect(lines(of: "incomprehensibilities", upTo: 8) == ["incomprehensibilities"])
    #expect(lines(of: " \n", upTo: 8) == [])
    let words = [String](repeating: "word", count: 60).joined(separator: " ")
    let long = LinePlot(
      title: words, x: .init(words), y: .init(words), series: [.init(words, [.init(0, 0)])])
    #expect(fault(long.svgDocument) == nil)
    #expect(count("<text", in: long.svgDocument) > 20)
  }

  @Test func pagesHoldPlots() {
    var page = Page(title: "p")
    page.add(.plot(sample()))
    let text = page.html
    #expect(
      text.contains("<figure><figcaption>Accuracy over &lt;spread&gt; &amp; &quot;noise&quot;</figcaption>"))
    // The title is the caption's and the drawing's label, but not drawn.
    #expect(count("Accuracy over", in: text) == 2 && count("<svg", in: text) == 2)
    #expect(text.contains("max-width:100%") && !text.contains("<?xml"))
    // Styles of the page must not reach the drawing.
    #expect(!sample().figure.contains("<rect"))
    #expect(count("<text", in: sample().figure) == count("px;fill:#", in: sample().figure))
  }

  @Test func hostileNumbersNeverTrap() {
    let values: [Double] = [
      0, -0.0, 1, -1, 1 + 0x1p-52, 1e-9, 1e9, 1e200, -1e200, 1e201, 1e-200, 1e-201, .leastNonzeroMagnitude,
      1.7e308, -1.7e308,
      .nan,
      .infinity, -.infinity, 0x1p53, 1e15, 1e16,
    ]
    let scales: [LinePlot.Scale] = [.linear, .log2, .log10]
    var generator = SeededGenerator(seed: 7)
    func value() -> Double {
      values[generator.below(values.count)] * (generator.chance(0.5) ? 1 : generator.unit())
    }
    func axis() -> LinePlot.Axis {
      let (a, b) = (value(), value())
      let range = generator.chance(0.3) && !a.isNaN && !b.isNaN ? min(a, b)...max(a, b) : nil
      return .init("l", scale: scales[generator.below(3)], range: range, isPercent: generator.chance(0.3))
    }
    for _ in 0..<3000 {
      let points = (0..<generator.below(6)).map { _ in
        LinePlot.Point(value(), value(), low: value(), high: value())
      }
      let plot = LinePlot(
        title: "t", x: axis(), y: axis(), series: [.init("s", points)],
        intervals: generator.chance(0.5) ? .bars : .band)
      let text = plot.svgDocument
      #expect(fault(text) == nil && !text.contains("nan") && !text.contains("inf"), "\(plot)")
      #expect(count("<text", in: text) < 40, "\(plot)")
    }
  }
}
