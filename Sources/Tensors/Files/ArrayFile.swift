public import Support

/// An array of a file with the name that it has there.
public struct NamedTensor: Equatable, Sendable {
  /// The name: the member of an `.npz` without `.npy`, the name of a TensorProto; empty for an `.npy`.
  public let name: String
  /// The array.
  public let tensor: Tensor

  /// Names a tensor.
  public init(name: String, tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}

/// Reads the arrays of a `.npy`, `.npz` or ONNX TensorProto file, in the order of the file.
///
/// The content decides the format, not the name of the file. Element types: binary16, bfloat16, binary32 and binary64
/// become `f32` (binary64 rounded to nearest); Booleans become `u8`; `u4` and `u8` become `i64`, where numbers above
/// 2^63 - 1 are refused; all other integers keep their type. The file is mapped, and no memory is taken for elements
/// before their number is checked against the file's size and `maximumElements`.
///
/// Throws `io.open`, `array.format`, `array.truncated`, `array.header`, `array.type`, `array.size`, `array.range`,
/// `array.zip` and `array.proto`, each with the place in the file.
public func readArrays(path: String) throws(Diagnostic) -> [NamedTensor] {
  let file = try InputFile(path: path)
  return try file.withBytes { (bytes) throws(Diagnostic) in try readArrays(bytes: bytes, file: path) }
}

/// Reads the arrays of a file's bytes as `readArrays(path:)` does; `file` is the name for messages.
public func readArrays(bytes: UnsafeRawBufferPointer, file: String) throws(Diagnostic) -> [NamedTensor] {
  if bytes.starts(with: NpyHeader.magic) {
    let place = ArrayPlace(file: file, section: "npy")
    return [NamedTensor(name: "", tensor: try readNpy(bytes, place))]
  }
  if bytes.starts(with: [0x50, 0x4B, 3, 4]) || bytes.starts(with: [0x50, 0x4B, 5, 6]) {
    return try readNpz(bytes, file: file)
  }
  return [try readTensorProto(bytes, ArrayPlace(file: file, section: "tensor"))]
}

/// A part of a file that messages point into.
struct ArrayPlace {
  /// The file's name.
  let file: String
  /// The part: a format or a member.
  let section: String
  /// Where the part starts in what messages count.
  var base = 0

  /// An error at `offset` of the part.
  func error(_ id: String, _ message: String, at offset: Int) -> Diagnostic {
    Diagnostic(
      "array.\(id)", message, at: Location(file: file, .bytes(section: section, offset: base + offset)))
  }

  /// Throws `array.size` for more elements than an array may have.
  func check(_ shape: [Int], at offset: Int) throws(Diagnostic) {
    guard isComputable(shape) else {
      throw error("size", "the shape \(shape) has more than \(maximumElements) elements", at: offset)
    }
  }
}

/// The bytes `offset ..< offset + count`, or nil where they are not all there.
func part(of bytes: UnsafeRawBufferPointer, at offset: UInt64, count: UInt64) -> UnsafeRawBufferPointer? {
  let (end, overflow) = offset.addingReportingOverflow(count)
  guard !overflow, end <= UInt64(bytes.count) else { return nil }
  return UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<Int(end)])
}
