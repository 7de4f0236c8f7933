import Report

/// A line of the table.
struct Row {
  /// What a number counts.
  enum Unit: String {
    case images = "images/s"
    case vectors = "vectors/s"
    case products = "GOPS"
    case bytes = "GB/s"
    case numbers = "G numbers/s"
    case seconds = "s"
    case instructions = "instructions"
  }

  let section: String
  let what: String
  let number: Double
  let unit: Unit
  /// What this machine could do at most, in the same unit; nil where there is no such figure.
  var limit: Double?
  /// What else there is to say.
  var note = ""

  /// The number as a share of the limit; of a time, the limit's share of it.
  var share: Double? { limit.map { unit == .seconds ? $0 / number : number / $0 } }

  private func text(_ number: Double) -> String {
    switch unit {
    case .seconds: timeText(nanoseconds: number * 1e9)
    case .instructions: grouped(Int(number))
    default: "\(significant(number)) \(unit.rawValue)"
    }
  }

  var cells: [String] {
    [what, text(number), limit.map(text) ?? "-", share.map { percentage($0) } ?? "-", note]
  }

  var json: JSON {
    [
      "section": .string(section), "what": .string(what), "number": .double(number), "unit": .string(unit.rawValue),
      "limit": limit.map { .double($0) } ?? .null, "note": .string(note),
    ]
  }
}

/// The rows as tables, one for each section, in the order in which sections come.
func tables(_ rows: [Row]) -> String {
  var sections: [String] = []
  for row in rows where !sections.contains(row.section) { sections.append(row.section) }
  return sections.map { section in
    var table = TextTable([
      .init(section, .left), .init("reached"), .init("limit"), .init("share"), .init("", .left),
    ])
    for row in rows where row.section == section { table.add(row.cells) }
    return table.plain
  }.joined(separator: "\n")
}
