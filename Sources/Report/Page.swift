/// A report as one HTML file without references to others: text, tables, bar charts and plots.
public struct Page: Equatable, Sendable {
  /// A part of the page.
  public enum Part: Equatable, Sendable {
    /// A heading.
    case heading(String)
    /// A paragraph.
    case paragraph(String)
    /// Names with values, such as the settings of a run.
    case facts([Fact])
    /// A table.
    case table(TextTable)
    /// A horizontal bar for each entry.
    case bars(BarChart)
    /// Lines over an axis.
    case plot(LinePlot)
  }

  /// A name with its value.
  public struct Fact: Equatable, Sendable {
    /// The name.
    public let name: String
    /// The value.
    public let value: String

    /// Creates a fact.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The title.
  public let title: String
  /// The parts in their order.
  public private(set) var parts: [Part] = []

  /// Starts a page.
  public init(title: String) { self.title = title }

  /// Adds a part.
  public mutating func add(_ part: Part) { parts.append(part) }

  /// The file's text.
  public var html: String {
    var text = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>\(escaped(title))</title>
      <style>
      body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
      table { border-collapse: collapse; margin: 1rem 0 }
      th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap }
      th.left, td.left { text-align: left }
      tr.total td { border-top: 2px solid #888; font-weight: 600 }
      svg text { font: 13px system-ui, sans-serif; fill: #222 }
      svg rect { fill: #4a7ab5 }
      </style>
      </head>
      <body>
      <h1>\(escaped(title))</h1>

      """
    for part in parts { text += part.html + "\n" }
    return text + "</body>\n</html>\n"
  }
}

extension Page.Part {
  /// The part's HTML.
  var html: String {
    switch self {
    case .heading(let text): return "<h2>\(escaped(text))</h2>"
    case .paragraph(let text): return "<p>\(escaped(text))</p>"
    case .facts(let facts):
      let rows = facts.map {
        "<tr><td class=\"left\">\(escaped($0.name))</td><td class=\"left\">\(escaped($0.value))</td></tr>"
      }
      return "<table>\n\(rows.joined(separator: "\n"))\n</table>"
    case .table(let table): return html(table)
    case .bars(let chart): return chart.svg
    case .plot(let plot): return plot.figure
    }
  }

  private func html(_ table: TextTable) -> String {
    func cells(_ texts: [String], _ tag: String) -> String {
      zip(table.columns, texts).map { column, text in
        "<\(tag)\(column.alignment == .left ? " class=\"left\"" : "")>\(escaped(text))</\(tag)>"
      }.joined()
    }
    let head = "<tr>\(cells(table.columns.map(\.title), "th"))</tr>"
    let rows = table.rows.enumerated().map { index, row in
      let isTotal = index >= table.rows.count - table.totals
      return "<tr\(isTotal ? " class=\"total\"" : "")>\(cells(row, "td"))</tr>"
    }
    return "<table>\n\(([head] + rows).joined(separator: "\n"))\n</table>"
  }
}

/// `text` with the characters replaced that mean something in HTML.
func escaped(_ text: String) -> String {
  var result = ""
  for character in text.unicodeScalars {
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    default: result.unicodeScalars.append(character)
    }
  }
  return result
}
