/// A line plot laid out in pixels. Styles are attributes of the elements, so that neither a page nor a viewer changes
/// them.
struct PlotDrawing {
  private let plot: LinePlot
  private let isInline: Bool
  private let x: PlotScale
  private let y: PlotScale
  private let title: [String]
  private let xLabel: [String]
  private let yLabel: [String]
  private let legend: PlotLegend
  private let fullWidth: Double
  private let left: Double
  private let top: Double
  private let width = 480.0
  private let height = 300.0

  /// Lays out `plot`: inline for a page, which gives it the width it has and shows the title itself, or as a whole.
  init(_ plot: LinePlot, isInline: Bool) {
    self.isInline = isInline
    self.plot = plot
    x = PlotScale(plot.x, values: plot.xValues, reachesTicks: false)
    y = PlotScale(plot.y, values: plot.yValues, reachesTicks: true)
    xLabel = lines(of: plot.x.label, upTo: 60)
    yLabel = lines(of: plot.y.label, upTo: 40)
    legend = PlotLegend(plot)
    left = 32 + 18 * Double(yLabel.count) + (y.ticks.map { textWidth($0.text, size: 12) }.max() ?? 0)
    let overhang = textWidth(x.ticks.last?.text ?? "", size: 12) / 2
    fullWidth = left + width + max(24, legend.width, overhang)
    title = isInline ? [] : lines(of: plot.title, upTo: Int((fullWidth - 32) / 10))
    top = title.isEmpty ? 16 : 22 + 20 * Double(title.count)
  }

  private var bottom: Double { top + height }
  private var fullHeight: Double { max(bottom + 38 + 18 * Double(xLabel.count), top + legend.height + 8) }

  /// The `svg` element.
  var svg: String {
    let size = "width=\"\(pixels(fullWidth))\" height=\"\(pixels(fullHeight))\""
    let box = "viewBox=\"0 0 \(pixels(fullWidth)) \(pixels(fullHeight))\""
    let name = "role=\"img\" aria-label=\"\(drawable(plot.title))\""
    let font = "font-family:system-ui,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
    let shrink = isInline ? "max-width:100%;height:auto;" : ""
    let head = "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) \(box) \(name)"
    var parts = ["\(head) style=\"\(shrink)\(font)\">"]
    parts.append(path("M0 0H\(pixels(fullWidth))V\(pixels(fullHeight))H0Z", "fill:#fff"))
    parts += grid + axes + labels
    parts.append(clipStart)
    parts += plot.series.indices.flatMap(band) + plot.series.indices.flatMap(line)
    parts.append("</svg>")
    parts += plot.series.indices.flatMap(markers)
    parts += legend.elements(x: left + width + 24, y: top + 8)
    return (parts + ["</svg>"]).joined(separator: "\n")
  }

  /// Begins an inner drawing with the same coordinates that shows nothing outside of the axes but half a line's width.
  private var clipStart: String {
    let (x, y, w, h) = (pixels(left - 1), pixels(top - 1), pixels(width + 2), pixels(height + 2))
    let frame = "x=\"\(x)\" y=\"\(y)\" width=\"\(w)\" height=\"\(h)\""
    return "<svg \(frame) viewBox=\"\(x) \(y) \(w) \(h)\" style=\"overflow:hidden\">"
  }
}

// MARK: Places

extension PlotDrawing {
  /// Room between the axes' ends and the first and the last value.
  private var inset: Double { 14 }

  /// The position of an x value.
  private func across(_ value: Double) -> Double? {
    x.place(value).map { left + inset + clamped($0) * (width - 2 * inset) }
  }

  /// The position of a y value.
  private func up(_ value: Double) -> Double? {
    y.place(value).map { bottom - clamped($0) * height }
  }

  /// Far outside is as good as very far outside.
  private func clamped(_ share: Double) -> Double { min(max(share, -100), 100) }

  /// The point's place, or nil where it has none.
  private func place(_ point: LinePlot.Point) -> (x: Double, y: Double)? {
    guard let x = across(point.x), let y = up(point.y) else { return nil }
    return (x, y)
  }

  /// Where the point's interval begins and ends; on logarithmic axes, intervals that reach 0 end far below.
  private func interval(_ point: LinePlot.Point) -> (x: Double, low: Double, high: Double)? {
    guard let x = across(point.x), up(point.y) != nil, let low = point.low, let high = point.high,
      let top = up(high)
    else { return nil }
    let isOpen = y.scale != .linear && low <= 0
    guard let bottom = isOpen ? bottom + 100 * height : up(low) else { return nil }
    return (x, bottom, top)
  }
}

// MARK: Axes

extension PlotDrawing {
  private var grid: [String] {
    let faint = x.minor.compactMap { across($0) }.map(upright) + y.minor.compactMap { up($0) }.map(level)
    let light =
      x.ticks.compactMap { across($0.value) }.map(upright) + y.ticks.compactMap { up($0.value) }.map(level)
    return [("#f2f2f2", faint), ("#dedede", light)].filter { !$0.1.isEmpty }
      .map { path($0.1.joined(), "stroke:\($0.0);fill:none") }
  }

  private func upright(_ x: Double) -> String { "M\(pixels(x)) \(pixels(top))V\(pixels(bottom))" }

  private func level(_ y: Double) -> String { "M\(pixels(left)) \(pixels(y))H\(pixels(left + width))" }

  /// The two axes with marks and numbers; numbers without room are left out.
  private var axes: [String] {
    var marks = "M\(pixels(left)) \(pixels(top))V\(pixels(bottom))H\(pixels(left + width))"
    let small = "font-size:12px;fill:#333"
    var numbers: [String] = []
    var end = -Double.infinity
    for tick in x.ticks {
      guard let x = across(tick.value) else { continue }
      marks += "M\(pixels(x)) \(pixels(bottom))v5"
      let half = textWidth(tick.text, size: 12) / 2
      guard x - half > end else { continue }
      numbers.append(text(tick.text, x: x, y: bottom + 20, "\(small);text-anchor:middle"))
      end = x + half + 8
    }
    for tick in y.ticks {
      guard let y = up(tick.value) else { continue }
      marks += "M\(pixels(left)) \(pixels(y))h-5"
      numbers.append(text(tick.text, x: left - 9, y: y + 4.3, "\(small);text-anchor:end"))
    }
    return [path(marks, "stroke:#444;fill:none")] + numbers
  }

  /// The title and the axes' names.
  private var labels: [String] {
    let titles = title.enumerated().map { index, line in
      text(line, x: 16, y: 26 + 20 * Double(index), "font-size:16px;font-weight:600;fill:#222")
    }
    let below = xLabel.enumerated().map { index, line in
      text(
        line, x: left + width / 2, y: bottom + 42 + 18 * Double(index),
        "font-size:13.5px;fill:#222;text-anchor:middle")
    }
    let aside = yLabel.enumerated().map { index, line in
      let (x, y) = (24 + 18 * Double(index), top + height / 2)
      let turn = "transform=\"rotate(-90 \(pixels(x)) \(pixels(y)))\""
      return text(line, x: x, y: y, "font-size:13.5px;fill:#222;text-anchor:middle", turn)
    }
    return titles + below + aside
  }
}

// MARK: Series

extension PlotDrawing {
  /// The shaded interval of a series: an area for each run of points that have one.
  private func band(_ index: Int) -> [String] {
    guard plot.intervals == .band else { return [] }
    let ends = plot.series[index].points.map(interval)
    return ends.split { $0 == nil }.map { run in
      let run = run.compactMap { $0 }
      let corners = run.map { ($0.x, $0.high) } + run.reversed().map { ($0.x, $0.low) }
      return path(polyline(corners) + "Z", "fill:\(SeriesLook(index).color);fill-opacity:.16")
    }
  }

  /// The line of a series, broken where points are left out, with its interval bars.
  private func line(_ index: Int) -> [String] {
    let look = SeriesLook(index)
    let points = plot.series[index].points
    let runs = points.map(place).split { $0 == nil }.map { run in run.compactMap { $0 } }
    let joined = runs.filter { $0.count > 1 }.map(polyline).joined()
    let bars = plot.intervals == .bars ? points.compactMap(interval) : []
    let drawn = bars.map { intervalBar($0.x, $0.low, $0.high) }.joined()
    return [(joined, look.line), (drawn, look.bar)].filter { !$0.0.isEmpty }.map { path($0.0, $0.1) }
  }

  /// The markers of a series at its points between the axes' ends.
  private func markers(_ index: Int) -> [String] {
    let (across, up) = (left - 1...left + width + 1, top - 1...bottom + 1)
    return plot.series[index].points.compactMap(place)
      .filter { across.contains($0.x) && up.contains($0.y) }
      .map { SeriesLook(index).marker(x: $0.x, y: $0.y) }
  }

  private func polyline(_ points: [(x: Double, y: Double)]) -> String {
    "M" + points.map { "\(pixels($0.x)) \(pixels($0.y))" }.joined(separator: "L")
  }
}

extension LinePlot {
  /// The points that both axes can show.
  private var shown: [Point] {
    series.flatMap(\.points).filter { x.scale.shows($0.x) && y.scale.shows($0.y) }
  }

  /// The values that choose the range of the x axis.
  fileprivate var xValues: [Double] { shown.map(\.x) }

  /// The values that choose the range of the y axis. Intervals of shares do not reach beyond 0 and 1.
  fileprivate var yValues: [Double] {
    shown.flatMap { point in
      let ends = [point.low, point.high].compactMap { $0 }.filter(\.isFinite)
      let isShare = y.isPercent && (0...1).contains(point.y)
      return [point.y] + (isShare ? ends.map { min(max($0, 0), 1) } : ends)
    }
  }
}
