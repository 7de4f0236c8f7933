import Evaluation
import Report
import DeviceModel
import RunDriver
import Support

extension SweepRecord {
  /// The axis of a plot from left to right.
  var x: SweepAxis { request.axes[0] }
  /// The axis of which each value is a series.
  var second: SweepAxis? { request.axes.count > 1 ? request.axes[1] : nil }

  /// What one series is called among the others: what is not the same in all.
  func seriesName(of point: SweepPoint) -> String {
    var parts: [String] = []
    if request.schemes.count > 1 { parts.append(point.scheme) }
    if request.devices.count > 1 { parts.append(point.device) }
    if let second { parts.append("\(second.name) \(point.values[1].text)") }
    return parts.joined(separator: ", ")
  }

  /// What all points share: the network, and scheme and device where there is one.
  var subject: String {
    var parts = [network]
    if request.schemes.count == 1, let machine = outcomes.compactMap(\.measurement).first?.machine {
      parts.append("\(request.schemes[0]) on \(machine)")
    }
    let changes = changesText(request.changes)
    if request.devices.count == 1 {
      parts.append("device \(request.devices[0].device.name)\(changes)")
    } else if !changes.isEmpty {
      parts.append("all devices\(changes)")
    }
    return parts.joined(separator: ", ")
  }

  /// How the points were measured.
  var measure: String {
    let trials = request.devices[0]
    let limit = trials.stopHalfWidth.map { " until the mean is known to \(percentage($0))" } ?? ""
    let count =
      trials.trials == 1
      ? "one trial" : "\(trials.stopHalfWidth == nil ? "" : "up to ")\(grouped(trials.trials)) trials"
    return "\(grouped(samples)) samples, \(count) a point\(limit), seed \(trials.seed)"
  }

  /// A line for each point.
  var table: TextTable {
    var table = TextTable(columns.map(\.column))
    for outcome in outcomes { table.add(columns.map { $0.cell(outcome) }) }
    return table
  }

  private struct Column {
    let column: TextTable.Column
    let cell: (SweepOutcome) -> String

    init(_ title: String, _ alignment: Alignment = .right, _ cell: @escaping (SweepOutcome) -> String) {
      column = .init(title, alignment)
      self.cell = cell
    }

    /// A column of what points gave.
    static func measured(
      _ title: String, refused: String = "-", _ text: @escaping (SweepMeasurement) -> String
    )
      -> Column
    {
      Column(title) { $0.measurement.map(text) ?? refused }
    }
  }

  private var columns: [Column] {
    var columns: [Column] = []
    if request.schemes.count > 1 { columns.append(Column("scheme", .left) { $0.point.scheme }) }
    if request.devices.count > 1 { columns.append(Column("device", .left) { $0.point.device }) }
    for index in request.axes.indices.reversed() { columns.append(column(of: index)) }
    if !request.axes.contains(where: { $0.kind == .converterBits }) {
      columns.append(.measured("adc") { "\($0.adcBits) bit" })
    }
    columns += [
      .measured("top-1", refused: "refused") { percentage($0.top1.mean) },
      .measured("95 % interval", intervalText),
      .measured("worst") { percentage($0.top1.minimum) },
      .measured("best") { percentage($0.top1.maximum) },
      .measured("trials") { grouped($0.top1.count) },
      .measured("wrong conversions") { shareText($0.conversions.errorRate) },
    ]
    if outcomes.contains(where: { ($0.measurement?.saturated ?? 0) > 0 }) {
      columns.append(.measured("saturated") { shareText($0.saturated) })
    }
    return columns + [
      .measured("energy") { energyText(picojoules: $0.energy) },
      .measured("time") { timeText(nanoseconds: $0.time) },
    ]
  }

  /// The values of an axis, whole arrays with a star.
  private func column(of index: Int) -> Column {
    let axis = request.axes[index]
    let hasStars = axis.kind == .unitHeight && !wholeHeights.isEmpty
    return Column(axis.name, axis.isWord ? .left : .right) { outcome in
      let text = outcome.point.values[index].text
      guard hasStars else { return text }
      return text + (outcome.measurement?.isWholeArray == true ? "*" : " ")
    }
  }

  /// Heights at which units are whole arrays.
  var wholeHeights: [String] {
    guard let index = request.axes.firstIndex(where: { $0.kind == .unitHeight }) else { return [] }
    var heights: [String] = []
    for outcome in outcomes where outcome.measurement?.isWholeArray == true {
      let text = outcome.point.values[index].text
      if !heights.contains(text) { heights.append(text) }
    }
    return heights
  }

  /// What a reader of the table must know, a line each.
  var notes: [String] {
    var notes: [String] = []
    if !wholeHeights.isEmpty {
      notes.append(
        "* the whole array is read at once: the over-idealized design, which real cells and converters do not allow"
      )
    }
    if hasHeights && outcomes.contains(where: { $0.measurement?.isLossless == true }) {
      notes.append(
        "converters have as many bits as a full unit needs, so that the device is seen and not saturation "
          + "(--over adc=... or --set 'form-units(adc: N)' fixes them)")
    }
    if hasHeights {
      notes.append(
        "time counts activations; the machine's cycle is taken to be the same for all heights and converters")
    }
    return notes + refusals
  }

  private var hasHeights: Bool { request.axes.contains { $0.kind == .unitHeight } }

  /// The reasons of points that were refused, each with the number of points.
  private var refusals: [String] {
    var reasons: [Diagnostic] = []
    var points: [Diagnostic: [SweepPoint]] = [:]
    for outcome in outcomes {
      guard let reason = outcome.refusal else { continue }
      if points[reason] == nil { reasons.append(reason) }
      points[reason, default: []].append(outcome.point)
    }
    return reasons.map { reason in
      let refused = points[reason] ?? []
      let first = refused.first.map(name) ?? ""
      let others = refused.count > 1 ? " and \(grouped(refused.count - 1)) more" : ""
      return "refused: \(first)\(others): \(reason.message) [\(reason.id)]"
    }
  }

  /// A point for messages, such as `isaac, height 16`.
  private func name(_ point: SweepPoint) -> String {
    let series = seriesName(of: point)
    return (series.isEmpty ? "" : "\(series), ") + "\(x.name) \(point.values[0].text)"
  }
}

/// What was changed in a device, after its name.
func changesText(_ changes: [String]) -> String {
  changes.isEmpty ? "" : " (\(changes.joined(separator: ", ")))"
}

/// The 95 % interval of a mean over trials, or of a single one.
private func intervalText(_ measurement: SweepMeasurement) -> String {
  if let half = measurement.top1.halfWidthWithinEnds { return "+- \(percentage(half))" }
  return measurement.interval.map { Report.intervalText($0.low, $0.high) } ?? "-"
}

/// A share that may be very small.
func shareText(_ share: Double) -> String {
  if share == 0 { return "none" }
  return share < 0.001 ? "\(significant(share * 1e6)) ppm" : percentage(share)
}
