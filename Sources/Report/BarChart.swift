/// Horizontal bars, one for each entry, as inline SVG.
public struct BarChart: Equatable, Sendable {
  /// A bar.
  public struct Bar: Equatable, Sendable {
    /// What it stands for.
    public let name: String
    /// Its length; negative and undefined values are drawn as 0.
    public let value: Double
    /// The value as printed.
    public let text: String

    /// Creates a bar.
    public init(_ name: String, _ value: Double, _ text: String) {
      self.name = name
      self.value = value
      self.text = text
    }
  }

  /// What the bars show.
  public let title: String
  /// The bars from top to bottom.
  public let bars: [Bar]

  /// Creates a chart.
  public init(title: String, bars: [Bar]) {
    self.title = title
    self.bars = bars
  }

  /// The drawing.
  var svg: String {
    let line = 24
    let nameWidth = min(320, 20 + 8 * (bars.map(\.name.count).max() ?? 0))
    let longest = bars.map(\.value).filter(\.isFinite).max() ?? 0
    var lines = [
      "<figure><figcaption>\(escaped(title))</figcaption>",
      "<svg role=\"img\" aria-label=\"\(escaped(title))\" width=\"\(nameWidth + 560)\" height=\"\(line * bars.count)\">",
    ]
    for (index, bar) in bars.enumerated() {
      let share = longest > 0 && bar.value.isFinite ? max(0, bar.value / longest) : 0
      let width = fixed(share * 400, decimals: 1)
      let y = line * index
      lines.append("<text x=\"0\" y=\"\(y + 16)\">\(escaped(bar.name))</text>")
      lines.append("<rect x=\"\(nameWidth)\" y=\"\(y + 4)\" width=\"\(width)\" height=\"16\"/>")
      let end = fixed(Double(nameWidth) + share * 400 + 8, decimals: 1)
      lines.append("<text x=\"\(end)\" y=\"\(y + 16)\">\(escaped(bar.text))</text>")
    }
    return (lines + ["</svg></figure>"]).joined(separator: "\n")
  }
}
