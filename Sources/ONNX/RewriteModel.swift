public import Support

/// The bytes of the model at `path` with the elements of some initializers replaced, all else as it is in the file.
///
/// `weights` gives for the name of an initializer of type float32 its new elements, row-major; they are stored as raw
/// data, wherever the old ones were. Throws what `readModel` throws, and `onnx.replace` for a name that no initializer
/// has, an element type other than float32, a wrong number of elements, or a file that would exceed 2 GiB.
public func replacingInitializers(path: String, with weights: [String: [Float]]) throws(Diagnostic) -> [UInt8]
{
  let model = try readModel(path: path)
  for (name, values) in weights.sorted(by: { $0.key < $1.key }) {
    guard let tensor = model.graph.initializers.first(where: { $0.name == name }) else {
      throw replaceError("the model has no initializer '\(name)'", path)
    }
    guard tensor.elementType == .float, tensor.count == values.count else {
      throw replaceError(
        "initializer '\(name)' has \(tensor.count) elements of type \(tensor.elementType.name), not \(values.count) of "
          + "float", path)
    }
  }
  try model.checkUnchanged()
  let file = try InputFile(path: path)
  do throws(Diagnostic) {
    let bytes = try file.withBytes { bytes throws(Diagnostic) in
      try ModelRewriter(bytes: bytes, weights: weights).model()
    }
    guard bytes.count < 1 << 31 else {
      throw Diagnostic("onnx.replace", "the file would have \(bytes.count) bytes, more than protobuf allows")
    }
    return bytes
  } catch {
    throw error.inFile(path)
  }
}

private func replaceError(_ message: String, _ path: String) -> Diagnostic {
  Diagnostic("onnx.replace", message, at: Location(file: path, .whole))
}

/// Numbers of the fields on the way to an initializer's elements (onnx.proto).
private enum Field {
  static let graph = 7
  static let initializer = 5
  static let name = 8
  static let rawData = 9
  /// Where elements may be stored: float, int32, string, int64, raw, double, uint64 data, external data, its place.
  static let elements: Set<Int> = [4, 5, 6, 7, 9, 10, 11, 13, 14]
}

/// Copies a model field by field.
private struct ModelRewriter {
  let bytes: UnsafeRawBufferPointer
  let weights: [String: [Float]]

  func model() throws(Diagnostic) -> [UInt8] {
    try copy(ByteRange(start: 0, end: bytes.count), Field.graph) { range throws(Diagnostic) in
      try copy(range, Field.initializer) { range throws(Diagnostic) in try tensor(range) }
    }
  }

  /// The message in `range`, with each field `number` replaced by what `change` makes of it.
  private func copy(
    _ range: ByteRange, _ number: Int, _ change: (ByteRange) throws(Diagnostic) -> [UInt8]
  ) throws(Diagnostic) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(range.count)
    var reader = WireReader(bytes, range)
    while let field = try reader.next() {
      if field.number == number, field.type == .bytes {
        append(field.number, try change(field.payload), to: &out)
      } else {
        out += bytes[field.start..<field.payload.end]
      }
    }
    return out
  }

  /// A tensor with its new elements after all other fields, or as it is where it gets none.
  private func tensor(_ range: ByteRange) throws(Diagnostic) -> [UInt8] {
    var reader = WireReader(bytes, range)
    var name = ""
    var others: [UInt8] = []
    while let field = try reader.next() {
      if field.number == Field.name, field.type == .bytes {
        name = String(decoding: bytes[field.payload.start..<field.payload.end], as: UTF8.self)
      }
      if !Field.elements.contains(field.number) { others += bytes[field.start..<field.payload.end] }
    }
    guard let values = weights[name] else { return Array(bytes[range.start..<range.end]) }
    var raw: [UInt8] = []
    raw.reserveCapacity(4 * values.count)
    for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { raw += $0 } }
    append(Field.rawData, raw, to: &others)
    return others
  }

  private func append(_ number: Int, _ payload: [UInt8], to out: inout [UInt8]) {
    appendVarint(UInt64(number << 3 | WireType.bytes.rawValue), to: &out)
    appendVarint(UInt64(payload.count), to: &out)
    out += payload
  }

  private func appendVarint(_ value: UInt64, to out: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: rest))
  }
}
