import ONNX
import Support
import TestSupport
import Testing

@Suite("Versions and the head of a model")
struct VersionTests {
  private func graph(_ wire: inout Wire) { wire.text(2, "g") }

  @Test(arguments: 3...13)
  func acceptsIRVersions(_ version: Int) throws {
    #expect(try readModel(bytes: model(ir: Int64(version), graph)).irVersion == version)
  }

  @Test(arguments: [Int64.min, -1, 0, 1, 2, 14, 15, Int64.max])
  func refusesIRVersions(_ version: Int64) {
    expectRefused(model(ir: version, graph), "onnx.ir-version", at: .whole, saying: "\(version)")
  }

  @Test func refusesAMissingIRVersion() {
    expectRefused(model(ir: nil, graph), "onnx.ir-version", at: .whole)
  }

  @Test(arguments: 7...25)
  func acceptsOperatorSets(_ version: Int) throws {
    #expect(try readModel(bytes: model(opset: Int64(version), graph)).opset() == version)
  }

  @Test(arguments: [Int64.min, -1, 0, 1, 6, 26, 28, Int64.max])
  func refusesOperatorSets(_ version: Int64) {
    expectRefused(model(opset: version, graph), "onnx.opset", at: .whole, saying: "\(version)")
  }

  @Test func refusesAMissingOperatorSet() {
    expectRefused(model(opset: nil, graph), "onnx.opset", saying: "no standard operator set")
    let other = wire {
      $0.int(Field.irVersion, 8)
      $0.message(Field.opsetImport) {
        $0.text(1, "com.example")
        $0.int(2, 17)
      }
      $0.message(Field.graph, graph)
    }
    expectRefused(other, "onnx.opset", saying: "no standard operator set")
  }

  @Test func refusesTwoVersionsOfOneDomain() {
    func twice(_ domain: String, _ first: Int64, _ second: Int64) -> [UInt8] {
      var more = Wire()
      for version in [first, second] {
        more.message(Field.opsetImport) {
          $0.text(1, domain)
          $0.int(2, version)
        }
      }
      return model(graph) + more.bytes
    }
    expectRefused(twice("x", 1, 2), "onnx.opset", saying: "domain 'x' is imported in versions 1 and 2")
    expectRefused(twice("ai.onnx", 17, 18), "onnx.opset", saying: "the standard domain")
    #expect(throws: Never.self) { try readModel(bytes: twice("ai.onnx", 17, 17)) }
  }

  @Test func readsTheStandardDomainUnderBothNames() throws {
    let bytes = wire {
      $0.int(Field.irVersion, 8)
      $0.message(Field.opsetImport) {
        $0.text(1, "ai.onnx")
        $0.int(2, 9)
      }
      $0.message(Field.graph, graph)
    }
    #expect(try readModel(bytes: bytes).opset() == 9)
    #expect(try readModel(bytes: bytes).opset(domain: "ai.onnx.ml") == nil)
  }

  @Test func readsProducerAndPath() throws {
    let bytes = model(graph) + wire { $0.text(Field.producer, "pytorch") } + wire { $0.text(3, "2.4") }
    let found = try readModel(bytes: bytes, path: "some/where.onnx")
    #expect(found.producer == "pytorch 2.4")
    #expect(found.path == "some/where.onnx")
    #expect(try readModel(bytes: model(graph)).producer == "")
  }

  @Test func refusesAFileWithoutGraph() {
    let head = wire {
      $0.int(Field.irVersion, 8)
      $0.message(Field.opsetImport) { $0.int(2, 17) }
    }
    expectRefused(head, "onnx.no-graph", at: .whole)
  }

  @Test func refusesTwoGraphs() {
    let bytes = model(graph)
    let more = wire { $0.message(Field.graph, graph) }
    expectRefused(
      bytes + more, "onnx.duplicate-field", at: .bytes(section: "file", offset: bytes.count),
      saying: "'graph'")
  }

  @Test func refusesAnEmptyFile() {
    expectRefused([], "onnx.ir-version")
  }

  @Test func refusesATensorInPlaceOfAModel() throws {
    let found = refusal { () throws(Diagnostic) in try readModel(path: fixture("tensor.pb")) }
    #expect(found?.id.hasPrefix("onnx.") == true)
  }

  @Test func refusesOtherKindsOfFile() {
    let found = ["hello, world\n", "PK\u{3}\u{4}", "{\"a\": 1}", "<html>", "\u{7f}ELF"].map {
      text in refusal { () throws(Diagnostic) in try readModel(bytes: Array(text.utf8)) }?.id
    }
    #expect(found.allSatisfy { $0?.hasPrefix("onnx.") == true }, "\(found)")
  }

  @Test func namesLargeFilePointers() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    expectRefused(Array(pointer.utf8), "onnx.lfs-pointer", at: .whole)
  }

  @Test func refusesTrainingInformationAndSparseInitializers() throws {
    for (file, id) in [("training.onnx", "onnx.training"), ("sparse.onnx", "onnx.sparse")] {
      let content = try bytes(of: fixture(file))
      expectRefused(content, id)
    }
  }

  @Test func saysWhichFileCannotBeOpened() {
    let found = refusal { () throws(Diagnostic) in try readModel(path: "/no/such/file.onnx") }
    #expect(found?.id == "io.open")
    #expect(found?.location.file == "/no/such/file.onnx")
    #expect(refusal { () throws(Diagnostic) in try readModel(path: fixture("many")) }?.id == "io.open")
    #expect(refusal { () throws(Diagnostic) in try readTensor(path: "/no/such/file.pb") }?.id == "io.open")
  }
}
