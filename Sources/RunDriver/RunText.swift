import Evaluation
import DeviceModel
import Executor
import Hardware
import Mapping
import ProgramFormat
public import Report

extension RunRecord {
  /// Layers and their sum, as averages over the samples.
  public var table: TextTable {
    var table = TextTable([
      .init("layer", .left), .init("OU activations"), .init(plansFetches ? "clocks" : "cycles"),
      .init("conversions"),
      .init("saturations"),
      .init("energy"), .init("time"),
    ])
    for line in lines { table.add(row(line)) }
    table.add(total: row(total))
    return table
  }

  /// Which of `layers` are a line of tables together: the groups of a convolution.
  public var groups: [LayerGroup] {
    let together = program.layersOfOneBody
    return layerGroups(layers.map(\.name)) { together.contains($0) }
  }

  /// The lines of tables: the layers, with the groups of a convolution as one, then the digital operators and writing.
  public var lines: [LayerRun] {
    groups.map { group in
      let first = layers[group.members.lowerBound]
      var (events, cost) = (Events(), Cost())
      for layer in layers[group.members] {
        events += layer.events
        cost += layer.cost
      }
      return LayerRun(name: group.name, layer: first.layer, events: events, cost: cost)
    }
  }

  /// Whether the time of layers is in clocks of the machine's memories, not in cycles.
  private var plansFetches: Bool { program.layers.contains { $0.fetch != nil } }

  private func row(_ run: LayerRun) -> [String] {
    let counts = [
      run.events.ouActivations, plansFetches ? run.events.clocks : run.events.cycles,
      run.events.adcConversions,
      run.events.adcSaturations,
    ]
    if isWriting(run) && run.cost.omitsWriting {
      return [run.name] + counts.map { average($0) } + ["not known", "not known"]
    }
    return [run.name] + counts.map { average($0) } + [
      energyText(picojoules: perSample(run.cost.energyPicojoules.total)),
      timeText(nanoseconds: perSample(run.cost.latencyNanoseconds)),
    ]
  }

  /// The dense mapping and the over-idealized array for the same inputs, as averages over the samples; nil where they
  /// are not known.
  public var baselineTable: TextTable? {
    if baselines.isEmpty { return nil }
    var table = TextTable([
      .init("baseline", .left), .init("machine", .left), .init("crossbars"), .init("OU activations"),
      .init("cycles"),
      .init("conversions"), .init("energy"), .init("time"), .init("speed-up"), .init("energy saving"),
    ])
    for baseline in baselines { table.add(row(baseline)) }
    return table
  }

  /// Speed-up and saving are those of this run against the baseline.
  private func row(_ baseline: Baseline) -> [String] {
    let (events, cost) = (baseline.total, baseline.totalCost)
    let energy = cost.energyPicojoules.total
    let counts = [events.ouActivations, events.cycles, events.adcConversions]
    return [baseline.name, baseline.machine.name, grouped(baseline.crossbars)] + counts.map { average($0) }
      + [
        energyText(picojoules: perSample(energy)), timeText(nanoseconds: perSample(cost.latencyNanoseconds)),
        factorText(cost.latencyNanoseconds, over: computing.latencyNanoseconds),
        savingText(computing.energyPicojoules.total, of: energy),
      ]
  }

  /// What the run costs without the writing of segments, which baselines do not count.
  private var computing: Cost {
    var cost = Cost()
    for layer in layers where !isWriting(layer) { cost += layer.cost }
    return cost
  }

  private func isWriting(_ run: LayerRun) -> Bool {
    segments != nil && run.layer == nil && run.name == "writing"
  }

  private func perSample(_ value: Double) -> Double { samples == 0 ? 0 : value / Double(samples) }

  /// An average count: whole where it is.
  private func average(_ count: Int) -> String {
    guard samples > 0 else { return "0" }
    if count % samples == 0 || count / samples >= 1000 { return grouped((count + samples / 2) / samples) }
    return significant(Double(count) / Double(samples))
  }

  /// The settings and the accuracy.
  var facts: [Page.Fact] {
    let array = program.machine.array
    var facts = [
      Page.Fact("network", program.name),
      Page.Fact(
        "machine",
        "\(program.machine.name): crossbars \(array.rows)x\(array.columns), \(array.cellBits)-bit cells, units "
          + "\(array.unitHeight)x\(array.unitWidth)"),
      Page.Fact("device", device), Page.Fact("crossbars", grouped(program.crossbars.count)),
      Page.Fact("samples", grouped(samples)),
    ]
    for input in inputs { facts.append(Page.Fact("input", text(of: input))) }
    if let segments { facts.append(Page.Fact("segments", segments.text)) }
    if let trials { return facts + trials.facts }
    if let accuracy, samples > 0 {
      facts.append(Page.Fact("top-1", text(accuracy.top1, accuracy.top1Interval)))
      facts.append(Page.Fact("top-5", text(accuracy.top5, accuracy.top5Interval)))
    }
    return facts
  }

  /// A share of the samples with its 95 % interval.
  private func text(_ hits: Int, _ interval: ShareInterval?) -> String {
    percentage(Double(hits) / Double(max(1, samples)))
      + (interval.map { ", 95 % interval \(intervalText($0.low, $0.high))" } ?? "")
  }

  private func text(of input: InputCounts) -> String {
    let clamps =
      input.quantized == 0
      ? "not quantized before a layer"
      : "\(input.clamps == 0 ? "none" : percentage(input.clampedShare)) clamped"
    return "\(input.name): \(grouped(input.values)) values, \(clamps), "
      + (input.nans == 0 ? "no NaN" : "\(grouped(input.nans)) NaN")
  }

  /// What `xbarrun` prints.
  public var text: String {
    let width = facts.map(\.name.count).max() ?? 0
    let head = facts.map { fact in
      fact.name + String(repeating: " ", count: width - fact.name.count + 2) + fact.value + "\n"
    }
    let room = segments == nil ? "" : " in as many crossbars as they take and without writing"
    let baselineText =
      baselineTable.map { "\nthe same matrices, every cell mapped\(room):\n" + $0.plain } ?? ""
    let codes =
      trials?.partialSumTable(program).map {
        "\nconversion codes against those of an ideal device, for the same inputs of a layer:\n" + $0.plain
      } ?? ""
    let title = trials == nil ? "per sample" : "per sample of the first trial"
    let writing = segmentTable.map { "\n\(segmentTitle):\n" + $0.plain + "\(segmentNote)\n" } ?? ""
    return head.joined() + "\n\(title):\n" + table.plain + writing + codes + baselineText
  }

  /// The report as a page.
  public var page: Page {
    var page = Page(title: "\(program.name) on \(program.machine.name)")
    page.add(.facts(facts))
    page.add(.heading("Layers, per sample"))
    page.add(.table(table))
    if let table = segmentTable {
      page.add(.heading("Segments, \(segmentTitle)"))
      page.add(.table(table))
      page.add(.paragraph(segmentNote))
    }
    if let table = trials?.partialSumTable(program) {
      page.add(
        .heading("Conversion codes against those of an ideal device, for the same inputs of a layer"))
      page.add(.table(table))
    }
    if let table = baselineTable {
      page.add(.heading("The same matrices, every cell mapped, per sample"))
      page.add(.table(table))
    }
    let energy = total.cost.energyPicojoules
    page.add(
      .bars(
        BarChart(
          title: "Energy by component",
          bars: EnergyBreakdown.fields.map { bar($0.name, energy[keyPath: $0.path]) })))
    page.add(
      .bars(
        BarChart(title: "Energy by layer", bars: lines.map { bar($0.name, $0.cost.energyPicojoules.total) }))
    )
    page.add(
      .bars(
        BarChart(
          title: "Time by layer",
          bars: lines.filter { $0.layer != nil }.map { layer in
            let time = perSample(layer.cost.latencyNanoseconds)
            return BarChart.Bar(layer.name, time, timeText(nanoseconds: time))
          })))
    page.add(.heading("All events, sum over samples"))
    page.add(.table(eventTable))
    return page
  }

  private func bar(_ name: String, _ energy: Double) -> BarChart.Bar {
    BarChart.Bar(name, energy, energyText(picojoules: perSample(energy)))
  }

  private var eventTable: TextTable {
    var table = TextTable([.init("event", .left)] + lines.map { .init($0.name) } + [.init("total")])
    for field in Events.fields {
      table.add([field.name] + (lines + [total]).map { grouped($0.events[keyPath: field.path]) })
    }
    return table
  }
}

extension Program {
  /// Layers that are driven in one body with the layer before them.
  fileprivate var layersOfOneBody: Set<Int> {
    var found: Set<Int> = []
    func inspect(_ body: [Instruction]) {
      var driven: Set<Int> = []
      for instruction in body {
        if case .loop(_, let inner) = instruction.operation { inspect(inner) }
        if case .drive(_, let layer) = instruction.operation { driven.insert(layer) }
      }
      found.formUnion(driven.filter { driven.contains($0 - 1) })
    }
    inspect(code)
    return found
  }
}
