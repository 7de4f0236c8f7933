public import Evaluation
public import DeviceModel
public import Executor
import ProgramFormat
public import Support

/// How trials on a device are made.
public struct TrialSettings: Equatable, Sendable {
  /// The device.
  public var device: Device
  /// Cells that are known to be stuck.
  public var faults: FaultMap
  /// Trials, at most.
  public var trials: Int
  /// Seed of all random numbers.
  public var seed: UInt64
  /// Ends early where half of the 95 % interval of the mean accuracy is at most this share; nil for all trials.
  public var stopHalfWidth: Double?
  /// How codes are found.
  public var mode = DevicePlan.Mode.direct
  /// Samples of each trial whose codes are compared with those of an ideal device.
  public var measured: Int
  /// What the options of a command line ask for in vain.
  public var warnings: [Diagnostic] = []

  /// Creates settings.
  public init(
    device: Device, faults: FaultMap = FaultMap(), trials: Int = 1, seed: UInt64 = 0,
    stopHalfWidth: Double? = nil, measured: Int = 32
  ) {
    self.device = device
    self.faults = faults
    self.trials = trials
    self.seed = seed
    self.stopHalfWidth = stopHalfWidth
    self.measured = measured
  }

  /// Whether the ideal device is meant, on which every trial is the same.
  public var isIdeal: Bool { device.isIdeal && faults.count == 0 }
}

/// What a trial gave.
public struct Trial: Equatable, Sendable {
  /// How many samples were classified right; nil without labels.
  public let accuracy: Accuracy?
  /// How codes of each layer differ from those of an ideal device for the same inputs.
  public let partialSums: [PartialSumErrors]
}

/// What the trials of a device gave.
public struct TrialRecord: Equatable, Sendable {
  /// How they were made.
  public let settings: TrialSettings
  /// The trials in order; fewer than asked for where they ended early.
  public let trials: [Trial]
  /// Samples of each trial.
  public let samples: Int

  /// Share of samples that were classified right, over trials; nil without labels.
  public var top1: TrialStatistics? { TrialStatistics(shares(\.top1)) }
  /// Share of samples with their class among the five highest scores, over trials; nil without labels.
  public var top5: TrialStatistics? { TrialStatistics(shares(\.top5)) }

  /// How codes of each layer differ from those of an ideal device, over all trials.
  public var partialSums: [PartialSumErrors] {
    (trials.first?.partialSums ?? []).indices.map { layer in
      var sum = PartialSumErrors()
      for trial in trials { sum += trial.partialSums[layer] }
      return sum
    }
  }

  private func shares(_ count: KeyPath<Accuracy, Int>) -> [Double] {
    trials.compactMap { trial in
      trial.accuracy.map { Double($0[keyPath: count]) / Double(max(1, samples)) }
    }
  }
}

/// Runs trials of a program on a device that is not ideal; also gives the results of the first trial.
///
/// `progress` is told of samples of all trials. Throws what `DevicePlan` throws, and `samples.labels`.
func runTrials(
  _ program: Program, on samples: SampleSet, _ settings: TrialSettings, threads: Int, limits: WorkLimits,
  progress: @escaping @Sendable (Int) -> Void
) throws(Diagnostic) -> (first: RunResult, record: TrialRecord) {
  let work = WorkEstimate(
    try ExecutablePlan(program), samples: samples.count, threads: threads, trials: settings.trials,
    onDevice: true)
  try checkWork(work, limits)
  let plan = try DevicePlan(
    program, device: settings.device, faults: settings.faults, mode: settings.mode, seed: settings.seed)
  var trials: [Trial] = []
  func run(_ number: Int) throws(Diagnostic) -> RunResult {
    let result = try plan.run(
      plan.program(seed: settings.seed, trial: number, threads: threads), inputs: samples.inputs,
      samples: samples.count,
      measured: settings.measured, threads: threads, progress: progress)
    trials.append(
      Trial(
        accuracy: try accuracy(of: result, program, samples), partialSums: result.layers.map(\.partialSums)))
    return result
  }
  func record() -> TrialRecord { TrialRecord(settings: settings, trials: trials, samples: samples.count) }
  let first = try run(0)
  while trials.count < settings.trials {
    if let goal = settings.stopHalfWidth, trials.count >= 3,
      let width = record().top1?.confidenceHalfWidth, width <= goal
    {
      break
    }
    _ = try run(trials.count)
  }
  return (first, record())
}

/// How many samples a run classified right; nil without labels.
func accuracy(of result: RunResult, _ program: Program, _ samples: SampleSet) throws(Diagnostic) -> Accuracy?
{
  guard let labels = samples.labels else { return nil }
  guard let port = program.outputs.first, let scores = result.outputs.first else {
    throw Diagnostic("samples.labels", "labels are given, but the program has no output")
  }
  return try Accuracy(scores: scores, classes: program.buffers[port.buffer].count, labels: labels)
}

extension TrialStatistics {
  /// Half the width of the 95 % interval of a share, where the interval is within 0 and 1 on both sides of the mean.
  public var halfWidthWithinEnds: Double? {
    confidenceHalfWidth.flatMap { mean - $0 >= 0 && mean + $0 <= 1 ? $0 : nil }
  }

  /// The 95 % interval of a share over trials, as far as it is within 0 and 1; of a single trial of `samples` samples that of
  /// its own share.
  public func interval(samples: Int) -> ShareInterval? {
    if let half = confidenceHalfWidth { return ShareInterval(mean: mean, half: half) }
    return ShareInterval(hits: Int((mean * Double(samples)).rounded()), of: samples)
  }
}
