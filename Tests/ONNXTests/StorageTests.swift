import ONNX
import Support
import TestSupport
import Testing

@Suite("Weights inside the file")
struct StorageTests {
  @Test func readsEveryFormAsPythonDoes() throws {
    let tensors = try readModel(path: fixture("storage.onnx")).graph.initializers
    let expected = try expectedTensors("storage.onnx")
    #expect(tensors.count == 28)
    #expect(tensors.map(\.name) == expected.map(\.name))
    for (tensor, wanted) in zip(tensors, expected) { try expectEqual(tensor, wanted) }
  }

  @Test func readsTheSameFromMemory() throws {
    let tensors = try readModel(bytes: try bytes(of: fixture("storage.onnx"))).graph.initializers
    for (tensor, wanted) in zip(tensors, try expectedTensors("storage.onnx")) {
      try expectEqual(tensor, wanted)
      #expect(!tensor.isMapped)
    }
  }

  @Test func tensorsOfAFileAreMapped() throws {
    for tensor in try readModel(path: fixture("storage.onnx")).graph.initializers {
      #expect(tensor.isMapped == (tensor.count > 0), "\(tensor.name)")
    }
  }

  @Test func tensorsOutliveTheModel() throws {
    var kept: ONNXTensor?
    do { kept = try readModel(path: fixture("storage.onnx")).graph.initializers.first }
    #expect(try kept?.floats() == expectedTensors("storage.onnx").first?.floats)
  }

  @Test func roundsDoublesAndKeepsSpecialValues() throws {
    let values: [Double] = [.infinity, -.infinity, 1e300, -0.0, 1 + 0x1p-30]
    let data = wire { for value in values { $0.fixed64(1, value.bitPattern) } }
    let raw = stride(from: 1, to: data.count, by: 9).flatMap { data[$0..<$0 + 8] }
    let model = try readModel(bytes: model(type: 11, shape: [5]) { $0.bytes(Field.rawData, raw) })
    let found = try #require(model.graph.initializers.first).floats()
    #expect(found == [.infinity, -.infinity, .infinity, 0, 1])
    #expect(found[3].sign == .minus)
  }

  @Test func readsNaNs() throws {
    let half = model(type: 10, shape: [1]) { $0.bytes(Field.rawData, [0x00, 0x7e]) }
    let brain = model(type: 16, shape: [1]) { $0.bytes(Field.rawData, [0xc0, 0x7f]) }
    for bytes in [half, brain] {
      #expect(try readModel(bytes: bytes).graph.initializers.first?.floats().first?.isNaN == true)
    }
  }

  @Test func readsEveryFloat16() throws {
    let raw = (0...UInt16.max).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    let found = try ONNXTensor(name: "", shape: [65536], elementType: .float16, bytes: raw).floats()
    var wrong = 0
    for (bits, value) in found.enumerated() {
      let exponent = bits >> 10 & 31
      let mantissa = Float(bits & 1023)
      let sign: Float = bits >> 15 == 0 ? 1 : -1
      let size: Float =
        switch exponent {
        case 0: mantissa * 0x1p-24
        case 31: mantissa == 0 ? .infinity : .nan
        default: (1024 + mantissa) * Float(sign: .plus, exponent: exponent - 25, significand: 1)
        }
      if size.isNaN ? !value.isNaN : value != sign * size { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func readsTypedDataInPiecesAndWithoutPacking() throws {
    let bytes = model(shape: [4]) {
      $0.fixed32(4, Float(1).bitPattern)
      $0.bytes(4, [0, 0, 0, 0x40, 0, 0, 0x40, 0x40])
      $0.fixed32(4, Float(4).bitPattern)
    }
    #expect(try readModel(bytes: bytes).graph.initializers.first?.floats() == [1, 2, 3, 4])
    let ints = model(type: 7, shape: [4]) {
      $0.int(7, -1)
      $0.bytes(7, [5, 6])
      $0.int(7, .min)
    }
    #expect(try readModel(bytes: ints).graph.initializers.first?.int64s() == [-1, 5, 6, .min])
  }

  @Test func keepsTheLowBitsOfAnInt32AsProtobufDoes() throws {
    let bytes = model(type: 6, shape: [2]) {
      $0.int(5, -7)
      $0.int(5, 0x1_0000_0003)
    }
    #expect(try readModel(bytes: bytes).graph.initializers.first?.int64s() == [-7, 3])
  }

  @Test func takesTheLastOfSeveralRawFields() throws {
    let bytes = model(type: 3, shape: [2]) {
      $0.bytes(Field.rawData, [9])
      $0.bytes(Field.rawData, [1, 2])
    }
    #expect(try readModel(bytes: bytes).graph.initializers.first?.int64s() == [1, 2])
  }

  @Test func emptyTensorsMayHaveAnyOtherDimension() throws {
    let model = try readModel(bytes: model(shape: [0, .max, .max]) { _ in })
    let tensor = try #require(model.graph.initializers.first)
    #expect(tensor.count == 0)
    #expect(try tensor.floats().isEmpty)
    #expect(tensor.withRawBytes { $0.count } == 0)
    #expect(!tensor.isMapped)
  }

  @Test func showsRawBytesInPlace() throws {
    let tensors = try readModel(path: fixture("storage.onnx")).graph.initializers
    let raw = try #require(tensors.first { $0.name == "int16_raw" })
    #expect(raw.withRawBytes { Array($0.prefix(4)) } == [0x00, 0x80, 0xff, 0x7f])
    let typed = try #require(tensors.first { $0.name == "int16_typed" })
    #expect(typed.withRawBytes { $0.count } == nil)
    #expect(throws: ByteError.self) {
      try raw.withRawBytes { (_) throws(ByteError) in throw ByteError(offset: 0, reason: "stop") }
    }
  }

  @Test func representsTypesThatItDoesNotRead() throws {
    let tensors = try readModel(path: fixture("unreadable.onnx")).graph.initializers
    let types: [ONNXElementType] = [.string, .int4, .uint4, .complex64, .complex128, .float8e4m3fn]
    #expect(tensors.map(\.elementType) == types)
    for tensor in tensors where !tensor.elementType.isInteger {
      let floats = refusal { () throws(Diagnostic) in try tensor.floats() }
      let ints = refusal { () throws(Diagnostic) in try tensor.int64s() }
      #expect(floats?.id == "onnx.tensor-type")
      #expect(ints?.id == "onnx.tensor-type")
      #expect(floats?.message.contains(tensor.elementType.name) == true)
      #expect(floats?.location.place == .item("initializer '\(tensor.name)'"))
      #expect(floats?.notes.isEmpty == false)
    }
  }

  /// The first element is in the lowest bits, as raw bytes and as numbers of `int32_data`; the last byte may be part
  /// full.
  @Test func readsSeveralElementsFromAByte() throws {
    let cases: [(type: Int64, bytes: [UInt8], values: [Int64])] = [
      (21, [0x10, 0xf2, 0x03], [0, 1, 2, 15, 3]), (22, [0x10, 0xf2, 0x0b], [0, 1, 2, -1, -5]),
      (25, [0b11_10_01_00, 0b10], [0, 1, 2, 3, 2]), (26, [0b11_10_01_00, 0b10], [0, 1, -2, -1, -2]),
    ]
    for (type, bytes, values) in cases {
      let raw = model(type: type, shape: [5]) { $0.bytes(Field.rawData, bytes) }
      let typed = model(type: type, shape: [5]) { wire in for byte in bytes { wire.int(5, Int64(byte)) } }
      for file in [raw, typed] {
        let tensor = try #require(try readModel(bytes: file).graph.initializers.first)
        #expect(try tensor.int64s() == values)
        #expect(try tensor.floats() == values.map { Float($0) })
      }
      let wide = model(type: type, shape: [5]) { wire in for _ in bytes { wire.int(5, 256) } }
      let tensor = try #require(try readModel(bytes: wide).graph.initializers.first)
      #expect(refusal { () throws(Diagnostic) in try tensor.int64s() }?.id == "onnx.value-range")
    }
  }

  @Test func floatsAreNotIntegers() throws {
    let tensor = try ONNXTensor(name: "w", shape: [1], elementType: .float, bytes: [0, 0, 0, 0])
    let found = refusal { () throws(Diagnostic) in try tensor.int64s() }
    #expect(found?.id == "onnx.tensor-type")
    #expect(found?.notes == ["store it as an integer tensor, such as int64"])
  }

  @Test func buildsTensorsFromBytes() throws {
    let tensor = try ONNXTensor(name: "w", shape: [2, 1], elementType: .int16, bytes: [1, 0, 0xff, 0xff])
    #expect(try tensor.int64s() == [1, -1])
    #expect(tensor.count == 2)
    #expect(tensor.location.description == "tensor 'w'")
    let short = refusal { () throws(Diagnostic) in
      try ONNXTensor(name: "w", shape: [2], elementType: .int16, bytes: [1])
    }
    #expect(short?.id == "onnx.tensor-size")
    let negative = refusal { () throws(Diagnostic) in
      try ONNXTensor(name: "w", shape: [-2], elementType: .int8, bytes: [])
    }
    #expect(negative?.id == "onnx.tensor-shape")
  }

  @Test func readsATensorFile() throws {
    let tensor = try readTensor(path: fixture("tensor.pb"))
    try expectEqual(tensor, try #require(try expectedTensors("tensor.pb").first))
    #expect(tensor.isMapped)
    #expect(try tensor.floats() == [0, 0.25, 0.5, 0.75, 1, 1.25])
    let copy = try readTensor(bytes: try bytes(of: fixture("tensor.pb")))
    #expect(try copy.floats() == tensor.floats())
    #expect(!copy.isMapped)
  }

  @Test func refusesATensorFileThatIsNone() {
    let found = refusal { () throws(Diagnostic) in try readTensor(bytes: [0x0a], path: "t.pb") }
    #expect(found?.id == "onnx.truncated")
    #expect(found?.location.file == "t.pb")
    let empty = refusal { () throws(Diagnostic) in try readTensor(bytes: [], path: "t.pb") }
    #expect(empty?.id == "onnx.tensor-type")
    #expect(empty?.location.place == .item("tensor"))
  }

  @Test func elementTypesKnowTheirSizes() {
    #expect(ONNXElementType.allCases.map(\.rawValue) == Array(1...26))
    #expect(ONNXElementType.bfloat16.name == "bfloat16")
    #expect(ONNXElementType.allCases.filter { $0.bits == nil } == [.string])
    #expect(ONNXElementType.allCases.filter(\.isFloat) == [.float, .float16, .double, .bfloat16])
    #expect(ONNXElementType.allCases.filter(\.isInteger).count == 13)
  }
}
