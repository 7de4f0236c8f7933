public import Support

/// The bytes of a `.npy` file with `tensor`, the same as NumPy's `save` writes: version 1 (2 for more than 64 KiB of
/// header), little-endian, row-major.
public func npyBytes(_ tensor: Tensor) -> [UInt8] {
  var writer = ByteWriter()
  putNpy(tensor, into: &writer)
  return writer.bytes
}

/// The bytes of an uncompressed `.npz` file with the arrays in this order; equal arrays give equal bytes, as all
/// dates are 1 January 1980.
///
/// Throws `array.name` for an empty name, one longer than 60,000 bytes or one that occurs twice, and `array.size` for
/// a file of 4 GiB or more.
public func npzBytes(_ arrays: [NamedTensor]) throws(Diagnostic) -> [UInt8] {
  var (writer, directory, names) = (ByteWriter(), ByteWriter(), Set<String>())
  guard arrays.count < 0xFFFF else {
    throw Diagnostic("array.size", "\(arrays.count) arrays for one .npz file")
  }
  for array in arrays {
    guard !array.name.isEmpty, array.name.utf8.count <= 60_000, names.insert(array.name).inserted else {
      throw Diagnostic("array.name", "'\(array.name.prefix(80))' cannot name a further array")
    }
    let content = npyBytes(array.tensor)
    guard writer.bytes.count + directory.bytes.count + content.count < 0xFFFF_0000 else {
      throw Diagnostic("array.size", "an .npz file of 4 GiB or more cannot be written")
    }
    let fields = zipFields(name: array.name + ".npy", content)
    directory.put(UInt32(0x0201_4B50))
    directory.put(UInt16(20))
    directory.put(bytes: fields)
    for _ in 0..<3 { directory.put(UInt16(0)) }
    directory.put(UInt32(0))
    directory.put(UInt32(writer.bytes.count))
    directory.put(bytes: Array((array.name + ".npy").utf8))
    writer.put(UInt32(0x0403_4B50))
    writer.put(bytes: fields)
    writer.put(bytes: Array((array.name + ".npy").utf8))
    writer.put(bytes: content)
  }
  let start = writer.bytes.count
  writer.put(bytes: directory.bytes)
  writer.put(UInt32(0x0605_4B50))
  writer.put(UInt32(0))
  writer.put(UInt16(arrays.count))
  writer.put(UInt16(arrays.count))
  writer.put(UInt32(directory.bytes.count))
  writer.put(UInt32(start))
  writer.put(UInt16(0))
  return writer.bytes
}

/// What a local header and a directory entry share: version to the length of the extra field.
private func zipFields(name: String, _ content: [UInt8]) -> [UInt8] {
  var writer = ByteWriter()
  writer.put(UInt16(20))
  writer.put(UInt16(name.utf8.allSatisfy { $0 < 0x80 } ? 0 : 0x800))
  writer.put(UInt16(0))
  writer.put(UInt16(0))
  writer.put(UInt16(0x21))
  writer.put(content.withUnsafeBytes { zipChecksum($0) })
  writer.put(UInt32(content.count))
  writer.put(UInt32(content.count))
  writer.put(UInt16(name.utf8.count))
  writer.put(UInt16(0))
  return writer.bytes
}

private func putNpy(_ tensor: Tensor, into writer: inout ByteWriter) {
  let shape = tensor.shape.map(String.init)
  let tuple = shape.count == 1 ? "(\(shape[0]),)" : "(\(shape.joined(separator: ", ")))"
  var text = "{'descr': '\(tensor.data.numpyType)', 'fortran_order': False, 'shape': \(tuple), }"
  // NumPy leaves room for the first length to grow to 21 digits.
  if let first = shape.first { text += String(repeating: " ", count: max(0, 21 - first.utf8.count)) }
  let isShort = text.utf8.count + 64 <= 0xFFFF
  let prefix = NpyHeader.magic.count + (isShort ? 4 : 6)
  let padding = 64 - (prefix + text.utf8.count + 1) % 64
  text += String(repeating: " ", count: padding) + "\n"
  writer.put(bytes: NpyHeader.magic)
  writer.put(bytes: isShort ? [1, 0] : [2, 0])
  if isShort { writer.put(UInt16(text.utf8.count)) } else { writer.put(UInt32(text.utf8.count)) }
  writer.put(bytes: Array(text.utf8))
  tensor.data.withBytes { writer.put(raw: $0) }
}

extension TensorData {
  /// The type in NumPy's words.
  var numpyType: String {
    switch self {
    case .f32: return "<f4"
    case .i8: return "|i1"
    case .u8: return "|u1"
    case .i16: return "<i2"
    case .u16: return "<u2"
    case .i32: return "<i4"
    case .i64: return "<i8"
    }
  }
}
