import IR
import Support
import Tensors

/// The path of the side file that holds the large constants of the text at `path`.
func sideFile(of path: String) -> String { "\(path).npz" }

/// Reads IR text and its side file.
func readModule(_ path: String) throws(Diagnostic) -> AnyModule {
  let file = try MappedFile(path: path)
  guard let text = file.withBytes({ String(validating: $0, as: UTF8.self) }) else {
    throw Diagnostic("text.encoding", "the text is not UTF-8", at: Location(file: path))
  }
  var arrays: [String: Tensor]?
  return try parseModule(text, file: path) { name throws(Diagnostic) in
    if arrays == nil {
      arrays = [:]
      for array in try readArrays(path: sideFile(of: path)) { arrays?[array.name] = array.tensor }
    }
    return arrays?[name]
  }
}

/// Writes IR text, and its large constants to the side file; to standard output goes the text alone.
func write(_ module: AnyModule, to path: String) throws(Diagnostic) {
  if path != "-", !module.resources.isEmpty {
    let arrays = module.resources.map { NamedTensor(name: $0.name, tensor: $0.tensor) }
    try writeFile(try npzBytes(arrays), to: sideFile(of: path))
  }
  try writeFile(text: module.text, to: path)
}
