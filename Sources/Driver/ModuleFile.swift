import CommandLineTools
import IR
import Support
import Tensors

/// The path of the side file that holds the large constants of the text at `path`.
func sideFile(of path: String) -> String { path + sideFileSuffix }

/// Reads IR text, and its side file where the text itself does not hold all numbers.
func readModule(_ path: String) throws(Diagnostic) -> AnyModule { try readModule(try InputFile(path: path)) }

/// Reads IR text as `readModule(_:)` does.
func readModule(_ file: InputFile) throws(Diagnostic) -> AnyModule {
  let path = file.path
  guard let text = try file.withBytes({ String(validating: $0, as: UTF8.self) }) else {
    throw Diagnostic("text.encoding", "the text is not UTF-8", at: Location(file: path))
  }
  var arrays: [String: Tensor]?
  return try parseModule(text, file: path) { name throws(Diagnostic) in
    guard file.isFile else { return nil }
    if arrays == nil {
      arrays = [:]
      for array in try readArrays(path: sideFile(of: path)) { arrays?[array.name] = array.tensor }
    }
    return arrays?[name]
  }
}

/// Writes IR text, and its large constants to the side file: both or none. Where the text becomes no file, as on standard
/// output, it holds the constants itself.
func write(_ module: AnyModule, to path: String) throws(Diagnostic) {
  let output = try OutputFile(path: path)
  guard output.isFile, !module.resources.isEmpty else {
    try output.write(Array(module.text(resources: .text).utf8))
    return try output.commit()
  }
  let side = try OutputFile(path: sideFile(of: path))
  try side.write(
    try npzBytes(module.resources.map { NamedTensor(name: $0.name, tensor: $0.tensor) }))
  try output.write(Array(module.text(resources: .sideFile).utf8))
  try OutputFile.commit([side, output])
}
