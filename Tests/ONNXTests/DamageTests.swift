import ONNX
import Support
import TestSupport
import Testing

@Suite("Damaged and hostile files")
struct DamageTests {
  /// Graphs in attributes of nodes of graphs, `depth` times.
  private func nested(_ depth: Int) -> [UInt8] {
    var graph: [UInt8] = []
    for _ in 0..<depth {
      let inner = graph
      graph = wire {
        $0.message(Field.node) {
          $0.text(Field.op, "If")
          $0.message(Field.attribute) {
            $0.text(1, "body")
            $0.bytes(Field.attributeGraph, inner)
          }
        }
      }
    }
    return model { $0.append(graph) }
  }

  @Test func readsModerateNesting() throws {
    var graph = try readModel(bytes: nested(20)).graph
    var depth = 0
    while let inner = try graph.nodes.first?.graph("body") {
      graph = inner
      depth += 1
    }
    #expect(depth == 20)
  }

  @Test(arguments: [21, 22, 100, 2_000])
  func refusesNestedGraphs(_ depth: Int) {
    expectRefused(nested(depth), "onnx.too-deep")
  }

  @Test func refusesTenThousandNestedGraphs() {
    // The lengths are written from the inside out, so that building the attack takes linear time.
    var reversed: [UInt8] = []
    func prepend(_ field: Int) {
      let length = UInt64(reversed.count)
      reversed += wire {
        $0.tag(field, 2)
        $0.raw(length)
      }.reversed()
    }
    for _ in 0..<10_000 {
      prepend(Field.attributeGraph)
      prepend(Field.attribute)
      prepend(Field.node)
    }
    prepend(Field.graph)
    expectRefused(Array(reversed.reversed()), "onnx.too-deep")
  }

  @Test(arguments: [4, 9])
  func refusesNestedTypes(_ field: Int) {
    var type: [UInt8] = []
    for _ in 0..<3_000 {
      let inner = type
      type = wire { $0.message(field) { $0.bytes(1, inner) } }
    }
    let bytes = model { $0.message(Field.input) { $0.bytes(2, type) } }
    expectRefused(bytes, "onnx.too-deep")
  }

  @Test func refusesNestingInPartsThatAreNotRead() {
    var graph: [UInt8] = []
    for _ in 0..<100 {
      let inner = graph
      graph = wire { $0.message(1) { $0.message(5) { $0.bytes(11, inner) } } }
    }
    expectRefused(wire { $0.message(20) { $0.bytes(1, graph) } }, "onnx.too-deep")
    expectRefused(
      wire { $0.message(25) { $0.message(7) { $0.message(5) { $0.bytes(11, graph) } } } }, "onnx.too-deep")
  }

  @Test func aNestingLimitCanBeSet() throws {
    var limits = ONNXLimits.standard
    limits.depth = 3
    expectRefused(nested(1), "onnx.too-deep", limits: limits)
    limits.depth = 5
    #expect(throws: Never.self) { try readModel(bytes: nested(1), limits: limits) }
  }

  @Test(arguments: modelFixtures + ["tensor.pb"])
  func truncatedAtEveryLength(_ file: String) throws {
    let content = try bytes(of: fixture(file))
    var kinds: Set<String> = []
    for length in 0..<content.count {
      let cut = Array(content[..<length])
      let found = refusal { () throws(Diagnostic) in
        let model = try readModel(bytes: cut, path: fixture(file))
        for tensor in model.graph.initializers where tensor.elementType.isFloat { try readAll(tensor) }
      }
      kinds.insert(found?.id ?? "accepted")
      if let found { #expect(found.id.hasPrefix("onnx."), "\(found)") }
    }
    #expect(kinds.contains("onnx.truncated"))
  }

  @Test func refusesCutGraphs() throws {
    // The graph comes before the end of this file, so every cut inside it is seen.
    let content = model(shape: [4]) { $0.bytes(Field.rawData, Array(repeating: 0, count: 16)) }
    for length in 1..<content.count {
      let cut = Array(content[..<length])
      let found = refusal { () throws(Diagnostic) in try readModel(bytes: cut) }
      #expect(found != nil, "accepted after \(length) bytes")
    }
    #expect(throws: Never.self) { try readModel(bytes: content) }
  }

  @Test func refusesFieldsOfAnotherWireType() {
    let versionAsText = wire { $0.text(Field.irVersion, "8") }
    expectRefused(versionAsText, "onnx.wire", at: .bytes(section: "file", offset: 0), saying: "'ir_version'")
    expectRefused(wire { $0.int(Field.graph, 1) }, "onnx.wire", saying: "expected a length and bytes")
    expectRefused(attributeModel({ $0.fixed64(2, 0) }), "onnx.wire", saying: "expected 4 bytes")
    expectRefused(attributeModel({ $0.int(7, 0) }), "onnx.wire", saying: "'floats'")
    expectRefused(model(shape: [1]) { $0.int(10, 0) }, "onnx.wire", saying: "'double_data'")
    expectRefused(model(shape: [1]) { $0.int(9, 0) }, "onnx.wire", saying: "'raw_data'")
  }

  @Test func refusesPackedListsOfOddLength() {
    expectRefused(attributeModel({ $0.bytes(7, [1, 2, 3]) }), "onnx.wire", saying: "multiple of 4")
    expectRefused(attributeModel({ $0.bytes(8, [0x80]) }), "onnx.truncated")
    expectRefused(attributeModel({ $0.bytes(8, Array(repeating: 0xff, count: 11)) }), "onnx.wire")
    expectRefused(model(shape: []) { $0.bytes(Field.dims, [0x80]) }, "onnx.truncated")
  }

  @Test func refusesTextsThatAreNone() {
    let bad: [[UInt8]] = [
      [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82],
    ]
    for text in bad {
      expectRefused(model { $0.bytes(2, text) }, "onnx.text", saying: "'name'")
      expectRefused(model { $0.message(Field.node) { $0.bytes(1, text) } }, "onnx.text", saying: "'input'")
      expectRefused(model(shape: []) { $0.bytes(12, text) }, "onnx.text", saying: "'doc_string'")
    }
    expectRefused(wire { $0.bytes(2, [0x61, 0xff]) }, "onnx.text", at: .bytes(section: "file", offset: 2))
  }

  @Test func readsTextsBeyondASCII() throws {
    let found = try readModel(bytes: model { $0.text(2, "Größe 网络 🧠") })
    #expect(found.graph.name == "Größe 网络 🧠")
  }

  @Test func skipsUnknownFields() throws {
    let bytes = model {
      $0.text(2, "g")
      $0.int(1000, 5)
      $0.text(63, "x")
      $0.text(64, "y")
      $0.fixed32(77, 1)
    }
    #expect(try readModel(bytes: bytes).graph.name == "g")
    // The content of an unknown field is not looked at.
    #expect(throws: Never.self) { try readModel(bytes: model { $0.bytes(99, [0xff, 0xff, 0xff]) }) }
  }

  @Test func readsFieldsInAnyOrder() throws {
    let graph = wire { $0.message(Field.graph) { $0.text(2, "g") } }
    let head = wire {
      $0.message(Field.opsetImport) { $0.int(2, 12) }
      $0.int(Field.irVersion, 6)
    }
    #expect(try readModel(bytes: graph + head).graph.name == "g")
  }

  @Test func theLastOfRepeatedNumbersCounts() throws {
    let bytes = model { $0.text(2, "first") }
    #expect(try readModel(bytes: bytes + wire { $0.int(Field.irVersion, 4) }).irVersion == 4)
  }
}
