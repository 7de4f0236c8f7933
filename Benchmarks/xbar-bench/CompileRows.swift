import Report
import Driver
import Foundation
import Support

private let section = "compile"

/// The compilation of LeNet-5 in memory, on one thread.
func compileRow(_ limits: Limits) throws(Diagnostic) -> Row {
  let result = try compiled(Files.lenet)
  let seconds = try measure(5) { () throws(Diagnostic) in _ = try compiled(Files.lenet) }
  let size = try InputFile(path: Files.lenet).byteCount + result.record.total.cellsProvisioned + result.bytes.count
  return Row(
    section: section, what: "LeNet-5, dense", number: seconds, unit: .seconds,
    limit: Double(size) / limits.bytesCopied, note: "in memory, one thread; the limit copies all bytes once")
}

/// Compilations of large networks where Python has what `models/shapes.py` needs: time by the clock with all threads,
/// and the largest resident set.
func largeNetworkRows(_ folder: String) throws(Diagnostic) -> [Row] {
  var rows: [Row] = []
  let networks = [("squeezenet", ""), ("resnet18", ""), ("resnet50", ""), ("vgg16", "0.924")]
  for (name, sparsity) in networks {
    guard let model = shapes(name, sparsity, folder) else { continue }
    for scheme in ["dense", "sre"] {
      let usage = runChild([
        ".build/release/xbarc", "compile", model, "--scheme", scheme, "--calibration", "\(folder)/\(name).npy", "-o",
        "\(folder)/\(name).xbar", "--set", "schedule(capacity: warn)",
      ])
      guard let usage else { throw Diagnostic("bench.compile", "xbarc does not compile \(name) with \(scheme)") }
      let bytes = try InputFile(path: model).byteCount
      let zeros = sparsity.isEmpty ? "" : ", \(percentage(Double(sparsity) ?? 0)) of the weights 0"
      rows.append(
        Row(
          section: section, what: "\(name)\(zeros), \(scheme)", number: usage.seconds, unit: .seconds,
          note: "\(timeText(nanoseconds: usage.processor * 1e9)) of processors, peak \(byteText(usage.peak)), "
            + "\(significant(Double(usage.peak) / Double(bytes))) times the model"))
    }
    try? FileManager.default.removeItem(atPath: model)
  }
  return rows
}

/// Writes the network `name` and one sample; nil without Python or what the script needs.
private func shapes(_ name: String, _ sparsity: String, _ folder: String) -> String? {
  let python = ProcessInfo.processInfo.environment["XBAR_PYTHON"] ?? "python3"
  let zeros = sparsity.isEmpty ? [] : ["--sparsity", sparsity]
  let path = "\(folder)/\(name).onnx"
  let command = [python, "models/shapes.py", name, "-o", path, "--samples", "1", "\(folder)/\(name).npy"] + zeros
  return output(of: command) == nil ? nil : path
}
