internal import Support

// Decides where the elements of a tensor are, and holds their number against the shape.
extension ModelDecoder {
  /// The storage of a tensor inside the file.
  func storage(
    _ data: TensorData, _ type: ONNXElementType, _ count: Int, _ range: ByteRange, _ location: Location
  ) throws(Diagnostic) -> TensorStorage {
    let filled = data.filled
    guard filled.count <= 1 else {
      throw wrongStorage(
        "the tensor stores its elements in several fields: \(filled.map(fieldName))", location)
    }
    guard let field = filled.first, let part = data.parts[field] else {
      guard count == 0 else {
        throw sizeMismatch("the tensor has no data for \(count) elements", at: location)
      }
      return .empty
    }
    if field == TypedField.raw {
      try checkRaw(part.last.count, type, count, location)
      return .raw(source, part.last)
    }
    guard type.typedField == field else {
      throw wrongStorage("elements of type \(type.name) are stored in \(fieldName(field))", location)
    }
    try checkTyped(part, field, type, count, location)
    return count == 0 ? .empty : .typed(source, message: range, field: field)
  }

  private func checkRaw(
    _ found: Int, _ type: ONNXElementType, _ count: Int, _ location: Location
  ) throws(Diagnostic) {
    guard type != .string else { throw wrongStorage("texts are stored in raw_data", location) }
    guard let needed = type.byteCount(of: count), needed == found else {
      throw sizeMismatch(
        "\(count) elements of type \(type.name) do not take the \(found) bytes that are stored", at: location)
    }
  }

  // A varint takes 1 to 10 bytes; the exact number of them is known when the elements are read.
  private func checkTyped(
    _ part: TensorData.Part, _ field: Int, _ type: ONNXElementType, _ count: Int, _ location: Location
  ) throws(Diagnostic) {
    let fits: Bool
    switch field {
    case TypedField.strings: fits = part.pieces == count
    case TypedField.floats, TypedField.doubles: fits = type.byteCount(of: count) == part.bytes
    default:
      let stored = type.storedValues(of: count)
      fits = stored <= part.bytes && part.bytes / 10 <= stored
    }
    guard fits else {
      let amount = field == TypedField.strings ? "\(part.pieces) texts" : "\(part.bytes) bytes"
      throw sizeMismatch("\(amount) in \(fieldName(field)) are not \(count) elements", at: location)
    }
  }

  private func wrongStorage(_ message: String, _ location: Location) -> Diagnostic {
    Diagnostic(
      "onnx.tensor-storage", message, at: location,
      notes: ["store the elements as raw_data, or in the one field that the format gives for their type"])
  }

  func fieldName(_ field: Int) -> String {
    switch field {
    case TypedField.floats: "float_data"
    case TypedField.int32s: "int32_data"
    case TypedField.strings: "string_data"
    case TypedField.int64s: "int64_data"
    case TypedField.doubles: "double_data"
    case TypedField.uint64s: "uint64_data"
    default: "raw_data"
    }
  }
}

extension ONNXElementType {
  /// The field for elements of this type that are not raw.
  fileprivate var typedField: Int {
    switch self {
    case .float, .complex64: TypedField.floats
    case .double, .complex128: TypedField.doubles
    case .int64: TypedField.int64s
    case .uint32, .uint64: TypedField.uint64s
    case .string: TypedField.strings
    case .uint2, .int2, .uint4, .int4, .uint8, .int8, .uint16, .int16, .int32, .bool, .float16, .bfloat16,
      .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1:
      TypedField.int32s
    }
  }

  /// How many values of a typed field hold `count` elements: those of less than a byte share one.
  func storedValues(of count: Int) -> Int {
    guard let bits, bits < 8 else { return count }
    return ceilDivide(count, 8 / bits)
  }
}
