internal import COnnx
public import Support

/// Reads the model at `path`, of which `-` is standard input. A file is mapped: weights stay in it and are read when a
/// tensor is asked for them.
///
/// Every problem is thrown as a diagnostic whose id starts with `onnx.`, or `io.open` where the file cannot be read.
public func readModel(path: String, limits: ONNXLimits = .standard) throws(Diagnostic) -> ONNXModel {
  try readModel(ByteSource(try InputFile(path: path)), path, limits)
}

/// Reads a model from memory; external files are searched in the folder of `path`.
public func readModel(
  bytes: [UInt8], path: String = "", limits: ONNXLimits = .standard
) throws(Diagnostic) -> ONNXModel {
  try readModel(ByteSource(bytes), path, limits)
}

/// Reads a tensor from a file that holds one `TensorProto`, as the test data of ONNX models do.
public func readTensor(path: String, limits: ONNXLimits = .standard) throws(Diagnostic) -> ONNXTensor {
  try readTensor(ByteSource(try InputFile(path: path)), path, limits)
}

/// Reads a tensor from the bytes of one `TensorProto`.
public func readTensor(
  bytes: [UInt8], path: String = "", limits: ONNXLimits = .standard
) throws(Diagnostic) -> ONNXTensor {
  try readTensor(ByteSource(bytes), path, limits)
}

private func readModel(
  _ source: ByteSource, _ path: String, _ limits: ONNXLimits
) throws(Diagnostic) -> ONNXModel {
  do throws(Diagnostic) {
    try refuseOtherFiles(source)
    var check = WireCheck(source.bytes, limits)
    try check.check(source.all, onnx_model_descriptor())
    var decoder = ModelDecoder(source, path, limits)
    return try decoder.model()
  } catch {
    throw error.inFile(path)
  }
}

private func readTensor(
  _ source: ByteSource, _ path: String, _ limits: ONNXLimits
) throws(Diagnostic) -> ONNXTensor {
  do throws(Diagnostic) {
    try refuseOtherFiles(source)
    var check = WireCheck(source.bytes, limits)
    try check.check(source.all, onnx_tensor_descriptor())
    var decoder = ModelDecoder(source, path, limits)
    return try decoder.tensor(source.all, .file)
  } catch {
    throw error.inFile(path)
  }
}

// The usual surprises: an archive of another tool; and, of a cloned repository, a text of three lines in the file's place.
private func refuseOtherFiles(_ source: ByteSource) throws(Diagnostic) {
  if source.bytes.starts(with: [0x50, 0x4B, 3, 4]) {
    throw Diagnostic(
      "onnx.zip", "the file is a zip archive, as PyTorch writes .pt and .pth files, and no ONNX model",
      notes: [
        "export the network: torch.onnx.export(network, (example,), \"model.onnx\"); unpack other archives"
      ])
  }
  guard source.bytes.starts(with: "version https://git-lfs".utf8) else { return }
  throw Diagnostic(
    "onnx.lfs-pointer", "the file is a Git LFS pointer, not the file itself",
    notes: ["fetch the file with `git lfs pull`"])
}
