/// The machine type that the elements of a tensor are kept in.
public enum Container: String, Hashable, Sendable, CaseIterable {
  case f32, i8, u8, i16, u16, i32, i64

  /// The smallest integer container that holds every value of `low ... high`; unsigned where `low` is not negative.
  ///
  /// This is the container that `Tensor.init(_:_:as:)` takes for the narrowest such element type.
  public init(low: Int64, high: Int64) {
    if low >= 0 {
      self = high <= 0xFF ? .u8 : high <= 0xFFFF ? .u16 : high <= Int64(Int32.max) ? .i32 : .i64
    } else if low >= Int64(Int8.min), high <= Int64(Int8.max) {
      self = .i8
    } else if low >= Int64(Int16.min), high <= Int64(Int16.max) {
      self = .i16
    } else {
      self = low >= Int64(Int32.min) && high <= Int64(Int32.max) ? .i32 : .i64
    }
  }

  /// Bytes of one element.
  public var byteWidth: Int {
    switch self {
    case .i8, .u8: return 1
    case .i16, .u16: return 2
    case .f32, .i32: return 4
    case .i64: return 8
    }
  }

  /// The values that the container holds; all of them for floats.
  public var range: ClosedRange<Int64> {
    switch self {
    case .i8: return Int64(Int8.min)...Int64(Int8.max)
    case .u8: return 0...0xFF
    case .i16: return Int64(Int16.min)...Int64(Int16.max)
    case .u16: return 0...0xFFFF
    case .i32: return Int64(Int32.min)...Int64(Int32.max)
    case .f32, .i64: return Int64.min...Int64.max
    }
  }
}

extension Tensor {
  /// Creates a tensor of the bytes of its elements, little-endian, in the container for `element`; nil where they are more
  /// or fewer than `shape` has.
  public init?(_ shape: [Int], bytes: [UInt8], as element: ElementType) {
    let container: Container =
      element.isFloat ? .f32 : Tensor([0], [Int64](), as: element).data.container
    guard isComputable(shape) else { return nil }
    let count = shape.reduce(1, *)
    guard count * container.byteWidth == bytes.count else { return nil }
    self.init(shape, TensorData(container: container, count: count) { $0.copyBytes(from: bytes) })
  }
}

extension TensorData {
  /// The container of the elements.
  public var container: Container {
    switch self {
    case .f32: return .f32
    case .i8: return .i8
    case .u8: return .u8
    case .i16: return .i16
    case .u16: return .u16
    case .i32: return .i32
    case .i64: return .i64
    }
  }

  /// Calls `body` with the elements as raw bytes in the machine's byte order.
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    switch self {
    case .f32(let v): return v.withUnsafeBytes(body)
    case .i8(let v): return v.withUnsafeBytes(body)
    case .u8(let v): return v.withUnsafeBytes(body)
    case .i16(let v): return v.withUnsafeBytes(body)
    case .u16(let v): return v.withUnsafeBytes(body)
    case .i32(let v): return v.withUnsafeBytes(body)
    case .i64(let v): return v.withUnsafeBytes(body)
    }
  }

  /// Creates `count` elements whose bytes `fill` writes; it must write all of them.
  init(container: Container, count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
    switch container {
    case .f32: self = .f32(filled(count, fill))
    case .i8: self = .i8(filled(count, fill))
    case .u8: self = .u8(filled(count, fill))
    case .i16: self = .i16(filled(count, fill))
    case .u16: self = .u16(filled(count, fill))
    case .i32: self = .i32(filled(count, fill))
    case .i64: self = .i64(filled(count, fill))
    }
  }

  /// Creates integers in `container`; nil where one does not fit or the container is the float one.
  init?(container: Container, integers: [Int64]) {
    let range = container.range
    guard container != .f32, integers.allSatisfy({ range.contains($0) }) else { return nil }
    switch container {
    case .f32: return nil
    case .i8: self = .i8(integers.map { Int8(truncatingIfNeeded: $0) })
    case .u8: self = .u8(integers.map { UInt8(truncatingIfNeeded: $0) })
    case .i16: self = .i16(integers.map { Int16(truncatingIfNeeded: $0) })
    case .u16: self = .u16(integers.map { UInt16(truncatingIfNeeded: $0) })
    case .i32: self = .i32(integers.map { Int32(truncatingIfNeeded: $0) })
    case .i64: self = .i64(integers)
    }
  }
}

extension Tensor {
  /// The same integers in the smallest container for `element`; every value must fit.
  public func contained(as element: ElementType) -> Tensor {
    let container = Tensor([0], [Int64](), as: element).data.container
    return data.container == container ? self : Tensor(shape, integers, as: element)
  }
}

/// An array of `count` elements of a trivial type, written as bytes.
private func filled<T: BitwiseCopyable>(
  _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void
) -> [T] {
  [T](unsafeUninitializedCapacity: count) { buffer, used in
    fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count * MemoryLayout<T>.stride))
    used = count
  }
}
