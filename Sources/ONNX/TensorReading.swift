public import Support

extension ONNXTensor {
  /// The elements in row-major order, rounded to binary32 where they are stored with more digits; integers and
  /// truth values are converted.
  public func floats() throws(Diagnostic) -> [Float] {
    if let copy = copyOfFloats() { return copy }
    return switch elementType {
    case .float: try elements { (bits: UInt32) in Float(bitPattern: bits) }
    case .double: try elements { (bits: UInt64) in Float(Double(bitPattern: bits)) }
    case .float16: try elements { (bits: UInt16) in Float(Float16(bitPattern: bits)) }
    case .bfloat16: try elements { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
    case .uint2, .int2, .uint4, .int4, .uint8, .int8, .uint16, .int16, .int32, .int64, .uint32, .uint64,
      .bool,
      .string, .complex64, .complex128, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz,
      .float8e8m0, .float4e2m1:
      try integers({ Float($0) }, { Float($0) })
    }
  }

  /// The elements in row-major order; integers and truth values only.
  public func int64s() throws(Diagnostic) -> [Int64] {
    try integers({ $0 }) { (value: UInt64) throws(Diagnostic) -> Int64 in
      guard let signed = Int64(exactly: value) else { throw outOfRange("\(value)", "int64") }
      return signed
    }
  }

  private func integers<R>(
    _ signed: (Int64) throws(Diagnostic) -> R, _ unsigned: (UInt64) throws(Diagnostic) -> R
  ) throws(Diagnostic) -> [R] {
    switch elementType {
    case .int2: try packed(bits: 2) { value throws(Diagnostic) in try signed(value >= 2 ? value - 4 : value) }
    case .uint2: try packed(bits: 2) { value throws(Diagnostic) in try signed(value) }
    case .int4:
      try packed(bits: 4) { value throws(Diagnostic) in try signed(value >= 8 ? value - 16 : value) }
    case .uint4: try packed(bits: 4) { value throws(Diagnostic) in try signed(value) }
    case .int8: try elements { (value: Int8) throws(Diagnostic) in try signed(Int64(value)) }
    case .uint8: try elements { (value: UInt8) throws(Diagnostic) in try signed(Int64(value)) }
    case .int16: try elements { (value: Int16) throws(Diagnostic) in try signed(Int64(value)) }
    case .uint16: try elements { (value: UInt16) throws(Diagnostic) in try signed(Int64(value)) }
    case .int32: try elements { (value: Int32) throws(Diagnostic) in try signed(Int64(value)) }
    case .int64: try elements { (value: Int64) throws(Diagnostic) in try signed(value) }
    case .uint32: try elements { (value: UInt32) throws(Diagnostic) in try signed(Int64(value)) }
    case .uint64: try elements { (value: UInt64) throws(Diagnostic) in try unsigned(value) }
    case .bool: try elements { (value: UInt8) throws(Diagnostic) in try signed(truth(value)) }
    case .float, .double, .float16, .bfloat16, .string, .complex64, .complex128, .float8e4m3fn,
      .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1:
      throw unreadable()
    }
  }

  /// Elements of less than a byte: the first one is in the lowest bits; what fills the last byte up is not read.
  private func packed<R>(bits: Int, _ convert: (Int64) throws(Diagnostic) -> R) throws(Diagnostic) -> [R] {
    let bytes = try elements { (byte: UInt8) in byte }
    let (each, mask) = (8 / bits, UInt8(1) << UInt8(bits) - 1)
    var result: [R] = []
    result.reserveCapacity(count)
    for k in 0..<count {
      result.append(try convert(Int64(bytes[k / each] >> UInt8(k % each * bits) & mask)))
    }
    return result
  }

  private func truth(_ value: UInt8) throws(Diagnostic) -> Int64 {
    guard value <= 1 else { throw outOfRange("\(value)", "bool") }
    return Int64(value)
  }

  private func unreadable() -> Diagnostic {
    let help = elementType.isFloat ? "store it as an integer tensor, such as int64" : floatAdvice
    return Diagnostic(
      "onnx.tensor-type", "elements of type \(elementType.name) cannot be read here", at: location,
      notes: [help])
  }

  private func outOfRange(_ value: String, _ type: String) -> Diagnostic {
    Diagnostic(
      "onnx.value-range", "the value \(value) does not fit into \(type)", at: location,
      notes: [
        "the tensor's data do not belong to its element type \(elementType.name): export the model again"
      ])
  }
}

// Each stored value is read as the integer of its width and handed to `convert`: an element, or a byte with several.
extension ONNXTensor {
  private var storedCount: Int { elementType.storedValues(of: count) }

  private func elements<T: FixedWidthInteger, R>(
    _ convert: (T) throws(Diagnostic) -> R
  ) throws(Diagnostic) -> [R] {
    var result: [R] = []
    switch storage {
    case .empty: break
    case .raw(let source, let range):
      result.reserveCapacity(storedCount)
      let size = MemoryLayout<T>.size
      for k in 0..<storedCount {
        let bits = source.bytes.loadUnaligned(fromByteOffset: range.start + k * size, as: T.self)
        result.append(try convert(T(littleEndian: bits)))
      }
    case .typed(let source, let message, let field):
      // The count was held against the field's bytes when the file was opened, so that it is safe to reserve.
      result.reserveCapacity(storedCount)
      do throws(Diagnostic) {
        try appendTyped(source, message, field, to: &result, convert)
      } catch {
        throw error.inFile(location.file)
      }
    }
    return result
  }

  private func appendTyped<T: FixedWidthInteger, R>(
    _ source: ByteSource, _ message: ByteRange, _ field: Int, to result: inout [R],
    _ convert: (T) throws(Diagnostic) -> R
  ) throws(Diagnostic) {
    let isVarint = field != TypedField.floats && field != TypedField.doubles
    var fields = WireReader(source.bytes, message)
    while let part = try fields.next() {
      guard part.number == field else { continue }
      var reader = WireReader(source.bytes, part.payload)
      while reader.offset < reader.end {
        guard result.count < storedCount else { throw miscounted("more than \(count)") }
        let value = isVarint ? try narrow(reader.varint(), field) : try reader.fixed(T.self)
        result.append(try convert(value))
      }
    }
    guard result.count == storedCount else { throw miscounted("\(result.count)") }
  }

  /// The element behind a varint; protobuf keeps the low 32 bits of an int32.
  private func narrow<T: FixedWidthInteger>(_ bits: UInt64, _ field: Int) throws(Diagnostic) -> T {
    let value =
      switch field {
      case TypedField.int32s: T(exactly: Int32(truncatingIfNeeded: bits))
      case TypedField.int64s: T(exactly: Int64(bitPattern: bits))
      default: T(exactly: bits)
      }
    guard let value else {
      let shown = field == TypedField.uint64s ? "\(bits)" : "\(Int64(bitPattern: bits))"
      throw outOfRange(shown, elementType.name)
    }
    return value
  }

  private func miscounted(_ found: String) -> Diagnostic {
    sizeMismatch("the shape \(shape) has \(count) elements, but the data have \(found)", at: location)
  }

  /// The elements of a binary32 tensor without conversion, where they are stored as the machine has them. What was
  /// copied of a mapped file is taken out of memory, so that a large tensor is not there twice.
  private func copyOfFloats() -> [Float]? {
    #if _endian(little)
      guard elementType == .float, case .raw(let source, let range) = storage else { return nil }
      return [Float](unsafeUninitializedCapacity: count) { target, used in
        let (bytes, step) = (UnsafeMutableRawBufferPointer(target), 1 << 24)
        for first in stride(from: 0, to: range.count, by: step) {
          let part = ByteRange(start: range.start + first, end: min(range.start + first + step, range.end))
          UnsafeMutableRawBufferPointer(rebasing: bytes[first..<first + part.count]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: source.bytes[part.start..<part.end]))
          source.releasePages(part)
        }
        used = count
      }
    #else
      return nil
    #endif
  }
}

/// A message about data that do not fill their shape.
func sizeMismatch(_ message: String, at location: Location) -> Diagnostic {
  Diagnostic(
    "onnx.tensor-size", message, at: location,
    notes: ["the file is damaged, or its exporter is broken: export the model again"])
}

let floatAdvice = "store the tensor as float, double, float16, bfloat16 or an integer type"
