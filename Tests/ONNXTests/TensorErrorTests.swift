import ONNX
import Support
import TestSupport
import Testing

@Suite("Tensors that are refused")
struct TensorErrorTests {
  private let w = Location.Place.item("initializer 'w'")

  @Test(arguments: [0, 27, 28, 99, -1, Int64(Int32.max)])
  func unknownTypes(_ type: Int64) {
    expectRefused(
      model(type: type, shape: [1]) { $0.bytes(9, [0]) }, "onnx.tensor-type", at: w, saying: "\(type)")
  }

  @Test(arguments: [-1, Int64.min])
  func negativeDimensions(_ size: Int64) {
    expectRefused(model(shape: [2, size]) { _ in }, "onnx.tensor-shape", at: w, saying: "\(size)")
    expectRefused(model(shape: [0, size]) { _ in }, "onnx.tensor-shape", at: w)
  }

  @Test(arguments: [[Int64.max], [1 << 32, 1 << 32], [1 << 31, 1 << 31, 4], [(1 << 30) + 1]] as [[Int64]])
  func tooManyElements(_ shape: [Int64]) {
    expectRefused(model(shape: shape) { $0.bytes(9, [0]) }, "onnx.limit", at: w, saying: "elements")
  }

  @Test func tooManyDimensions() throws {
    #expect(
      try readModel(bytes: model(shape: Array(repeating: 1, count: 32)) { $0.bytes(9, [0, 0, 0, 0]) })
        .graph.initializers.first?.shape.count == 32)
    expectRefused(
      model(shape: Array(repeating: 1, count: 33)) { $0.bytes(9, [0, 0, 0, 0]) }, "onnx.limit", at: w)
  }

  @Test func sparseTypesOfSizes() {
    expectRefused(model(shape: [2]) { $0.bytes(9, [0, 0, 0, 0, 0, 0, 0]) }, "onnx.tensor-size", at: w)
    expectRefused(model(shape: [2]) { $0.bytes(9, Array(repeating: 0, count: 9)) }, "onnx.tensor-size", at: w)
    expectRefused(model(type: 10, shape: [2]) { $0.bytes(9, [0, 0]) }, "onnx.tensor-size", at: w)
    expectRefused(model(type: 22, shape: [3]) { $0.bytes(9, [0]) }, "onnx.tensor-size", at: w)
    expectRefused(model(shape: [0]) { $0.bytes(9, [0]) }, "onnx.tensor-size", at: w)
  }

  @Test func tensorsWithoutData() {
    expectRefused(model(shape: [2]) { _ in }, "onnx.tensor-size", at: w, saying: "no data")
    expectRefused(model(shape: [2]) { $0.bytes(9, []) }, "onnx.tensor-size", at: w)
    expectRefused(model(shape: []) { _ in }, "onnx.tensor-size", at: w)
  }

  @Test func typedDataOfTheWrongLength() {
    expectRefused(model(shape: [2]) { $0.bytes(4, [0, 0, 0, 0]) }, "onnx.tensor-size", at: w)
    expectRefused(
      model(shape: [1]) { $0.bytes(4, [0, 0, 0]) }, "onnx.tensor-size", at: w, saying: "multiple of 4")
    expectRefused(
      model(type: 11, shape: [1]) { $0.bytes(10, [0, 0, 0, 0]) }, "onnx.tensor-size", saying: "of 8")
    expectRefused(model(type: 7, shape: [3]) { $0.bytes(7, [1, 2]) }, "onnx.tensor-size", at: w)
    expectRefused(
      model(type: 7, shape: [1]) { $0.bytes(7, Array(repeating: 1, count: 20)) }, "onnx.tensor-size")
    expectRefused(model(type: 8, shape: [2]) { $0.text(6, "one") }, "onnx.tensor-size", saying: "1 texts")
  }

  @Test func varintsAreCountedWhenTheyAreRead() throws {
    try expectUnreadable(
      model(type: 7, shape: [3]) { $0.bytes(7, [1, 2, 3, 4]) }, "onnx.tensor-size", saying: "more than 3")
    try expectUnreadable(
      model(type: 7, shape: [3]) { $0.bytes(7, [1, 0x82, 3]) }, "onnx.tensor-size", saying: "2")
    try expectUnreadable(model(type: 7, shape: [2]) { $0.bytes(7, [1, 0x82]) }, "onnx.truncated")
    try expectUnreadable(
      model(type: 7, shape: [2]) { $0.bytes(7, Array(repeating: 0xff, count: 11)) }, "onnx.wire")
  }

  @Test func wrongFields() {
    expectRefused(
      model(type: 1, shape: [1]) { $0.bytes(5, [1]) }, "onnx.tensor-storage", at: w, saying: "int32_data")
    expectRefused(
      model(type: 6, shape: [1]) { $0.bytes(7, [1]) }, "onnx.tensor-storage", at: w, saying: "int64_data")
    expectRefused(
      model(type: 10, shape: [1]) { $0.fixed32(4, 1) }, "onnx.tensor-storage", saying: "float_data")
    expectRefused(
      model(type: 1, shape: [1]) { $0.fixed64(10, 1) }, "onnx.tensor-storage", saying: "double_data")
    expectRefused(
      model(type: 7, shape: [1]) { $0.bytes(11, [1]) }, "onnx.tensor-storage", saying: "uint64_data")
    expectRefused(
      model(type: 7, shape: [1]) { $0.text(6, "1") }, "onnx.tensor-storage", saying: "string_data")
    expectRefused(model(type: 8, shape: [1]) { $0.bytes(9, [1]) }, "onnx.tensor-storage", saying: "raw_data")
  }

  @Test func severalFields() {
    let bytes = model(shape: [1]) {
      $0.bytes(9, [0, 0, 0, 0])
      $0.fixed32(4, 0)
    }
    expectRefused(bytes, "onnx.tensor-storage", at: w, saying: "[\"float_data\", \"raw_data\"]")
  }

  @Test func segments() {
    let bytes = model(shape: [1]) {
      $0.bytes(9, [0, 0, 0, 0])
      $0.message(3) { $0.int(1, 0) }
    }
    expectRefused(bytes, "onnx.tensor-segment", at: w)
  }

  @Test func valuesOutsideTheirType() throws {
    let cases: [(Int64, Int64)] = [
      (2, 256), (2, -1), (3, 128), (3, -129), (4, 65536), (5, 32768), (5, -32769), (9, 2), (9, -1),
      (10, 65536),
      (10, -1), (16, 65536),
    ]
    for (type, value) in cases {
      try expectUnreadable(
        model(type: type, shape: [1]) { $0.int(5, value) }, "onnx.value-range", saying: "\(value)")
    }
    try expectUnreadable(model(type: 12, shape: [1]) { $0.int(11, 1 << 32) }, "onnx.value-range")
    try expectUnreadable(model(type: 9, shape: [1]) { $0.bytes(9, [2]) }, "onnx.value-range", saying: "bool")
    try expectUnreadable(model(type: 13, shape: [1]) { $0.int(11, -1) }, "onnx.value-range", saying: "int64")
    try expectUnreadable(
      model(type: 13, shape: [1]) { $0.bytes(9, Array(repeating: 255, count: 8)) }, "onnx.value-range")
  }

  @Test func largeUnsignedValuesAreNumbersAllTheSame() throws {
    let model = try readModel(bytes: model(type: 13, shape: [1]) { $0.int(11, -1) })
    #expect(try model.graph.initializers.first?.floats() == [0x1p64])
  }

  @Test func initializersWithoutAName() {
    expectRefused(
      model(shape: [1], name: "") { $0.bytes(9, [0, 0, 0, 0]) }, "onnx.initializer-name",
      at: .item("initializer 0"))
  }

  @Test func initializersOfOneName() {
    let bytes = model {
      for _ in 0..<2 { $0.message(Field.initializer) { tensor(&$0, 3, [1], "w") { $0.bytes(9, [1]) } } }
    }
    expectRefused(bytes, "onnx.duplicate-initializer", at: w)
  }

  @Test func errorsOfAttributesNameNodeAndAttribute() {
    let bytes = attributeModel {
      $0.int(Field.attributeType, 4)
      $0.message(Field.attributeTensor) { tensor(&$0, 1, [2], "inner") { _ in } }
    }
    expectRefused(
      bytes, "onnx.tensor-size", at: .node(NodeOrigin(index: 0, name: "n", op: "Op")),
      saying: "attribute 'a': the tensor has no data")
  }
}
