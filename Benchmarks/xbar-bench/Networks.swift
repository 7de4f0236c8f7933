import Evaluation
import Report
import DeviceModel
import Driver
import Executor
import Hardware
import Mapping
import Passes
import ProgramFormat
import RunDriver
import Support

/// The files that the benchmark works on, relative to the package.
enum Files {
  static let lenet = "models/lenet5/model.onnx"
  static let pruned = "models/lenet5-pruned90/model.onnx"
  static let quantized = "models/lenet5-qdq/model.onnx"
  static let images = "models/data/fashion-mnist-test.npz"
  static let calibration = "models/data/fashion-mnist-calibration.npz"
}

func compiled(_ model: String, scheme: String = "dense", _ options: String = "", calibration: String? = Files.calibration)
  throws(Diagnostic) -> CompileResult
{
  var request = CompileRequest(model: model)
  request.scheme = scheme
  request.overrides = options
  request.calibration = calibration
  do throws(DiagnosticList) {
    return try compile(request)
  } catch {
    throw error.items.first ?? Diagnostic("bench.compile", "the compilation failed")
  }
}

/// Samples a second of a program on the ideal device, with its events.
func rate(_ program: Program, _ set: SampleSet, threads: Int = 1) throws(Diagnostic) -> (rate: Double, events: Events) {
  let plan = try ExecutablePlan(program)
  let result = try plan.run(inputs: set.inputs, samples: set.count, threads: threads)
  let seconds = try measure(15) { () throws(Diagnostic) in
    _ = try plan.run(inputs: set.inputs, samples: set.count, threads: threads)
  }
  return (Double(set.count) / seconds, result.total)
}

/// How many conversions saturated.
func saturation(_ events: Events) -> String {
  guard events.adcSaturations > 0 else { return "" }
  let share = Double(events.adcSaturations) / Double(max(1, events.adcConversions))
  return "\(significant(share * 1e6)) ppm saturate"
}

/// LeNet-5 in every scheme, and in the settings that take other paths through the executor.
func networkRows(_ limits: Limits) throws(Diagnostic) -> [Row] {
  var rows: [Row] = []
  for scheme in schemes {
    let model = ["dense", "isaac"].contains(scheme.name) ? Files.lenet : Files.pruned
    let program = try decode(try compiled(model, scheme: scheme.name).bytes, file: scheme.name)
    let set = try SampleSet(input: Files.images, limit: 512, for: program.samplePorts)
    let found = try rate(program, set)
    rows.append(
      Row(
        section: "LeNet-5, schemes", what: "\(scheme.name)\(model == Files.pruned ? ", 90 % of the weights 0" : "")",
        number: found.rate, unit: .images, note: saturation(found.events)))
  }
  for (name, options) in [
    ("whole array, 8-bit converter", "form-units(whole: true, adc: 8)"), ("16x16 units, 6-bit", ""),
    ("16x16 units, 5-bit", "form-units(adc: 5)"), ("16x16 units, 4-bit", "form-units(adc: 4)"),
    ("9x8 units, 5-bit", "form-units(height: 9, width: 8, adc: 5)"),
  ] {
    rows.append(try pathRow(name, options, limits))
  }
  for (name, effects, mode) in [
    ("programming variation", [("sigma", "0.1")], DevicePlan.Mode.direct),
    ("and read noise", [("sigma", "0.1"), ("readNoise.cell", "0.02")], .direct),
    ("error tables", [("sigma", "0.1"), ("readNoise.cell", "0.02")], .table),
  ] {
    rows.append(try trialRow("16x16, 5-bit, \(name)", effects, mode, limits))
  }
  return rows
}

/// The limit is that of units read one by one: an addition of a table's byte for four wordlines of a bitline.
private func pathRow(_ name: String, _ options: String, _ limits: Limits) throws(Diagnostic) -> Row {
  let program = try decode(try compiled(Files.lenet, options).bytes, file: name)
  let set = try SampleSet(input: Files.images, limit: 512, for: program.samplePorts)
  let found = try rate(program, set)
  return Row(
    section: "LeNet-5, paths", what: name, number: found.rate, unit: .images,
    limit: limits.bytesAdded / additions(found.events, program, set.count), note: saturation(found.events))
}

private func additions(_ events: Events, _ program: Program, _ samples: Int) -> Double {
  let height = Double(program.layers.first?.blocks.first?.formedUnits.height ?? 1)
  return Double(events.adcConversions) / Double(samples) * (height / 4).rounded(.up)
}

/// Trials on a device with an on/off ratio of 10 and `settings`. The time to program all cells once counts; that to
/// draw
/// error tables does not.
private func trialRow(
  _ name: String, _ settings: [(String, String)], _ mode: DevicePlan.Mode, _ limits: Limits
) throws(Diagnostic) -> Row {
  let program = try decode(try compiled(Files.lenet, "form-units(adc: 5)").bytes, file: name)
  var device = try Device.ideal.setting("ratio", to: "10")
  for (setting, value) in settings { device = try device.setting(setting, to: value) }
  let plan = try DevicePlan(program, device: device, mode: mode)
  let set = try SampleSet(input: Files.images, limit: 512, for: program.samplePorts)
  var events = Events()
  let seconds = try measure(3) { () throws(Diagnostic) in
    let trial = try plan.program(seed: 0, trial: 0)
    events = try plan.run(trial, inputs: set.inputs, samples: set.count, threads: 1).total
  }
  return Row(
    section: "LeNet-5, paths", what: name, number: Double(set.count) / seconds, unit: .images,
    limit: limits.bytesAdded / 4 / additions(events, program, set.count), note: saturation(events))
}
