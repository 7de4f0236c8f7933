import Evaluation
import Report
import DeviceModel
import Driver
import Executor
import Hardware
import RunDriver
import Support

/// What speed-ups and savings refer to.
private struct Yardstick {
  let name: String
  /// Where it comes from, if it is no scheme of the comparison.
  let source: String?
  /// Time of a sample in nanoseconds.
  let time: Double
  /// Energy of a sample in picojoules.
  let energy: Double
  /// The same layer by layer, in the order of the program.
  let layers: [(time: Double, energy: Double)]

  init(_ result: SchemeResult) {
    let samples = Double(max(1, result.run.samples))
    name = result.compiled.scheme
    source = nil
    time = result.run.timePerSample
    energy = result.run.energyPerSample
    layers = result.run.layers.map { layer in
      (layer.cost.latencyNanoseconds / samples, layer.cost.energyPicojoules.total / samples)
    }
  }

  init(_ baseline: Baseline, as name: String, of scheme: String, samples: Int) {
    let samples = Double(max(1, samples))
    self.name = name
    source =
      "the \(baseline.name) baseline of \(scheme): its matrices with every cell mapped, \(grouped(baseline.crossbars)) "
      + "crossbars of \(baseline.machine.name)"
    time = baseline.totalCost.latencyNanoseconds / samples
    energy = baseline.totalCost.energyPicojoules.total / samples
    layers = baseline.layers.map { layer in
      (layer.cost.latencyNanoseconds / samples, layer.cost.energyPicojoules.total / samples)
    }
  }
}

extension Yardstick {
  /// The time and the energy of some layers of the program; nil where it has other layers.
  fileprivate func sum(of members: Range<Int>) -> (time: Double, energy: Double)? {
    guard members.upperBound <= layers.count else { return nil }
    return layers[members].reduce((0, 0)) { ($0.0 + $1.time, $0.1 + $1.energy) }
  }
}

extension Comparison {
  /// The scheme called `scheme` where it was run, else the baseline called `baseline` of the first scheme.
  private func yardstick(_ scheme: String, _ baseline: String) -> Yardstick? {
    if let found = schemes.first(where: { $0.compiled.scheme == scheme }) { return Yardstick(found) }
    guard let run = schemes.first?.run, let found = run.baselines.first(where: { $0.name == baseline }) else {
      return nil
    }
    return Yardstick(
      found, as: scheme, of: schemes.first?.compiled.scheme ?? "", samples: run.samples)
  }

  private var dense: Yardstick? { yardstick("dense", "dense") }
  private var isaac: Yardstick? { yardstick("isaac", "idealized") }

  /// Says what `dense` and `isaac` are where they were not run.
  var notes: String {
    let sources = [dense, isaac].compactMap { yardstick in
      yardstick.flatMap { found in found.source.map { "\(found.name): \($0)\n" } }
    }
    let segments = schemes.compactMap { result in
      result.run.segments.map {
        "\(result.compiled.scheme): segments \($0.text); \(result.run.segmentNote)\n"
      }
    }
    return (sources + segments).joined()
  }

  private static let columns: [TextTable.Column] = [
    .init("scheme", .left), .init("machine", .left), .init("top-1"), .init("95 % interval"),
    .init("crossbars"),
    .init("area"), .init("OU activations"), .init("saturated"), .init("table bits"), .init("energy"),
    .init("time"),
    .init("speed-up vs dense"), .init("energy saving vs dense"), .init("speed-up vs isaac"),
    .init("energy saving vs isaac"),
  ]

  /// One line for each scheme; events, energy and time are those of one sample, the mean over all.
  var table: TextTable {
    var table = TextTable(Comparison.columns)
    let none = [String](repeating: "-", count: Comparison.columns.count - 4)
    table.add(
      ["float", "-", share(float.accuracy?.top1, float.outputs.count), text(float.accuracy?.top1Interval)]
        + none)
    let references = [dense, isaac]
    for result in schemes { table.add(row(result, references)) }
    return table
  }

  /// What was compared, on which device.
  var title: String {
    let samples = schemes.first?.run.samples ?? 0
    var parts = ["\(network), \(grouped(samples)) samples"]
    if let trials = schemes.first?.run.trials?.settings {
      let count = trials.trials == 1 ? "one trial" : "\(grouped(trials.trials)) trials at most"
      parts.append(
        "device \(trials.device.name)\(changesText(request.changes)), \(count), seed \(trials.seed)")
    }
    return (parts + ["events, energy and time per sample"]).joined(separator: "; ")
  }

  /// The share of right answers; over several trials the mean.
  private func accuracy(_ run: RunRecord) -> String {
    guard let top1 = run.trials?.top1 else { return share(run.accuracy?.top1, run.samples) }
    return percentage(top1.mean)
  }

  private func interval(_ run: RunRecord) -> ShareInterval? {
    run.trials.map { $0.top1?.interval(samples: run.samples) } ?? run.accuracy?.top1Interval
  }

  private func text(_ interval: ShareInterval?) -> String {
    interval.map { intervalText($0.low, $0.high) } ?? "-"
  }

  private func share(_ hits: Int?, _ count: Int) -> String {
    hits.map { percentage(Double($0) / Double(max(1, count))) } ?? "-"
  }

  private func row(_ result: SchemeResult, _ references: [Yardstick?]) -> [String] {
    let run = result.run
    let events = run.total.events
    let saturated = Double(events.adcSaturations) / Double(max(1, events.adcConversions))
    let gains = references.flatMap { reference in
      reference.map {
        [factorText($0.time, over: run.timePerSample), savingText(run.energyPerSample, of: $0.energy)]
      } ?? ["-", "-"]
    }
    return [
      result.compiled.scheme, result.compiled.machine, accuracy(run), text(interval(run)),
      grouped(result.compiled.total.crossbars), areaText(squareMicrometers: result.compiled.area),
      mean(events.ouActivations, run.samples),
      events.adcSaturations == 0 ? "none" : "\(significant(saturated * 1e6)) ppm",
      grouped(result.compiled.total.indexBits + result.compiled.total.shiftBits),
      energyText(picojoules: run.energyPerSample),
      timeText(nanoseconds: run.timePerSample),
    ] + gains
  }

  private func mean(_ count: Int, _ samples: Int) -> String {
    grouped((count + samples / 2) / max(1, samples))
  }

  /// For each scheme, a table with a line for each layer; numbers are those of one sample.
  var layerTables: [(title: String, table: TextTable)] {
    let reference = dense
    return schemes.map { result in
      (
        "\(result.compiled.scheme) on \(result.compiled.machine), per layer and sample",
        layerTable(result, reference)
      )
    }
  }

  private func layerTable(_ result: SchemeResult, _ reference: Yardstick?) -> TextTable {
    var table = TextTable([
      .init("layer", .left), .init("matrix"), .init("crossbars"), .init("cells"), .init("OU activations"),
      .init("cycles"),
      .init("saturated"), .init("table bits"), .init("energy"), .init("time"), .init("speed-up vs dense"),
      .init("energy saving vs dense"),
    ])
    let lines = zip(zip(result.run.lines, result.run.groups), result.compiled.lines)
    for ((run, group), compiled) in lines {
      table.add(layerRow(run, compiled, samples: result.run.samples, reference?.sum(of: group.members)))
    }
    return table
  }

  private func layerRow(
    _ run: LayerRun, _ line: LayerLine, samples: Int, _ base: (time: Double, energy: Double)?
  ) -> [String] {
    let time = run.cost.latencyNanoseconds / Double(max(1, samples))
    let energy = run.cost.energyPicojoules.total / Double(max(1, samples))
    let compiled = line.record
    return [
      run.name, line.matrix, grouped(compiled.crossbars),
      grouped(compiled.cellsUsed), mean(run.events.ouActivations, samples), mean(run.events.cycles, samples),
      mean(run.events.adcSaturations, samples), grouped(compiled.indexBits + compiled.shiftBits),
      energyText(picojoules: energy),
      timeText(nanoseconds: time), base.map { factorText($0.time, over: time) } ?? "-",
      base.map { savingText(energy, of: $0.energy) } ?? "-",
    ]
  }

  /// The comparison as JSON; counts are sums over all samples.
  var json: JSON {
    [
      "version": 1, "kind": "compare", "network": .string(network),
      "samples": .integer(schemes.first?.run.samples ?? 0),
      "floatTop1": hits(float.accuracy?.top1), "floatTop1Interval": json(float.accuracy?.top1Interval),
      "floatTop5": hits(float.accuracy?.top5),
      "schemes": .array(schemes.map(schemeJSON)),
    ]
  }

  private func json(_ interval: ShareInterval?) -> JSON {
    interval.map { ["low": .double($0.low), "high": .double($0.high)] } ?? .null
  }

  /// What is worth saying about the samples, each thing once.
  var warnings: [Diagnostic] {
    var found: [Diagnostic] = []
    for item in float.notes + schemes.flatMap(\.run.warnings) where !found.contains(item) {
      found.append(item)
    }
    return found
  }

  /// Right answers among all samples.
  private func hits(_ count: Int?) -> JSON { count.map { .integer($0) } ?? .null }

  /// The compile report and the metrics of a scheme, side by side.
  private func schemeJSON(_ result: SchemeResult) -> JSON {
    [
      "scheme": .string(result.compiled.scheme), "machine": .string(result.compiled.machine),
      "top1": hits(result.run.accuracy?.top1), "top5": hits(result.run.accuracy?.top5),
      "crossbars": .integer(result.compiled.total.crossbars),
      "compile": result.compiled.json,
      "run": result.run.json,
    ]
  }
}
