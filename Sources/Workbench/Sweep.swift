import Evaluation
import CommandLineTools
import DeviceModel
import Driver
import Hardware
import Mapping
import ProgramFormat
import RunDriver
import Support

/// What a point of a sweep gave.
struct SweepMeasurement {
  let machine: String
  /// Whether a unit is as high as the crossbar.
  let isWholeArray: Bool
  /// Whether converters were made as wide as a full unit needs.
  let isLossless: Bool
  /// Resolution of the converters; the largest one of all layers.
  let adcBits: Int
  let crossbars: Int
  /// Share of right answers over trials; a single trial on the ideal device, where all are the same.
  let top1: TrialStatistics
  /// The 95 % interval of the mean of `top1` over trials, or of the share in a single one.
  let interval: ShareInterval?
  /// Conversions compared with those of an ideal device, over all trials and layers.
  let conversions: PartialSumErrors
  /// Share of conversions beyond the largest code, in the first trial.
  let saturated: Double
  /// Energy of a sample in picojoules, in the first trial.
  let energy: Double
  /// Time of a sample in nanoseconds, in the first trial.
  let time: Double
}

/// A point of a sweep with what it gave, or why it was refused.
struct SweepOutcome {
  let point: SweepPoint
  let result: Result<SweepMeasurement, Diagnostic>

  /// What it gave; nil where it was refused.
  var measurement: SweepMeasurement? { try? result.get() }
  /// Why it was refused.
  var refusal: Diagnostic? {
    if case .failure(let reason) = result { return reason }
    return nil
  }
}

/// A sweep that was run.
struct SweepRecord {
  let request: SweepRequest
  let network: String
  let samples: Int
  /// The points in the order of the plan.
  let outcomes: [SweepOutcome]
}

/// Runs every point, program after program, so that each is compiled once. Points that are refused do not end the
/// sweep.
///
/// Throws `sweep.labels` for samples without labels; and where no point could be run, for one and the same reason, that
/// reason.
func sweep(_ request: SweepRequest) throws(Diagnostic) -> SweepRecord {
  let points = try request.points()
  var runner = SweepRunner(request, points)
  var results: [Int: Result<SweepMeasurement, Diagnostic>] = [:]
  var order: [ProgramKey] = []
  var members: [ProgramKey: [Int]] = [:]
  for (index, point) in points.enumerated() {
    if members[point.program] == nil { order.append(point.program) }
    members[point.program, default: []].append(index)
  }
  for key in order { try runner.run(key, members[key] ?? [], &results) }
  runner.progress?.finish()
  let outcomes = points.enumerated().compactMap { index, point in
    results[index].map { SweepOutcome(point: point, result: $0) }
  }
  let reasons = Set(outcomes.compactMap(\.refusal))
  if let reason = reasons.first, reasons.count == 1, outcomes.allSatisfy({ $0.refusal != nil }) {
    throw reason
  }
  return SweepRecord(
    request: request, network: runner.network, samples: runner.samples?.count ?? 0, outcomes: outcomes)
}

/// Compiles programs and runs their points.
private struct SweepRunner {
  let request: SweepRequest
  let points: [SweepPoint]
  private(set) var network: String
  private(set) var samples: SampleSet?
  private(set) var progress: ProgressLine?
  private var ports: [SamplePort] = []

  init(_ request: SweepRequest, _ points: [SweepPoint]) {
    self.request = request
    self.points = points
    network = request.compilation.model
  }

  /// Runs the points at `indices`, which share the program `key`.
  mutating func run(
    _ key: ProgramKey, _ indices: [Int], _ results: inout [Int: Result<SweepMeasurement, Diagnostic>]
  ) throws(Diagnostic) {
    let program: (program: Program, isLossless: Bool)
    do throws(DiagnosticList) {
      program = try compiled(key)
    } catch {
      let reason =
        error.items.first ?? Diagnostic("internal.compile", "the compilation failed without a reason")
      for index in indices {
        results[index] = .failure(reason)
        skip(points[index])
      }
      return
    }
    network = program.program.name
    let samples = try samples(for: program.program)
    for index in indices { results[index] = measure(points[index], program, samples) }
  }

  private func compiled(_ key: ProgramKey) throws(DiagnosticList) -> (program: Program, isLossless: Bool) {
    var compilation = request.compilation
    compilation.scheme = key.scheme
    compilation.units = key.units
    let result = try compile(compilation)
    // The executor gets what a program file would give it, not the compiler's values.
    let isLossless = result.record.pipeline.contains { pass in
      pass.hasPrefix("form-units(") && pass.contains("lossless: true")
    }
    do throws(Diagnostic) {
      return (try decode(result.bytes, file: "\(key.scheme) program"), isLossless)
    } catch {
      throw DiagnosticList(error)
    }
  }

  /// The samples, read once for programs with the same inputs.
  private mutating func samples(for program: Program) throws(Diagnostic) -> SampleSet {
    if let samples, ports == program.samplePorts { return samples }
    let read = try SampleSet(
      input: request.input, labels: request.labels, limit: request.limit, for: program.samplePorts)
    guard read.labels != nil, read.count > 0 else {
      throw Diagnostic(
        "sweep.labels", "the samples have no labels, so that there is no accuracy to measure",
        at: Location(file: request.input),
        notes: ["give them by --labels, or as the array 'labels' of an .npz"])
    }
    ports = program.samplePorts
    samples = read
    if progress == nil {
      let total = points.reduce(0) { $0 + runs(of: $1) * read.count }
      progress = ProgressLine("sweeping", total: total, unit: "samples", quiet: request.quiet)
    }
    return read
  }

  /// How often all samples are run for a point, at most.
  private func runs(of point: SweepPoint) -> Int {
    guard case .success(let settings) = point.settings else { return 0 }
    return settings.isIdeal ? 1 : settings.trials
  }

  /// Counts the samples of a point as done.
  private func skip(_ point: SweepPoint, trials: Int = 0) {
    progress?.advance(by: max(0, runs(of: point) - trials) * (samples?.count ?? 0))
  }

  private func measure(
    _ point: SweepPoint, _ compiled: (program: Program, isLossless: Bool), _ samples: SampleSet
  ) -> Result<SweepMeasurement, Diagnostic> {
    do throws(Diagnostic) {
      let settings: TrialSettings
      switch point.settings {
      case .success(let found): settings = found
      case .failure(let reason): throw reason
      }
      let line = progress
      let record = try RunDriver.run(
        compiled.program, on: samples, settings: settings, segmentBatch: request.segmentBatch,
        threads: request.threads, limits: request.limits
      ) { line?.advance(by: $0) }
      let measurement = try SweepMeasurement(record, isLossless: compiled.isLossless)
      skip(point, trials: measurement.top1.count)
      return .success(measurement)
    } catch {
      skip(point)
      return .failure(error)
    }
  }
}

extension SweepMeasurement {
  /// What trials and events of a run tell; throws where it has no accuracy.
  init(_ run: RunRecord, isLossless: Bool) throws(Diagnostic) {
    let share = run.accuracy.map { Double($0.top1) / Double(max(1, run.samples)) }
    guard let top1 = run.trials?.top1 ?? TrialStatistics(share.map { [$0] } ?? []) else {
      throw Diagnostic("sweep.labels", "the samples have no labels, so that there is no accuracy to measure")
    }
    let array = run.program.machine.array
    let events = run.total.events
    machine = run.program.machine.name
    isWholeArray = run.program.layers.allSatisfy { layer in
      layer.blocks.allSatisfy { $0.formedUnits.height >= array.rows }
    }
    self.isLossless = isLossless
    adcBits = run.program.layers.map(\.adcBits).max() ?? array.adcBits
    crossbars = run.program.crossbars.count
    self.top1 = top1
    interval = top1.interval(samples: run.samples)
    var sum = PartialSumErrors()
    for layer in run.trials?.partialSums ?? [] { sum += layer }
    conversions = sum
    saturated = Double(events.adcSaturations) / Double(max(1, events.adcConversions))
    energy = run.energyPerSample
    time = run.timePerSample
  }
}
