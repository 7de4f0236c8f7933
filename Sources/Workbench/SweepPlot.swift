import Evaluation
import DeviceModel
import Report

extension SweepRecord {
  /// Accuracy over the first axis, a line for each series, with the 95 % intervals of the means.
  var plot: LinePlot {
    LinePlot(
      title: "\(subject); \(measure)",
      x: LinePlot.Axis(xLabel, scale: x.kind == .unitHeight ? .log2 : x.isLogarithmic ? .log10 : .linear),
      y: LinePlot.Axis("top-1 accuracy", isPercent: true), series: series)
  }

  private var xLabel: String {
    guard x.kind == .unitHeight, let whole = wholeHeights.first else { return x.label }
    return "\(x.label) (\(whole): the whole array)"
  }

  private var series: [LinePlot.Series] {
    var names: [String] = []
    var points: [String: [LinePlot.Point]] = [:]
    for outcome in outcomes {
      let name = seriesName(of: outcome.point)
      if points[name] == nil { names.append(name) }
      points[name, default: []] += point(outcome).map { [$0] } ?? []
    }
    return names.map { name in LinePlot.Series(name, (points[name] ?? []).sorted { $0.x < $1.x }) }
  }

  /// Nil for a point that was refused.
  private func point(_ outcome: SweepOutcome) -> LinePlot.Point? {
    guard let place = outcome.point.values[0].number, let top1 = outcome.measurement?.top1 else { return nil }
    let interval = outcome.measurement?.interval
    return LinePlot.Point(place, top1.mean, low: interval?.low, high: interval?.high)
  }
}
