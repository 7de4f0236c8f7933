import Support

/// Reads an ONNX TensorProto in protobuf's wire format; fields as in the ONNX schema, `onnx.proto`.
func readTensorProto(_ bytes: UnsafeRawBufferPointer, _ place: ArrayPlace) throws(Diagnostic) -> NamedTensor {
  var proto = TensorProto()
  do throws(ByteError) {
    var reader = ByteReader(bytes)
    while !reader.isAtEnd { try proto.readField(&reader) }
  } catch {
    throw place.error(
      "format", "neither .npy nor .npz, and no TensorProto: \(error.reason)", at: error.offset)
  }
  return NamedTensor(name: proto.name, tensor: try proto.tensor(place))
}

/// The fields of a TensorProto that are read.
private struct TensorProto {
  private var shape: [Int64] = []
  private var type: Int64 = 0
  private(set) var name = ""
  private var raw: UnsafeRawBufferPointer?
  private var floats: [Float] = []
  /// Elements of `int32_data`, `int64_data` and `uint64_data`, by field number.
  private var integers: [UInt64: [Int64]] = [:]
  private var doubles: [Double] = []
  private var unsupported: String?

  mutating func readField(_ reader: inout ByteReader) throws(ByteError) {
    let start = reader.offset
    let key = try readVarint(&reader)
    let (field, wire) = (key >> 3, key & 7)
    switch (field, wire) {
    case (1, 0), (1, 2): try readIntegers(&reader, wire, into: &shape)
    case (2, 0): type = Int64(bitPattern: try readVarint(&reader))
    case (4, 5), (4, 2): floats += try readWords(&reader, wire, UInt32.self).map { Float(bitPattern: $0) }
    case (5, 0), (5, 2), (7, 0), (7, 2), (11, 0), (11, 2):
      try readIntegers(&reader, wire, into: &integers[field, default: []])
    case (8, 2):
      guard let text = String(validating: try readChunk(&reader), as: UTF8.self) else {
        throw ByteError(offset: start, reason: "the name is not UTF-8")
      }
      name = text
    case (9, 2): raw = try readChunk(&reader)
    case (10, 1), (10, 2): doubles += try readWords(&reader, wire, UInt64.self).map { Double(bitPattern: $0) }
    case (14, 0):
      if try readVarint(&reader) != 0 { unsupported = "external data" }
    case (3, 2), (6, 2), (13, 2):
      unsupported = field == 3 ? "segments" : field == 6 ? "texts" : "external data"
      _ = try readChunk(&reader)
    case (12, 2), (15..., 0), (15..., 1), (15..., 2), (15..., 5): try skip(&reader, wire)
    default: throw ByteError(offset: start, reason: "field \(field) of wire type \(wire)")
    }
  }

  private func skip(_ reader: inout ByteReader, _ wire: UInt64) throws(ByteError) {
    switch wire {
    case 0: _ = try readVarint(&reader)
    case 1: _ = try reader.readBytes(8)
    case 5: _ = try reader.readBytes(4)
    default: _ = try readChunk(&reader)
    }
  }

  func tensor(_ place: ArrayPlace) throws(Diagnostic) -> Tensor {
    if let unsupported {
      throw place.error("proto", "a TensorProto with \(unsupported) is not supported", at: 0)
    }
    guard let format = Self.format(type) else {
      throw place.error(
        type == 0 ? "format" : "type", "a TensorProto of data type \(type) is not supported", at: 0)
    }
    let lengths = shape.map { Int(clamping: $0) }
    try place.check(lengths, at: 0)
    let count = lengths.reduce(1, *)
    if let raw {
      guard floats.isEmpty, doubles.isEmpty, integers.values.allSatisfy(\.isEmpty) else {
        throw place.error("proto", "a TensorProto with elements in two fields", at: 0)
      }
      guard raw.count == count * format.width else {
        throw place.error("size", "\(raw.count) bytes for \(count) elements of \(format.width) bytes", at: 0)
      }
      return try format.tensor(lengths, raw, place, at: 0)
    }
    let data = try typedData(format.kind, place)
    let others = floats.count + doubles.count + integers.values.reduce(0) { $0 + $1.count }
    guard data.count == count, others == count else {
      throw place.error("size", "\(others) elements for the shape \(lengths)", at: 0)
    }
    return Tensor(lengths, data)
  }

  /// The elements of the field that the schema assigns to a type.
  private func typedData(_ kind: ElementFormat.Kind, _ place: ArrayPlace) throws(Diagnostic) -> TensorData {
    let narrow = integers[5, default: []]
    let container: Container
    switch kind {
    case .float32: return .f32(floats)
    case .float64: return .f32(doubles.map { Float($0) })
    case .int64: return .i64(integers[7, default: []])
    case .uint32, .uint64:
      let values = integers[11, default: []]
      guard values.allSatisfy({ $0 >= 0 && (kind == .uint64 || $0 <= 0xFFFF_FFFF) }) else {
        throw place.error("range", "an unsigned element is out of range", at: 0)
      }
      return .i64(values)
    case .boolean: return .u8(narrow.map { $0 == 0 ? 0 : 1 })
    case .float16, .bfloat16, .uint16: container = .u16
    case .int8: container = .i8
    case .uint8: container = .u8
    case .int16: container = .i16
    case .int32: container = .i32
    }
    guard let data = TensorData(container: container, integers: narrow) else {
      throw place.error("range", "an element does not fit into its type", at: 0)
    }
    guard case .u16(let bits) = data, kind != .uint16 else { return data }
    if kind == .float16 { return .f32(bits.map { Float(Float16(bitPattern: $0)) }) }
    return .f32(bits.map { Float(bitPattern: UInt32($0) << 16) })
  }

  private static func format(_ type: Int64) -> ElementFormat? {
    let kinds: [Int64: ElementFormat.Kind] = [
      1: .float32, 2: .uint8, 3: .int8, 4: .uint16, 5: .int16, 6: .int32, 7: .int64, 9: .boolean,
      10: .float16,
      11: .float64, 12: .uint32, 13: .uint64, 16: .bfloat16,
    ]
    return kinds[type].map { ElementFormat(kind: $0) }
  }
}

private func readVarint(_ reader: inout ByteReader) throws(ByteError) -> UInt64 {
  var value: UInt64 = 0
  for shift in stride(from: UInt64(0), to: 70, by: 7) {
    let byte = try reader.read(UInt8.self)
    value |= UInt64(byte & 0x7F) << shift
    if byte < 0x80 { return value }
  }
  throw ByteError(offset: reader.offset, reason: "a number has more than ten bytes")
}

private func readChunk(_ reader: inout ByteReader) throws(ByteError) -> UnsafeRawBufferPointer {
  try reader.readBytes(Int(clamping: try readVarint(&reader)))
}

/// One number, or a packed list of them.
private func readIntegers(_ reader: inout ByteReader, _ wire: UInt64, into list: inout [Int64])
  throws(ByteError)
{
  if wire == 0 {
    list.append(Int64(bitPattern: try readVarint(&reader)))
    return
  }
  let chunk = try readChunk(&reader)
  let end = reader.offset - chunk.count
  var inside = ByteReader(chunk)
  do throws(ByteError) {
    while !inside.isAtEnd { list.append(Int64(bitPattern: try readVarint(&inside))) }
  } catch {
    throw ByteError(offset: end + error.offset, reason: error.reason)
  }
}

/// One fixed-width number, or a packed list of them.
private func readWords<T: FixedWidthInteger & BitwiseCopyable>(
  _ reader: inout ByteReader, _ wire: UInt64, _ type: T.Type
) throws(ByteError) -> [T] {
  if wire != 2 { return [try reader.read(T.self)] }
  let chunk = try readChunk(&reader)
  let width = MemoryLayout<T>.size
  guard chunk.count % width == 0 else {
    throw ByteError(offset: reader.offset, reason: "a packed list of \(chunk.count) bytes")
  }
  return (0..<chunk.count / width).map {
    T(littleEndian: chunk.loadUnaligned(fromByteOffset: $0 &* width, as: T.self))
  }
}
