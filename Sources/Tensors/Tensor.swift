/// The elements of a tensor in row-major order, in the container that the file or the computation gave.
public enum TensorData: Equatable, Sendable {
  case f32([Float])
  case i8([Int8])
  case u8([UInt8])
  case i16([Int16])
  case u16([UInt16])
  case i32([Int32])
  case i64([Int64])

  /// How many elements there are.
  public var count: Int {
    switch self {
    case .f32(let v): return v.count
    case .i8(let v): return v.count
    case .u8(let v): return v.count
    case .i16(let v): return v.count
    case .u16(let v): return v.count
    case .i32(let v): return v.count
    case .i64(let v): return v.count
    }
  }

  /// Whether the elements are floats.
  public var isFloat: Bool {
    if case .f32 = self { return true }
    return false
  }
}

/// A dense array with a shape; a scalar has the shape `[]` and one element.
public struct Tensor: Equatable, Sendable {
  /// The lengths of the axes, outermost first.
  public let shape: [Int]
  /// The elements, row-major; as many as the product of the shape.
  public let data: TensorData

  /// Creates a tensor; the number of elements must be the product of the shape.
  public init(_ shape: [Int], _ data: TensorData) {
    precondition(shape.reduce(1, *) == data.count, "element count differs from the shape")
    self.shape = shape
    self.data = data
  }

  /// Creates a float tensor.
  public init(_ shape: [Int], _ values: [Float]) { self.init(shape, .f32(values)) }

  /// Creates an integer tensor of 64-bit elements.
  public init(_ shape: [Int], _ values: [Int64]) { self.init(shape, .i64(values)) }

  /// Creates an integer tensor in the smallest container for `element`; every value must fit.
  public init(_ shape: [Int], _ values: [Int64], as element: ElementType) {
    switch element {
    case .integer(let bits, signed: true) where bits <= 8: self.init(shape, .i8(values.map { Int8($0) }))
    case .integer(let bits, signed: false) where bits <= 8: self.init(shape, .u8(values.map { UInt8($0) }))
    case .integer(let bits, signed: true) where bits <= 16: self.init(shape, .i16(values.map { Int16($0) }))
    case .integer(let bits, signed: false) where bits <= 16: self.init(shape, .u16(values.map { UInt16($0) }))
    case .integer(let bits, signed: let signed) where bits <= (signed ? 32 : 31):
      self.init(shape, .i32(values.map { Int32($0) }))
    case .integer, .float32: self.init(shape, .i64(values))
    }
  }

  /// How many elements there are.
  public var count: Int { data.count }

  /// The elements as floats; integers are converted to the nearest float.
  public var floats: [Float] {
    switch data {
    case .f32(let v): return v
    case .i8(let v): return v.map { Float($0) }
    case .u8(let v): return v.map { Float($0) }
    case .i16(let v): return v.map { Float($0) }
    case .u16(let v): return v.map { Float($0) }
    case .i32(let v): return v.map { Float($0) }
    case .i64(let v): return v.map { Float($0) }
    }
  }

  /// The elements as integers; floats are truncated toward zero and clamped, and NaN becomes 0.
  public var integers: [Int64] {
    switch data {
    case .f32(let v): return v.map { $0.isNaN ? 0 : Int64(max(-0x1p62, min(0x1p62, $0))) }
    case .i8(let v): return v.map { Int64($0) }
    case .u8(let v): return v.map { Int64($0) }
    case .i16(let v): return v.map { Int64($0) }
    case .u16(let v): return v.map { Int64($0) }
    case .i32(let v): return v.map { Int64($0) }
    case .i64(let v): return v
    }
  }

  /// Element number `index` in row-major order as an integer, as `integers` gives it.
  public func integer(_ index: Int) -> Int64 {
    switch data {
    case .f32(let v): return Tensor([], [v[index]]).integers[0]
    case .i8(let v): return Int64(v[index])
    case .u8(let v): return Int64(v[index])
    case .i16(let v): return Int64(v[index])
    case .u16(let v): return Int64(v[index])
    case .i32(let v): return Int64(v[index])
    case .i64(let v): return v[index]
    }
  }

  /// How many elements are other than 0 as integers.
  public var nonzeroCount: Int {
    func count<T: Numeric>(_ values: [T]) -> Int { values.reduce(0) { $0 + ($1 == 0 ? 0 : 1) } }
    switch data {
    case .f32: return count(integers)
    case .i8(let v): return count(v)
    case .u8(let v): return count(v)
    case .i16(let v): return count(v)
    case .u16(let v): return count(v)
    case .i32(let v): return count(v)
    case .i64(let v): return count(v)
    }
  }

  /// The same elements under another shape with as many elements.
  public func reshaped(_ shape: [Int]) -> Tensor { Tensor(shape, data) }
}

/// The distance, in elements, between neighbors on each axis of a row-major array.
public func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in stride(from: shape.count - 2, through: 0, by: -1) {
    strides[axis] = strides[axis + 1] * shape[axis + 1]
  }
  return strides
}
