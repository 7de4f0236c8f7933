import Report
import DeviceModel
import Driver
import RunDriver
import Support

/// What a sweep is asked to do.
struct SweepRequest {
  /// The model and how it is compiled; scheme and units come from the points.
  let compilation: CompileRequest
  let schemes: [String]
  /// The trials on each device.
  let devices: [TrialSettings]
  /// What the command line changed in the devices, for titles.
  let changes: [String]
  /// The x axis, and a second one of which each value is a series.
  let axes: [SweepAxis]
  let input: String
  let labels: String?
  let limit: Int
  /// Samples that go through a segment at a time.
  var segmentBatch = 1
  let threads: Int
  /// What each run may take.
  let limits: WorkLimits
  let quiet: Bool
}

/// A point of a sweep before it is run.
struct SweepPoint {
  let scheme: String
  /// The name of the device that the values change.
  let device: String
  /// A value for each axis.
  let values: [AxisValue]
  let units: UnitSettings
  /// The trials on the changed device, or why it cannot be.
  let settings: Result<TrialSettings, Diagnostic>

  /// Points with the same program are run one after the other.
  var program: ProgramKey { ProgramKey(scheme: scheme, units: units) }
}

/// What tells programs of a sweep apart.
struct ProgramKey: Hashable {
  let scheme: String
  let units: UnitSettings
}

/// Points of a sweep, at most.
let largestSweep = 10_000

extension SweepRequest {
  /// Every point: for each scheme, device and value of the second axis, all values of the first.
  ///
  /// Throws `sweep.points` for more than 10,000, and `device.range` for a word that a setting does not have.
  func points() throws(Diagnostic) -> [SweepPoint] {
    let second = axes.count > 1 ? axes[1].values.map(Optional.some) : [nil]
    let counts = [schemes.count, devices.count, second.count, axes[0].values.count]
    let count = counts.reduce(1) { $0.multipliedReportingOverflow(by: $1).overflow ? .max : $0 * $1 }
    guard count <= largestSweep else {
      throw Diagnostic(
        "sweep.points", "the sweep has \(grouped(count)) points, \(grouped(largestSweep)) are the most",
        notes: ["take fewer values, devices or schemes"])
    }
    var points: [SweepPoint] = []
    for scheme in schemes {
      for trials in devices {
        for other in second {
          for value in axes[0].values {
            points.append(try point(scheme, trials, [value] + (other.map { [$0] } ?? [])))
          }
        }
      }
    }
    return points
  }

  private func point(
    _ scheme: String, _ trials: TrialSettings, _ values: [AxisValue]
  ) throws(Diagnostic) -> SweepPoint {
    var units = UnitSettings()
    for (axis, value) in zip(axes, values) { units = axis.apply(value, to: units) }
    var settings = trials
    var refusal: Diagnostic?
    let figures = zip(axes, values).filter { $0.0.kind == .device }
    do throws(Diagnostic) {
      settings.device = try settings.device.settings(figures.map { ($0.0.name, $0.1.text) })
    } catch {
      if figures.contains(where: { $0.0.isWord && !$0.0.admits($0.1) }) { throw error }
      refusal = error
    }
    return SweepPoint(
      scheme: scheme, device: trials.device.name, values: values, units: units,
      settings: refusal.map { .failure($0) } ?? .success(settings))
  }
}
