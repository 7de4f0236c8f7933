import CPeak
import CommandLineTools
import DeviceModel
import Driver
import Executor
import Foundation
import Glibc
import Hardware
import Passes
import ProgramFormat
import RunDriver
import Support

/// Prints one table: what the compiler and the executor reach, beside what this machine can do at most. With the word
/// `splits`, the source text of the table that clustering cuts matrices by, measured anew.
@main struct Main {
  static func main() {
    exit(
      runCommand(name: "xbar-bench") { () throws(DiagnosticList) in
        do throws(Diagnostic) {
          if commandLineWords().first == "splits" {
            return try printOut(try measuredSplitTables(threads: ProcessInfo.processInfo.activeProcessorCount) {
                FileHandle.standardError.write(Data(($0 + "\n").utf8))
              })
          }
          try printOut(try Bench(isJSON: commandLineWords().contains("--json")).run())
        } catch {
          throw DiagnosticList(error)
        }
      })
  }
}

/// Seconds of processor time that the process has used.
private func cpuSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The smallest processor time of several calls.
private func measure(_ repeats: Int, _ body: () throws(Diagnostic) -> Void) throws(Diagnostic) -> Double {
  var best = Double.infinity
  for _ in 0..<repeats {
    let start = cpuSeconds()
    try body()
    best = min(best, cpuSeconds() - start)
  }
  return best
}

private struct Bench {
  let isJSON: Bool
  private let model = "models/lenet5/model.onnx"
  private let images = "models/data/fashion-mnist-test.npz"
  private let calibration = "models/data/fashion-mnist-calibration.npz"

  init(isJSON: Bool) { self.isJSON = isJSON }

  private struct Row {
    var what: String
    var value: String
    var limit: String
    /// Conversions that saturated, as a share of all; nil where nothing is converted.
    var saturated: Double?
    var share: Double
    var number: Double
  }

  func run() throws(Diagnostic) -> String {
    let bytesPerSecond = copyBandwidth()
    let addsPerSecond = try byteAdds()
    var rows: [Row] = [try compileRow(bytesPerSecond)]
    for (name, options) in [
      ("whole array, 8-bit converter", "form-units(whole: true, adc: 8)"), ("16x16 units, 6-bit", ""),
      ("16x16 units, 5-bit", "form-units(adc: 5)"), ("16x16 units, 4-bit", "form-units(adc: 4)"),
      ("9x8 units, 5-bit", "form-units(height: 9, width: 8, adc: 5)"),
    ] {
      rows.append(try runRow(name, options, addsPerSecond))
    }
    for (name, effects, mode) in [
      ("programming variation", [("sigma", "0.1")], DevicePlan.Mode.direct),
      ("and read noise", [("sigma", "0.1"), ("readNoise.cell", "0.02")], .direct),
      ("error tables", [("sigma", "0.1"), ("readNoise.cell", "0.02")], .table),
    ] {
      rows.append(try trialRow("16x16, 5-bit, \(name)", effects, mode, addsPerSecond))
    }
    return isJSON ? json(rows) : table(rows, bytesPerSecond, addsPerSecond)
  }

  private func table(_ rows: [Row], _ bytes: Double, _ adds: Double) -> String {
    var table = TextTable([.init("LeNet-5", .left), .init("reached"), .init("limit"), .init("share"), .init("saturated")])
    for row in rows {
      let saturated = row.saturated.map { $0 == 0 ? "none" : "\(significant($0 * 1e6)) ppm" } ?? "-"
      table.add([row.what, row.value, row.limit, percentage(row.share), saturated])
    }
    return """
      one thread, processor time, best of several
      machine: copies \(byteText(Int(bytes))) per s, adds \(significant(adds * 1e-9))e9 bytes per s in L1 (\(String(cString: peak_name())))

      \(table.plain)
      compile: the limit is to copy the model, the cells and the program once
      run: the limit is one byte addition for four wordlines of every converted bitline, of four bytes where cells vary;
      trials count the time to program all cells once for 512 images, but not that to draw error tables

      """
  }

  private func json(_ rows: [Row]) -> String {
    let list = rows.map { row -> JSON in
      ["what": .string(row.what), "value": .double(row.number), "shareOfLimit": .double(row.share)]
    }
    return (["version": 1, "rows": .array(list)] as JSON).encoded + "\n"
  }

  // MARK: Limits

  private func copyBandwidth() -> Double {
    let count = 1 << 26
    let source = [UInt8](repeating: 1, count: count)
    var target = [UInt8](repeating: 0, count: count)
    var best = Double.infinity
    for _ in 0..<5 {
      let start = cpuSeconds()
      source.withUnsafeBytes { from in target.withUnsafeMutableBytes { $0.copyMemory(from: from) } }
      best = min(best, cpuSeconds() - start)
    }
    return Double(count) / best
  }

  private func byteAdds() throws(Diagnostic) -> Double {
    let table = [UInt8](repeating: 1, count: 8192)
    let rounds = 1 << 18
    let seconds = try measure(5) { () throws(Diagnostic) in
      guard peak_byte_adds(table, table.count, rounds) > 0 else {
        throw Diagnostic("bench.peak", "the micro-kernel computed nothing")
      }
    }
    return Double(rounds) * 1024 * 4 / seconds
  }

  // MARK: Rows

  private func request(_ options: String) -> CompileRequest {
    var request = CompileRequest(model: model)
    request.calibration = calibration
    request.overrides = options
    return request
  }

  private func compiled(_ options: String) throws(Diagnostic) -> CompileResult {
    do throws(DiagnosticList) {
      return try compile(request(options))
    } catch {
      throw error.items.first ?? Diagnostic("bench.compile", "the compilation failed")
    }
  }

  private func compileRow(_ bytesPerSecond: Double) throws(Diagnostic) -> Row {
    let result = try compiled("")
    let seconds = try measure(5) { () throws(Diagnostic) in _ = try compiled("") }
    let size = try MappedFile(path: model).byteCount + result.record.total.cellsProvisioned + result.bytes.count
    let limit = Double(size) / bytesPerSecond
    return Row(
      what: "compile, dense", value: timeText(nanoseconds: seconds * 1e9),
      limit: timeText(nanoseconds: limit * 1e9), saturated: nil, share: limit / seconds, number: seconds)
  }

  private func runRow(_ name: String, _ options: String, _ addsPerSecond: Double) throws(Diagnostic) -> Row {
    let program = try decode(try compiled(options).bytes, file: name)
    let plan = try ExecutablePlan(program)
    let set = try SampleSet(input: images, limit: 512, for: program.samplePorts)
    let samples = set.count
    let result = try plan.run(inputs: set.inputs, samples: samples, threads: 1)
    let seconds = try measure(5) { () throws(Diagnostic) in
      _ = try plan.run(inputs: set.inputs, samples: samples, threads: 1)
    }
    // Four wordlines of a bitline are one addition of a table's byte.
    let height = Double(program.blocks.first?.units.height ?? 1)
    let adds = Double(result.total.adcConversions) / Double(samples) * (height / 4).rounded(.up)
    let rate = Double(samples) / seconds
    let limit = addsPerSecond / adds
    return Row(
      what: name, value: "\(significant(rate)) images/s", limit: "\(significant(limit)) images/s",
      saturated: Double(result.total.adcSaturations) / Double(max(1, result.total.adcConversions)), share: rate / limit, number: rate)
  }

  /// Trials on a device with an on/off ratio of 10 and `settings`.
  private func trialRow(
    _ name: String, _ settings: [(String, String)], _ mode: DevicePlan.Mode, _ addsPerSecond: Double
  ) throws(Diagnostic) -> Row {
    let program = try decode(try compiled("form-units(adc: 5)").bytes, file: name)
    var device = try Device.ideal.setting("ratio", to: "10")
    for (setting, value) in settings { device = try device.setting(setting, to: value) }
    let plan = try DevicePlan(program, device: device, mode: mode)
    let set = try SampleSet(input: images, limit: 512, for: program.samplePorts)
    var conversions = (all: 0, saturated: 0)
    let seconds = try measure(3) { () throws(Diagnostic) in
      let trial = try plan.program(seed: 0, trial: 0)
      let result = try plan.run(trial, inputs: set.inputs, samples: set.count, threads: 1)
      conversions = (result.total.adcConversions, result.total.adcSaturations)
    }
    let height = Double(program.blocks.first?.units.height ?? 1)
    let adds = Double(conversions.all) / Double(set.count) * (height / 4).rounded(.up)
    let rate = Double(set.count) / seconds
    let limit = addsPerSecond / 4 / adds
    return Row(
      what: name, value: "\(significant(rate)) images/s", limit: "\(significant(limit)) images/s",
      saturated: Double(conversions.saturated) / Double(max(1, conversions.all)), share: rate / limit, number: rate)
  }
}
