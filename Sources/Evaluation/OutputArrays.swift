public import Support
public import Tensors

/// Throws `usage.output` where the outputs of a network do not fit into the kind of file that `path` names.
public func checkOutputKind(_ path: String?, outputs: Int) throws(Diagnostic) {
  guard let path, !path.hasSuffix(".npz"), outputs != 1 else { return }
  throw Diagnostic(
    "usage.output", "there are \(outputs) outputs, which an .npy cannot hold",
    notes: ["give --output a name that ends with .npz"])
}

/// The bytes of an `.npz` of all outputs where the path says so, else of an `.npy` of the only one.
public func outputBytes(_ outputs: [NamedTensor], path: String) throws(Diagnostic) -> [UInt8] {
  if path.hasSuffix(".npz") { return try npzBytes(outputs) }
  try checkOutputKind(path, outputs: outputs.count)
  return outputs.first.map { npyBytes($0.tensor) } ?? []
}

/// The array of one output for all samples: `elements` of each sample, whose own shape is `shape`.
public func outputArray(_ name: String, shape: [Int], samples: Int, _ elements: [Float]) -> NamedTensor {
  let rest = shape.first == 1 ? Array(shape.dropFirst()) : shape
  return NamedTensor(name: name, tensor: Tensor([samples] + rest, elements))
}
