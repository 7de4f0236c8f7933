/// How a series looks: a color, a marker and a dash pattern, which differ even where colors look alike.
struct SeriesLook {
  /// Colors that people with any kind of color vision tell apart on white, without the palette's yellow, which is
  /// too faint there. Source: M. Okabe, K. Ito, "Color Universal Design", 2008.
  private static let colors = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333",
  ]
  /// Outlines around 0, 0 as relative moves.
  private static let outlines = [
    "m-4.4 0a4.4 4.4 0 1 0 8.8 0a4.4 4.4 0 1 0 -8.8 0Z", "m-4 -4h8v8h-8Z", "m0 -5.4l5 8.8h-10Z",
    "m0 -5.6l5 5.6l-5 5.6l-5 -5.6Z", "m0 5.4l5 -8.8h-10Z",
    "m-1.7 -5h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3Z",
    "m0 -5.6l4.9 2.8v5.6l-4.9 2.8l-4.9 -2.8v-5.6Z",
  ]
  private static let dashes = ["", ";stroke-dasharray:7 3", ";stroke-dasharray:2 3"]

  private let index: Int

  /// The look of series `index`; looks repeat after 147 series.
  init(_ index: Int) { self.index = index }

  private var round: Int { index / Self.colors.count }

  /// The color.
  var color: String { Self.colors[index % Self.colors.count] }

  /// The style of the line.
  var line: String {
    "stroke:\(color);stroke-width:2;fill:none;stroke-linejoin:round\(Self.dashes[round % Self.dashes.count])"
  }

  /// The style of interval bars.
  var bar: String { "stroke:\(color);stroke-width:1.2;fill:none" }

  /// The marker at a place.
  func marker(x: Double, y: Double) -> String {
    let outline = Self.outlines[(index + round) % Self.outlines.count]
    return path("M\(pixels(x)) \(pixels(y))\(outline)", "fill:\(color);stroke:#fff;stroke-width:1")
  }
}

/// An upright line with caps.
func intervalBar(_ x: Double, _ low: Double, _ high: Double) -> String {
  let cap = "\(pixels(x - 4))"
  return "M\(cap) \(pixels(low))h8M\(pixels(x)) \(pixels(low))V\(pixels(high))M\(cap) \(pixels(high))h8"
}

/// A `path` element.
func path(_ data: String, _ style: String) -> String { "<path d=\"\(data)\" style=\"\(style)\"/>" }

/// A `text` element on the baseline at a place.
func text(_ line: String, x: Double, y: Double, _ style: String, _ attribute: String = "") -> String {
  let place = "x=\"\(pixels(x))\" y=\"\(pixels(y))\"" + (attribute.isEmpty ? "" : " \(attribute)")
  return "<text \(place) style=\"\(style)\">\(drawable(line))</text>"
}

/// How wide `text` is at most in most fonts; they are not known.
func textWidth(_ text: String, size: Double) -> Double { 0.6 * size * Double(text.count) }

/// A coordinate.
func pixels(_ value: Double) -> String { fixed(value, decimals: 1) }

/// The words of `text` in lines of at most `limit` characters, unless a word is longer.
func lines(of text: String, upTo limit: Int) -> [String] {
  text.split(whereSeparator: \.isWhitespace).reduce(into: []) { lines, word in
    if let last = lines.last, last.count + 1 + word.count <= limit {
      lines[lines.count - 1] = "\(last) \(word)"
    } else {
      lines.append(String(word))
    }
  }
}

/// `text` escaped, with characters replaced that XML 1.0 does not allow.
func drawable(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    let isControl = scalar.value < 0x20 && scalar != "\t" && scalar != "\n" && scalar != "\r"
    let isForbidden = isControl || scalar.value == 0xFFFE || scalar.value == 0xFFFF
    result.unicodeScalars.append(isForbidden ? "\u{FFFD}" : scalar)
  }
  return escaped(result)
}
