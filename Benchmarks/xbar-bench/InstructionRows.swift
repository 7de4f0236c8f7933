import Driver
import Foundation
import Support

/// Instructions of runs as valgrind counts them: the same every time, whatever else the machine does. It knows no
/// AVX-512, so that the kernels for AVX2 are counted. No rows without valgrind.
func instructionRows(_ folder: String) throws(Diagnostic) -> [Row] {
  guard output(of: ["valgrind", "--version"]) != nil else { return [] }
  var rows: [Row] = []
  for (name, model, scheme, options) in [
    ("dense", Files.lenet, "dense", ""), ("dense, 4-bit converters", Files.lenet, "dense", "form-units(adc: 4)"),
    ("sre, 90 % of the weights 0", Files.pruned, "sre", ""),
  ] {
    let path = "\(folder)/count.xbar"
    try writeFile(try compiled(model, scheme: scheme, options).bytes, to: path)
    guard let few = instructions(path, samples: 8), let many = instructions(path, samples: 24) else { continue }
    rows.append(
      Row(
        section: "instructions for a sample", what: name, number: Double(many - few) / 16, unit: .instructions,
        note: "of 24 samples less those of 8"))
  }
  return rows
}

private func instructions(_ program: String, samples: Int) -> Int? {
  let command = [
    "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", ".build/release/xbarrun", program, "--input",
    Files.images, "--limit", "\(samples)", "--threads", "1", "--quiet",
  ]
  guard let text = output(of: command), let line = text.split(separator: "\n").first(where: { $0.contains("Collected") })
  else { return nil }
  return line.split(separator: " ").last.flatMap { Int($0) }
}
