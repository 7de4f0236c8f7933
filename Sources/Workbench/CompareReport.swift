import CommandLineTools
import DeviceModel
import Driver
import Executor

extension Comparison {
  private static let columns: [TextTable.Column] = [
    .init("scheme", .left), .init("machine", .left), .init("top-1"), .init("crossbars"),
    .init("OU activations"),
    .init("ADC conversions"), .init("saturated"), .init("energy"), .init("time"), .init("speed-up"),
    .init("energy saved"),
  ]

  /// One line for each scheme; events, energy and time are those of one sample, the mean over all.
  var table: TextTable {
    var table = TextTable(Comparison.columns)
    let none = [String](repeating: "-", count: 8)
    table.add(["float", "-", share(float.accuracy?.top1, float.outputs.count)] + none)
    for result in schemes { table.add(row(result)) }
    return table
  }

  private func share(_ hits: Int?, _ count: Int) -> String {
    hits.map { percentage(Double($0) / Double(max(1, count))) } ?? "-"
  }

  private func row(_ result: SchemeResult) -> [String] {
    let total = result.run.total
    func mean(_ count: Int) -> String {
      grouped((count + result.run.samples / 2) / max(1, result.run.samples))
    }
    let saturated = Double(total.adcSaturations) / Double(max(1, total.adcConversions))
    return [
      result.record.scheme, result.record.machine, share(result.accuracy?.top1, result.run.samples),
      grouped(result.record.total.crossbars), mean(total.ouActivations), mean(total.adcConversions),
      total.adcSaturations == 0 ? "none" : "\(significant(saturated * 1e6)) ppm",
      energyText(picojoules: result.energyPerSample),
      timeText(nanoseconds: result.timePerSample), ratio(result, \.timePerSample), saving(result),
    ]
  }

  /// The scheme that speed-up and saving refer to: `dense` where it is there, the first otherwise.
  private var baseline: SchemeResult? { schemes.first { $0.record.scheme == "dense" } ?? schemes.first }

  private func ratio(_ result: SchemeResult, _ path: KeyPath<SchemeResult, Double>) -> String {
    guard let base = baseline, result[keyPath: path] > 0 else { return "-" }
    return "\(fixed(base[keyPath: path] / result[keyPath: path], decimals: 2))x"
  }

  private func saving(_ result: SchemeResult) -> String {
    guard let base = baseline, base.energyPerSample > 0 else { return "-" }
    return percentage(1 - result.energyPerSample / base.energyPerSample)
  }

  /// For each scheme, one line for each layer; numbers are those of one sample.
  var layerTables: String {
    schemes.map { result in
      var table = TextTable([
        .init("layer", .left), .init("matrix"), .init("crossbars"), .init("OU activations"), .init("cycles"),
        .init("ADC conversions"), .init("saturated"), .init("energy"), .init("time"),
      ])
      let samples = max(1, result.run.samples)
      for (index, layer) in result.run.layers.enumerated() {
        let record = result.record.layers.indices.contains(index) ? result.record.layers[index] : nil
        table.add([
          layer.name, record.map { "\($0.rows)x\($0.columns)" } ?? "-",
          record.map { grouped($0.crossbars) } ?? "-",
          grouped(layer.events.ouActivations / samples), grouped(layer.events.cycles / samples),
          grouped(layer.events.adcConversions / samples), grouped(layer.events.adcSaturations / samples),
          energyText(picojoules: result.layerCosts[index].energyPicojoules.total / Double(samples)),
          timeText(nanoseconds: result.layerCosts[index].latencyNanoseconds / Double(samples)),
        ])
      }
      return "\n\(result.record.scheme) on \(result.record.machine), per layer and sample\n\(table.plain)"
    }.joined()
  }

  /// The comparison as JSON; counts are sums over all samples.
  var json: JSON {
    [
      "version": 1, "kind": "compare", "network": .string(network),
      "samples": .integer(schemes.first?.run.samples ?? 0),
      "floatTop1": hits(float.accuracy?.top1), "floatTop5": hits(float.accuracy?.top5),
      "schemes": .array(schemes.map(schemeJSON)),
    ]
  }

  /// Right answers among all samples.
  private func hits(_ count: Int?) -> JSON { count.map { .integer($0) } ?? .null }

  private func schemeJSON(_ result: SchemeResult) -> JSON {
    let events = Events.fields.map { JSON.Member($0.name, .integer(result.run.total[keyPath: $0.path])) }
    let energy = EnergyBreakdown.fields.map {
      JSON.Member($0.name, .double(result.cost.energyPicojoules[keyPath: $0.path]))
    }
    return [
      "scheme": .string(result.record.scheme), "machine": .string(result.record.machine),
      "top1": hits(result.accuracy?.top1), "top5": hits(result.accuracy?.top5),
      "crossbars": .integer(result.record.total.crossbars), "events": .object(events),
      "energyPicojoules": .object(energy), "latencyNanoseconds": .double(result.cost.latencyNanoseconds),
    ]
  }
}
