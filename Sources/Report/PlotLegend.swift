/// The names of a plot's series, one below the other, and what its intervals are.
struct PlotLegend {
  private struct Entry {
    let series: Int
    let lines: [String]
  }

  private let entries: [Entry]
  private let intervals: LinePlot.IntervalStyle?

  /// Collects the named series of `plot`.
  init(_ plot: LinePlot) {
    entries = plot.series.enumerated().map { Entry(series: $0, lines: lines(of: $1.name, upTo: 26)) }
      .filter { !$0.lines.isEmpty }
    let hasIntervals = plot.series.contains { $0.points.contains { $0.low != nil && $0.high != nil } }
    intervals = hasIntervals ? plot.intervals : nil
  }

  private var texts: [[String]] { entries.map(\.lines) + (intervals == nil ? [] : [["95 % interval"]]) }

  /// How wide it is, with its margins.
  var width: Double {
    texts.isEmpty ? 0 : 24 + 36 + 16 + (texts.joined().map { textWidth($0, size: 13) }.max() ?? 0)
  }

  /// How high it is.
  var height: Double { texts.reduce(8) { $0 + rise($1) } + (intervals == nil ? 0 : 6) }

  private func rise(_ lines: [String]) -> Double { 6 + 16 * Double(lines.count) }

  /// The drawing with its upper left corner at a place.
  func elements(x: Double, y: Double) -> [String] {
    var result: [String] = []
    var y = y
    for entry in entries {
      let look = SeriesLook(entry.series)
      result.append(path("M\(pixels(x)) \(pixels(y))h28", look.line))
      result.append(look.marker(x: x + 14, y: y))
      result += names(entry.lines, x, y, "font-size:13px;fill:#222")
      y += rise(entry.lines)
    }
    guard let intervals else { return result }
    let sample =
      intervals == .bars
      ? path(intervalBar(x + 14, y + 13, y - 1), "stroke:#666;stroke-width:1.2;fill:none")
      : path("M\(pixels(x)) \(pixels(y))h28v12h-28Z", "fill:#666;fill-opacity:.2")
    return result + [sample] + names(texts.last ?? [], x, y + 6, "font-size:12px;fill:#555")
  }

  private func names(_ lines: [String], _ x: Double, _ y: Double, _ style: String) -> [String] {
    lines.enumerated().map { text($1, x: x + 36, y: y + 4.5 + 16 * Double($0), style) }
  }
}
