public import Tensors

// The naive twin: what operators, layouts and converters mean, in plain loops over index lists. It shares no
// function with what it checks; of `Tensors` it takes the types of values and parameters alone.

/// All index lists of an array of `shape`, the last axis fastest.
public func naiveIndices(_ shape: [Int]) -> [[Int]] {
  var lists: [[Int]] = [[]]
  for length in shape { lists = lists.flatMap { list in (0..<length).map { list + [$0] } } }
  return lists
}

/// A dense array whose elements are asked for by their index on every axis.
public struct NaiveArray<Element> {
  /// The length of each axis.
  public let shape: [Int]
  /// The elements, the last axis fastest.
  public var elements: [Element]

  /// An array of given elements.
  public init(_ shape: [Int], _ elements: [Element]) {
    self.shape = shape
    self.elements = elements
  }

  /// An array whose element at each index is `element(index)`.
  public init(_ shape: [Int], _ element: ([Int]) -> Element) {
    self.init(shape, naiveIndices(shape).map(element))
  }

  /// The element at `index`.
  public subscript(index: [Int]) -> Element {
    get { elements[place(index)] }
    set { elements[place(index)] = newValue }
  }

  private func place(_ index: [Int]) -> Int {
    var place = 0
    for axis in shape.indices { place = place * shape[axis] + index[axis] }
    return place
  }
}

extension NaiveArray<Float> {
  /// The elements of a float tensor.
  public init(_ tensor: Tensor) { self.init(tensor.shape, tensor.floats) }

  /// The tensor of these elements.
  public var tensor: Tensor { Tensor(shape, elements) }
}

extension NaiveArray<Int64> {
  /// The elements of an integer tensor.
  public init(_ tensor: Tensor) { self.init(tensor.shape, tensor.integers) }

  /// The tensor of these elements, in `container`.
  public func tensor(in container: Container) -> Tensor {
    switch container {
    case .f32: Tensor(shape, .f32(elements.map { Float($0) }))
    case .i8: Tensor(shape, .i8(elements.map { Int8($0) }))
    case .u8: Tensor(shape, .u8(elements.map { UInt8($0) }))
    case .i16: Tensor(shape, .i16(elements.map { Int16($0) }))
    case .u16: Tensor(shape, .u16(elements.map { UInt16($0) }))
    case .i32: Tensor(shape, .i32(elements.map { Int32($0) }))
    case .i64: Tensor(shape, .i64(elements))
    }
  }
}

/// The smallest container for all of `low ... high`.
public func naiveContainer(_ low: Int64, _ high: Int64) -> Container {
  let sizes: [(Container, Int64, Int64)] = [
    (.u8, 0, 255), (.i8, -128, 127), (.u16, 0, 65_535), (.i16, -32_768, 32_767),
    (.i32, -2_147_483_648, 2_147_483_647),
  ]
  return sizes.first { $0.1 <= low && high <= $0.2 }?.0 ?? .i64
}
