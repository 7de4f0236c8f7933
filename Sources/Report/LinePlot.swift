/// Lines over a common x axis, such as accuracies over the spread of cells: a figure for a page or a paper.
///
/// Equal plots give equal bytes. Points without a place, because a coordinate is undefined, infinite or not positive
/// on a logarithmic axis, are left out, and the line is broken there.
public struct LinePlot: Equatable, Sendable {
  /// How an axis spaces its values.
  public enum Scale: Hashable, Sendable {
    /// Equal differences are equally long; ticks at 1, 2 or 5 times a power of ten.
    case linear
    /// Equal factors are equally long; ticks at powers of two.
    case log2
    /// Equal factors are equally long; ticks at powers of ten, and between them where there is room.
    case log10
  }

  /// An axis.
  public struct Axis: Equatable, Sendable {
    /// What it shows, with its unit.
    public let label: String
    /// How it spaces its values.
    public let scale: Scale
    /// The first and the last value; nil, or a range that the scale cannot show, leaves the choice to the data.
    public let range: ClosedRange<Double>?
    /// Whether values are shares that are written as percentages.
    public let isPercent: Bool

    /// Creates an axis.
    public init(
      _ label: String, scale: Scale = .linear, range: ClosedRange<Double>? = nil, isPercent: Bool = false
    ) {
      self.label = label
      self.scale = scale
      self.range = range
      self.isPercent = isPercent
    }
  }

  /// A value of a series.
  public struct Point: Equatable, Sendable {
    /// The position on the x axis.
    public let x: Double
    /// The position on the y axis.
    public let y: Double
    /// The lower end of the 95 % interval of `y`.
    public let low: Double?
    /// The upper end of the 95 % interval of `y`; the interval is drawn where both ends are given.
    public let high: Double?

    /// Creates a point.
    public init(_ x: Double, _ y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }

    /// Creates a point whose 95 % interval reaches equally far to both sides.
    public init(_ x: Double, _ y: Double, plusMinus halfWidth: Double?) {
      self.init(x, y, low: halfWidth.map { y - $0 }, high: halfWidth.map { y + $0 })
    }
  }

  /// Points that a line joins.
  public struct Series: Equatable, Sendable {
    /// The name in the legend; a series without one is not in it.
    public let name: String
    /// The points in the order in which the line visits them.
    public let points: [Point]

    /// Creates a series.
    public init(_ name: String, _ points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  /// How intervals are drawn.
  public enum IntervalStyle: Hashable, Sendable {
    /// An upright bar with caps at each point.
    case bars
    /// A shaded area along the line.
    case band
  }

  /// What the lines show.
  public let title: String
  /// The axis from left to right.
  public let x: Axis
  /// The axis from bottom to top.
  public let y: Axis
  /// The lines; later ones are drawn over earlier ones.
  public let series: [Series]
  /// How intervals are drawn.
  public let intervals: IntervalStyle

  /// Creates a plot.
  public init(title: String, x: Axis, y: Axis, series: [Series], intervals: IntervalStyle = .bars) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.intervals = intervals
  }

  /// The text of an SVG file that refers to no others.
  public var svgDocument: String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\(PlotDrawing(self, isInline: false).svg)\n"
  }

  /// The drawing as part of a page, with the title as its caption.
  var figure: String {
    let caption = "<figure><figcaption>\(escaped(title))</figcaption>"
    return "\(caption)\n\(PlotDrawing(self, isInline: true).svg)</figure>"
  }
}
