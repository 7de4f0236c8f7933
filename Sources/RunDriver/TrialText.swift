import Evaluation
import DeviceModel
import Executor
import Hardware
import Mapping
import ProgramFormat
import Report

extension TrialRecord {
  /// The accuracy over trials, for people.
  var facts: [Page.Fact] {
    var facts = [Page.Fact("trials", trialText)]
    if let top1 { facts += [Page.Fact("top-1", text(top1)), Page.Fact("top-1 range", range(top1))] }
    if let top5 { facts.append(Page.Fact("top-5", text(top5))) }
    return facts
  }

  private var trialText: String {
    let early =
      trials.count < settings.trials
      ? " of \(grouped(settings.trials)), as the mean is known well enough" : ""
    return "\(grouped(trials.count))\(early), seed \(settings.seed)"
      + (settings.mode == .table ? ", codes drawn from error tables" : "")
  }

  /// The 95 % interval of the mean over trials, or of the share in a single one.
  private func interval(_ statistics: TrialStatistics) -> ShareInterval? {
    statistics.interval(samples: samples)
  }

  /// The mean with its 95 % interval.
  private func text(_ statistics: TrialStatistics) -> String {
    if let half = statistics.halfWidthWithinEnds {
      return "\(percentage(statistics.mean)) +- \(fixed(half * 100, decimals: 2)) (95 %)"
    }
    guard let interval = interval(statistics) else { return percentage(statistics.mean) }
    return "\(percentage(statistics.mean)), 95 % interval \(intervalText(interval.low, interval.high))"
  }

  private func range(_ statistics: TrialStatistics) -> String {
    "worst \(percentage(statistics.minimum)), best \(percentage(statistics.maximum))"
  }

  /// How codes differ from those of an ideal device, layer by layer; nil where nothing was compared.
  func partialSumTable(_ program: Program) -> TextTable? {
    guard partialSums.contains(where: { $0.compared > 0 }) else { return nil }
    var table = TextTable([
      .init("layer", .left), .init("compared"), .init("other codes"), .init("mean error"), .init("rms error"),
    ])
    var total = PartialSumErrors()
    for (layer, errors) in zip(program.layers, partialSums) {
      table.add(row(layer.name, errors))
      total += errors
    }
    table.add(total: row("total", total))
    return table
  }

  private func row(_ name: String, _ errors: PartialSumErrors) -> [String] {
    [
      name, grouped(errors.compared), "\(significant(errors.errorRate * 100)) %",
      fixed(errors.meanError, decimals: 4), fixed(errors.rootMeanSquare, decimals: 4),
    ]
  }

  /// The trials for scripts.
  func json(_ program: Program) -> JSON {
    let figures = DeviceField.all.map { field in
      JSON.Member(field.path, .string(field.text(of: settings.device)))
    }
    return [
      "device": .object(figures), "nonidealities": .array(nonidealities),
      "mode": .string(settings.mode.rawValue),
      "seed": .whole(settings.seed), "faults": .integer(settings.faults.count),
      "asked": .integer(settings.trials), "made": .integer(trials.count), "top1": json(top1),
      "top5": json(top5),
      "top1OfTrials": .array(
        trials.compactMap { trial in
          trial.accuracy.map { .double(Double($0.top1) / Double(max(1, samples))) }
        }), "partialSums": .array(zip(program.layers, partialSums).map { json($0.name, $1) }),
    ]
  }

  private var nonidealities: [JSON] {
    Nonideality.allCases.filter { settings.device.isOn($0) }.map { .string($0.rawValue) }
  }

  private func json(_ statistics: TrialStatistics?) -> JSON {
    guard let statistics else { return .null }
    return [
      "mean": .double(statistics.mean),
      "standardDeviation": statistics.standardDeviation.map { .double($0) } ?? .null,
      "confidenceHalfWidth": statistics.confidenceHalfWidth.map { .double($0) } ?? .null,
      "interval": intervalJSON(interval(statistics)), "worst": .double(statistics.minimum),
      "best": .double(statistics.maximum),
    ]
  }

  private func json(_ name: String, _ errors: PartialSumErrors) -> JSON {
    [
      "name": .string(name), "compared": .integer(errors.compared), "wrong": .integer(errors.wrong),
      "meanError": .double(errors.meanError), "rootMeanSquare": .double(errors.rootMeanSquare),
    ]
  }
}
