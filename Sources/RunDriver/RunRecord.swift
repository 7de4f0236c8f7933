public import Evaluation
public import Report
public import DeviceModel
public import Executor
import Hardware
import Mapping
public import ProgramFormat
public import Support

/// What a run did in one layer, in the digital operators, or in all.
public struct LayerRun: Equatable, Sendable {
  /// The layer, `digital`, `writing`, or `total`.
  public let name: String
  /// The layer's place in the program; nil for the others.
  public let layer: Int?
  /// Events over all samples.
  public let events: Events
  /// What the events cost, over all samples.
  public let cost: Cost
}

/// What a run did, for people and for scripts.
public struct RunRecord: Equatable, Sendable {
  /// The program.
  public let program: Program
  /// The device's name.
  public let device: String
  /// How many samples were run.
  public let samples: Int
  /// For each graph output, the elements of all samples.
  public let outputs: [[Float]]
  /// What became of the values of each graph input before the first layer, in the first trial.
  public let inputs: [InputCounts]
  /// How many samples were classified right, in the first trial; nil without labels.
  public let accuracy: Accuracy?
  /// What the trials of a device that is not ideal gave; nil on the ideal device.
  public let trials: TrialRecord?
  /// Layers in the order of the program, the digital operators, and last the writing of segments where there are
  /// several.
  public let layers: [LayerRun]
  /// The sum of all.
  public let total: LayerRun
  /// What the dense mapping and the over-idealized array would have done on the same samples; none where the program
  /// has no column layout.
  public let baselines: [Baseline]
  /// The segments that were written in turn; nil for a program of one segment.
  public let segments: SegmentRun?

  /// Time of a sample in nanoseconds.
  public var timePerSample: Double { total.cost.latencyNanoseconds / Double(max(1, samples)) }
  /// Energy of a sample in picojoules.
  public var energyPerSample: Double { total.cost.energyPicojoules.total / Double(max(1, samples)) }
}

/// Runs `program` for all samples, on the ideal device unless `settings` say otherwise, and costs its events by the
/// program's machine. Of trials, the first one gives outputs and events. Samples go through each segment of the program
/// in batches of `segmentBatch`, which changes what is written, but no result.
///
/// Throws `run.steps` or `run.memory` where it would take more than `limits`, what `ExecutablePlan` and `DevicePlan` throw, and `samples.labels` for labels that are no classes of the
/// first output.
public func run(
  _ program: Program, on samples: SampleSet, settings: TrialSettings = TrialSettings(device: .ideal),
  segmentBatch: Int = 1, threads: Int, limits: WorkLimits = .run,
  progress: @escaping @Sendable (Int) -> Void = { _ in }
) throws(Diagnostic) -> RunRecord {
  let result: RunResult
  var trials: TrialRecord?
  if settings.isIdeal {
    let plan = try ExecutablePlan(program)
    try checkWork(WorkEstimate(plan, samples: samples.count, threads: threads), limits)
    result = try plan.run(
      inputs: samples.inputs, samples: samples.count, threads: threads, progress: progress)
  } else {
    (result, trials) = try runTrials(
      program, on: samples, settings, threads: threads, limits: limits, progress: progress)
  }
  var layers = result.layers.enumerated().map { index, layer in
    LayerRun(
      name: layer.name, layer: index, events: layer.events,
      cost: cost(of: layer.events, machine: program.machine, adcBits: layer.adcBits))
  }
  layers.append(
    LayerRun(
      name: "digital", layer: nil, events: result.digital,
      cost: cost(of: result.digital, machine: program.machine)))
  let segments = SegmentRun(program, samples: samples.count, batch: segmentBatch)
  if let segments { layers.append(segments.run) }
  var sum = Cost()
  var events = Events()
  for layer in layers {
    sum += layer.cost
    events += layer.events
  }
  return RunRecord(
    program: program, device: settings.device.name, samples: samples.count, outputs: result.outputs,
    inputs: result.inputs, accuracy: try accuracy(of: result, program, samples), trials: trials,
    layers: layers,
    total: LayerRun(name: "total", layer: nil, events: events, cost: sum),
    baselines: try result.baselines(of: program), segments: segments)
}

/// An interval with its ends; null for none.
func intervalJSON(_ interval: ShareInterval?) -> JSON {
  interval.map { ["low": .double($0.low), "high": .double($0.high)] } ?? .null
}

extension RunRecord {
  /// What cannot have been meant: inputs that are no numbers, and inputs of which more than 1 % are beyond the range that the
  /// program was made for.
  public var warnings: [Diagnostic] {
    inputs.flatMap { input in
      var found: [Diagnostic] = []
      if input.nans > 0 {
        found.append(
          Diagnostic(
            "run.input-nan",
            "\(grouped(input.nans)) of \(grouped(input.values)) values of input '\(input.name)' are NaN",
            severity: .warning,
            notes: ["a layer takes NaN for 0, so outputs may look sound: check the samples"]))
      }
      if input.clampedShare > 0.01 {
        found.append(
          Diagnostic(
            "run.input-range",
            "\(percentage(input.clampedShare)) of the values of input '\(input.name)' are beyond the range that the "
              + "program was calibrated with", severity: .warning,
            notes: [
              "give samples scaled like those of calibration: pixels of 0 to 255 are often divided by 255, "
                + "which an array 'scale' in the .npz does"
            ]))
      }
      return found
    }
  }
}

extension RunRecord {
  /// The metrics as JSON; `version` counts incompatible changes of its form. Counts and costs are over all samples.
  public var json: JSON {
    let classes = program.outputs.first.map { program.buffers[$0.buffer].count }
    func share(_ count: Int?) -> JSON {
      guard let count, samples > 0 else { return .null }
      return .double(Double(count) / Double(samples))
    }
    return [
      "version": 1, "kind": "run", "network": .string(program.name), "machine": .string(program.machine.name),
      "device": .string(device), "samples": .integer(samples),
      "classes": classes.map { .integer($0) } ?? .null,
      "top1": share(accuracy?.top1), "top1Interval": intervalJSON(accuracy?.top1Interval),
      "top5": share(accuracy?.top5), "top5Interval": intervalJSON(accuracy?.top5Interval),
      "inputs": .array(inputs.map(json)),
      "layers": .array(layers.map { json(of: $0) }), "total": json(of: total),
      "baselines": .array(baselines.map(json)), "trials": trials?.json(program) ?? .null,
      "segments": segments?.json(program) ?? .null,
    ]
  }

  private func json(_ input: InputCounts) -> JSON {
    [
      "name": .string(input.name), "values": .integer(input.values), "inputNaNs": .integer(input.nans),
      "quantizedValues": .integer(input.quantized), "inputClamps": .integer(input.clamps),
    ]
  }

  private func json(of baseline: Baseline) -> JSON {
    let energy = baseline.totalCost.energyPicojoules
    let parts = EnergyBreakdown.fields.map { JSON.Member($0.name, .double(energy[keyPath: $0.path])) }
    return [
      "name": .string(baseline.name), "machine": .string(baseline.machine.name),
      "crossbars": .integer(baseline.crossbars), "ouActivations": .integer(baseline.total.ouActivations),
      "cycles": .integer(baseline.total.cycles), "adcConversions": .integer(baseline.total.adcConversions),
      "energyPicojoules": .object(parts + [JSON.Member("total", .double(energy.total))]),
      "latencyNanoseconds": .double(baseline.totalCost.latencyNanoseconds),
    ]
  }

  private func json(of run: LayerRun) -> JSON {
    var members = [JSON.Member("name", .string(run.name))]
    if let index = run.layer {
      let layer = program.layers[index]
      members += [
        JSON.Member("rows", .integer(layer.rows)), JSON.Member("columns", .integer(layer.columns)),
        JSON.Member("adcBits", .integer(layer.adcBits)),
      ]
    }
    for field in Events.fields where !field.name.contains(".") {
      members.append(JSON.Member(field.name, .integer(run.events[keyPath: field.path])))
      if field.name == "indexBits" {
        members.append(JSON.Member("inputFetches", fetches(run.events.inputFetches)))
      }
    }
    let energy = EnergyBreakdown.fields.map { field in
      let isKnown = field.name != "write" || !run.cost.omitsWriting
      return JSON.Member(
        field.name, isKnown ? .double(run.cost.energyPicojoules[keyPath: field.path]) : .null)
    }
    let total = JSON.Member("total", .double(run.cost.energyPicojoules.total))
    members.append(JSON.Member("energyPicojoules", .object(energy + [total])))
    members.append(JSON.Member("latencyNanoseconds", .double(run.cost.latencyNanoseconds)))
    if run.cost.omitsWriting { members.append(JSON.Member("omitsWriting", true)) }
    return .object(members)
  }

  private func fetches(_ fetches: InputFetches) -> JSON {
    ["dram": .integer(fetches.dram), "sram": .integer(fetches.sram), "buffer": .integer(fetches.buffer)]
  }
}
