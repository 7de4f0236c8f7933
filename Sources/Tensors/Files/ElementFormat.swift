import Support

/// How a file stores an element.
struct ElementFormat: Equatable {
  /// The type of an element.
  enum Kind: Equatable {
    case boolean, float16, bfloat16, float32, float64
    case int8, int16, int32, int64, uint8, uint16, uint32, uint64
  }

  let kind: Kind
  /// Whether the most significant byte comes first.
  var isBigEndian = false

  /// Bytes of an element.
  var width: Int {
    switch kind {
    case .boolean, .int8, .uint8: return 1
    case .float16, .bfloat16, .int16, .uint16: return 2
    case .float32, .int32, .uint32: return 4
    case .float64, .int64, .uint64: return 8
    }
  }

  /// The elements of `bytes`, whose count must be a multiple of the width; nil where one is above 2^63 - 1.
  func decode(_ bytes: UnsafeRawBufferPointer) -> TensorData? {
    let swap = isBigEndian
    switch kind {
    case .boolean: return .u8(loaded(bytes, swap) { (v: UInt8) in v == 0 ? 0 : 1 })
    case .float16: return .f32(loaded(bytes, swap) { (v: UInt16) in Float(Float16(bitPattern: v)) })
    case .bfloat16: return .f32(loaded(bytes, swap) { (v: UInt16) in Float(bitPattern: UInt32(v) << 16) })
    case .float32: return .f32(loaded(bytes, swap) { (v: UInt32) in Float(bitPattern: v) })
    case .float64: return .f32(loaded(bytes, swap) { (v: UInt64) in Float(Double(bitPattern: v)) })
    case .int8: return .i8(loaded(bytes, swap) { (v: Int8) in v })
    case .int16: return .i16(loaded(bytes, swap) { (v: Int16) in v })
    case .int32: return .i32(loaded(bytes, swap) { (v: Int32) in v })
    case .int64: return .i64(loaded(bytes, swap) { (v: Int64) in v })
    case .uint8: return .u8(loaded(bytes, swap) { (v: UInt8) in v })
    case .uint16: return .u16(loaded(bytes, swap) { (v: UInt16) in v })
    case .uint32: return .i64(loaded(bytes, swap) { (v: UInt32) in Int64(v) })
    case .uint64:
      let values = loaded(bytes, swap) { (v: UInt64) in Int64(bitPattern: v) }
      return values.contains { $0 < 0 } ? nil : .i64(values)
    }
  }

  /// The tensor of `bytes`, which start at `offset` of `place` and hold as many elements as `shape`.
  ///
  /// Throws `array.range` for an element that 64 signed bits do not hold.
  func tensor(_ shape: [Int], _ bytes: UnsafeRawBufferPointer, _ place: ArrayPlace, at offset: Int)
    throws(Diagnostic) -> Tensor
  {
    guard let data = decode(bytes) else {
      throw place.error("range", "an unsigned element is above 2^63 - 1", at: offset)
    }
    return Tensor(shape, data)
  }
}

@inline(__always) private func loaded<T: FixedWidthInteger & BitwiseCopyable, R: BitwiseCopyable>(
  _ bytes: UnsafeRawBufferPointer, _ swap: Bool, _ convert: (T) -> R
) -> [R] {
  let width = MemoryLayout<T>.size
  let count = bytes.count / width
  return [R](unsafeUninitializedCapacity: count) { result, used in
    if swap {
      for k in 0..<count {
        result[k] = convert(T(bigEndian: bytes.loadUnaligned(fromByteOffset: k &* width, as: T.self)))
      }
    } else {
      for k in 0..<count {
        result[k] = convert(T(littleEndian: bytes.loadUnaligned(fromByteOffset: k &* width, as: T.self)))
      }
    }
    used = count
  }
}
