import Support
import Testing

@testable import Report

/// A text of a drawing.
private struct Placed {
  let x: Double
  let y: Double
  let style: String
  let content: String

  /// Reads a `text` element, which stands on a line of its own.
  init?(_ line: Substring) {
    let quoted = line.split(separator: "\"", omittingEmptySubsequences: false)
    guard line.hasPrefix("<text "), quoted.count > 5, let x = Double(quoted[1]), let y = Double(quoted[3])
    else { return nil }
    let end = line.split(separator: ">")
    self.x = x
    self.y = y
    style = String(quoted[quoted.count - 2])
    content = String(end[1].prefix { $0 != "<" })
  }

  /// From where to where it reaches across, if it is not turned.
  var extent: ClosedRange<Double> {
    let size = style.contains("16px") ? 10.0 : style.contains("13.5px") ? 7.5 : 7.2
    let width = size * Double(content.count)
    if style.contains("middle") { return x - width / 2...x + width / 2 }
    return style.contains("end") ? x - width...x : x...x + width
  }
}

private func texts(_ plot: LinePlot) -> [Placed] {
  plot.svgDocument.split(separator: "\n").compactMap { Placed($0) }
}

/// The width and the height of the drawing.
private func size(_ plot: LinePlot) throws -> (width: Double, height: Double) {
  let box = try #require(plot.svgDocument.split(separator: "viewBox=\"0 0 ").dropFirst().first)
  let numbers = box.prefix { $0 != "\"" }.split(separator: " ").compactMap { Double($0) }
  return try (#require(numbers.first), #require(numbers.last))
}

/// Plots of all kinds, with values of everyday sizes and names of several words.
private func randomPlot(_ generator: inout SeededGenerator) -> LinePlot {
  func words() -> String {
    let count = generator.below(30)
    return (0..<count).map { _ in String(repeating: "n", count: generator.inside(1...12)) }.joined(
      separator: " ")
  }
  func axis() -> LinePlot.Axis {
    let scales: [LinePlot.Scale] = [.linear, .log2, .log10]
    return .init(words(), scale: scales[generator.below(3)], isPercent: generator.chance(0.3))
  }
  let (x, y) = (axis(), axis())
  let sizes = [1e-9, 1e-3, 1, 1e3, 1e9, 1e12]
  let series = (0..<generator.below(5)).map { _ in
    let (across, up) = (sizes[generator.below(6)], sizes[generator.below(6)])
    let points = (0..<generator.below(9)).map { _ in
      LinePlot.Point(generator.unit() * across, generator.unit() * up, plusMinus: 0.1 * generator.unit() * up)
    }
    return LinePlot.Series(words(), points)
  }
  return LinePlot(title: words(), x: x, y: y, series: series)
}

@Suite struct PlotDrawingTests {
  /// The whole text of a small drawing.
  @Test func aPointBetweenTheAxes() {
    let plot = LinePlot(
      title: "t", x: .init("x", range: 0...2), y: .init("y", range: 0...1),
      series: [.init("s", [.init(1, 1)])])
    let expected = """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" width="621.0" height="398.0" viewBox="0 0 621.0 398.0" role="img" \
      aria-label="t" style="font-family:system-ui,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif">
      <path d="M0 0H621.0V398.0H0Z" style="fill:#fff"/>
      <path d="M71.2 42.0V342.0M297.2 42.0V342.0M523.2 42.0V342.0M57.2 342.0H537.2M57.2 42.0H537.2" \
      style="stroke:#dedede;fill:none"/>
      <path d="M57.2 42.0V342.0H537.2M71.2 342.0v5M297.2 342.0v5M523.2 342.0v5M57.2 342.0h-5M57.2 42.0h-5" \
      style="stroke:#444;fill:none"/>
      <text x="71.2" y="362.0" style="font-size:12px;fill:#333;text-anchor:middle">0</text>
      <text x="297.2" y="362.0" style="font-size:12px;fill:#333;text-anchor:middle">1</text>
      <text x="523.2" y="362.0" style="font-size:12px;fill:#333;text-anchor:middle">2</text>
      <text x="48.2" y="346.3" style="font-size:12px;fill:#333;text-anchor:end">0</text>
      <text x="48.2" y="46.3" style="font-size:12px;fill:#333;text-anchor:end">1</text>
      <text x="16.0" y="26.0" style="font-size:16px;font-weight:600;fill:#222">t</text>
      <text x="297.2" y="384.0" style="font-size:13.5px;fill:#222;text-anchor:middle">x</text>
      <text x="24.0" y="192.0" transform="rotate(-90 24.0 192.0)" \
      style="font-size:13.5px;fill:#222;text-anchor:middle">y</text>
      <svg x="56.2" y="41.0" width="482.0" height="302.0" viewBox="56.2 41.0 482.0 302.0" style="overflow:hidden">
      </svg>
      <path d="M297.2 42.0m-4.4 0a4.4 4.4 0 1 0 8.8 0a4.4 4.4 0 1 0 -8.8 0Z" style="fill:#0072B2;stroke:#fff;stroke-width:1"/>
      <path d="M561.2 50.0h28" style="stroke:#0072B2;stroke-width:2;fill:none;stroke-linejoin:round"/>
      <path d="M575.2 50.0m-4.4 0a4.4 4.4 0 1 0 8.8 0a4.4 4.4 0 1 0 -8.8 0Z" style="fill:#0072B2;stroke:#fff;stroke-width:1"/>
      <text x="597.2" y="54.5" style="font-size:13px;fill:#222">s</text>
      </svg>

      """
    #expect(plot.svgDocument == expected)
  }

  @Test func textsStayInsideTheDrawing() throws {
    var generator = SeededGenerator(seed: 31)
    for _ in 0..<300 {
      let plot = randomPlot(&generator)
      let (width, height) = try size(plot)
      for text in texts(plot) {
        #expect(text.y > 8 && text.y <= height, "\(text) of \(plot)")
        let isTurned = text.style.contains("13.5px") && text.x < 24 + 18 * 12
        #expect(
          isTurned || text.extent.lowerBound >= 0 && text.extent.upperBound <= width, "\(text) of \(plot)")
      }
    }
  }

  @Test func numbersOfTheXAxisDoNotTouch() throws {
    var generator = SeededGenerator(seed: 32)
    for _ in 0..<300 {
      let plot = randomPlot(&generator)
      let numbers = texts(plot).filter { $0.style.contains("12px;fill:#333;text-anchor:middle") }
      #expect(Set(numbers.map(\.y)).count <= 1)
      for (left, right) in zip(numbers, numbers.dropFirst()) {
        #expect(left.extent.upperBound < right.extent.lowerBound, "\(left), \(right)")
      }
    }
  }

  @Test func namesOfTheLegendStandBelowEachOther() {
    var generator = SeededGenerator(seed: 33)
    for _ in 0..<100 {
      let names = texts(randomPlot(&generator)).filter { $0.style.contains("13px") }
      #expect(Set(names.map(\.x)).count <= 1)
      for (upper, lower) in zip(names, names.dropFirst()) { #expect(lower.y - upper.y >= 15.9) }
    }
  }

  @Test func intervalsThatReachZeroLeaveLogarithmicAxesBelow() {
    let plot = LinePlot(
      title: "", x: .init(""), y: .init("", scale: .log10),
      series: [.init("", [.init(0, 1), .init(1, 10, low: -1, high: 100)])])
    let bar = plot.svgDocument.split(separator: "\n").first { $0.contains("stroke-width:1.2") } ?? ""
    #expect(bar.contains("30316.0") && bar.contains("V16.0"))
  }

  @Test func percentagesEndAtOneHundred() {
    func top(_ isPercent: Bool) -> Double? {
      let points = [LinePlot.Point(0, 0.5), .init(1, 0.98, plusMinus: 0.1)]
      let plot = LinePlot(
        title: "", x: .init(""), y: .init("", isPercent: isPercent), series: [.init("", points)])
      let number = texts(plot).last { $0.style.contains("end") }?.content.split(separator: " ").first
      return number.flatMap { Double($0) }
    }
    #expect(top(true) == 100 && (top(false) ?? 0) > 1)
  }
}
