import Evaluation
import Report
import DeviceModel
import RunDriver
import Support

extension SweepRecord {
  /// All numbers, a line for each point. Format: `docs/sweep.md`.
  var csv: CSVTable {
    typealias Column = CSVTable.Column<SweepOutcome>
    let axes = request.axes.indices.map { index in
      Column(request.axes[index].name) { cell($0.point.values[index]) }
    }
    let samples = samples
    let head = [
      Column("scheme") { .text($0.point.scheme) },
      Column("machine") { $0.measurement.map { .text($0.machine) } ?? .empty },
      Column("device") { .text($0.point.device) },
    ]
    let numbers: [Column] = [
      measured("adcBits") { .integer($0.adcBits) }, measured("crossbars") { .integer($0.crossbars) },
      measured("wholeArray") { .text($0.isWholeArray ? "true" : "false") },
      measured("samples") { _ in .integer(samples) }, measured("trials") { .integer($0.top1.count) },
      measured("top1Mean") { .number($0.top1.mean) },
      measured("top1StandardDeviation") { CSVTable.Cell($0.top1.standardDeviation) },
      measured("top1ConfidenceHalfWidth") { CSVTable.Cell($0.top1.confidenceHalfWidth) },
      measured("top1Low") { CSVTable.Cell($0.interval?.low) },
      measured("top1High") { CSVTable.Cell($0.interval?.high) },
      measured("top1Worst") { .number($0.top1.minimum) }, measured("top1Best") { .number($0.top1.maximum) },
      measured("comparedConversions") { .integer($0.conversions.compared) },
      measured("wrongConversions") { .integer($0.conversions.wrong) },
      measured("saturatedShare") { .number($0.saturated) },
      measured("energyPicojoules") { .number($0.energy) },
      measured("latencyNanoseconds") { .number($0.time) },
      Column("refused") { $0.refusal.map { .text("\($0.message) [\($0.id)]") } ?? .empty },
    ]
    return CSVTable(outcomes, columns: head + axes + numbers)
  }

  /// The sweep with its axes and points. Format: `docs/sweep.md`.
  var json: JSON {
    let trials = request.devices[0]
    return [
      "version": 1, "kind": "sweep", "network": .string(network), "samples": .integer(samples),
      "trials": .integer(trials.trials), "seed": .whole(trials.seed),
      "stopHalfWidth": number(trials.stopHalfWidth),
      "changes": .array(request.changes.map { .string($0) }),
      "axes": .array(
        request.axes.map { axis in
          [
            "name": .string(axis.name), "label": .string(axis.label),
            "values": .array(axis.values.map(json)),
          ]
        }),
      "points": .array(outcomes.map(json)),
    ]
  }

  private func json(_ outcome: SweepOutcome) -> JSON {
    let point = outcome.point
    let values = zip(request.axes, point.values).map { JSON.Member($0.name, json($1)) }
    let head = [
      JSON.Member("scheme", .string(point.scheme)), JSON.Member("device", .string(point.device)),
      JSON.Member("values", .object(values)),
    ]
    switch outcome.result {
    case .success(let measurement): return .object(head + measurement.members)
    case .failure(let reason):
      return .object(
        head + [JSON.Member("refused", ["id": .string(reason.id), "message": .string(reason.message)])])
    }
  }

  private func json(_ value: AxisValue) -> JSON { value.number.map { .double($0) } ?? .string(value.text) }
}

private func cell(_ value: AxisValue) -> CSVTable.Cell { .text(value.text) }

/// A column that is empty for points that were refused.
private func measured(
  _ title: String, _ cell: @escaping @Sendable (SweepMeasurement) -> CSVTable.Cell
) -> CSVTable.Column<SweepOutcome> {
  CSVTable.Column(title) { $0.measurement.map(cell) ?? .empty }
}

private func number(_ value: Double?) -> JSON { value.map { .double($0) } ?? .null }

extension SweepMeasurement {
  fileprivate var members: [JSON.Member] {
    [
      JSON.Member("machine", .string(machine)), JSON.Member("adcBits", .integer(adcBits)),
      JSON.Member("crossbars", .integer(crossbars)), JSON.Member("wholeArray", .bool(isWholeArray)),
      JSON.Member("trials", .integer(top1.count)), JSON.Member("top1", top1.json),
      JSON.Member("top1Low", number(interval?.low)), JSON.Member("top1High", number(interval?.high)),
      JSON.Member("comparedConversions", .integer(conversions.compared)),
      JSON.Member("wrongConversions", .integer(conversions.wrong)),
      JSON.Member("saturatedShare", .double(saturated)), JSON.Member("energyPicojoules", .double(energy)),
      JSON.Member("latencyNanoseconds", .double(time)),
    ]
  }
}

extension TrialStatistics {
  /// Mean, spread and ends over trials.
  fileprivate var json: JSON {
    [
      "mean": .double(mean), "standardDeviation": number(standardDeviation),
      "confidenceHalfWidth": number(confidenceHalfWidth), "worst": .double(minimum), "best": .double(maximum),
    ]
  }
}
