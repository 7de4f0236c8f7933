public import Support

/// A tensor of a file. Its elements stay where the file has them until they are asked for.
public struct ONNXTensor: Sendable {
  /// The name; empty where the file gives none, as in attributes.
  public let name: String
  /// The sizes of the dimensions, none of them negative; empty for a scalar.
  public let shape: [Int]
  /// The type of the elements as stored.
  public let elementType: ONNXElementType
  /// The number of elements: the product of the shape.
  public let count: Int
  /// Where the tensor is in the file, for messages about it.
  public let location: Location
  let storage: TensorStorage

  init(
    name: String, shape: [Int], elementType: ONNXElementType, count: Int, location: Location,
    storage: TensorStorage
  ) {
    self.name = name
    self.shape = shape
    self.elementType = elementType
    self.count = count
    self.location = location
    self.storage = storage
  }

  /// Creates a tensor from its elements as little-endian bytes; throws `onnx.tensor-size` or `onnx.tensor-shape`
  /// where shape and bytes do not fit together.
  public init(name: String, shape: [Int], elementType: ONNXElementType, bytes: [UInt8]) throws(Diagnostic) {
    let location = Location(.item("tensor '\(name)'"))
    guard let count = checkedProduct(shape) else {
      throw Diagnostic("onnx.tensor-shape", "\(shape) is not the shape of a tensor", at: location)
    }
    guard elementType.byteCount(of: count) == bytes.count else {
      throw Diagnostic(
        "onnx.tensor-size", "\(bytes.count) bytes do not fill \(elementType.name)\(shape)", at: location)
    }
    let source = ByteSource(bytes)
    self.init(
      name: name, shape: shape, elementType: elementType, count: count, location: location,
      storage: .raw(source, source.all))
  }

  /// Whether the elements lie in a mapped file, so that they cost no memory until they are read.
  public var isMapped: Bool {
    switch storage {
    case .raw(let source, _), .typed(let source, _, _): source.isMapped
    case .empty: false
    }
  }

  /// Calls `body` with the elements as they are stored, little-endian and not aligned, without a copy; the bytes are
  /// valid only during the call. Returns nil, without a call, for elements stored in a typed field: use `floats()`
  /// or `int64s()` there.
  public func withRawBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R? {
    switch storage {
    case .raw(let source, let range):
      return try withExtendedLifetime(source) { () throws(E) -> R in
        try body(UnsafeRawBufferPointer(rebasing: source.bytes[range.start..<range.end]))
      }
    case .empty: return try body(UnsafeRawBufferPointer(start: nil, count: 0))
    case .typed: return nil
    }
  }
}

/// Where the elements of a tensor are.
enum TensorStorage: Sendable {
  /// Little-endian elements one after the other.
  case raw(ByteSource, ByteRange)
  /// In the field with this number of the tensor's message, perhaps in several pieces.
  case typed(ByteSource, message: ByteRange, field: Int)
  /// There are none.
  case empty
}
