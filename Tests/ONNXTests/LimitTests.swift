import ONNX
import Support
import TestSupport
import Testing

@Suite("Limits")
struct LimitTests {
  private func nodes(_ count: Int) -> [UInt8] {
    model {
      for _ in 0..<count {
        $0.message(Field.node) {
          $0.text(Field.op, "Op")
          $0.message(Field.attribute) {
            $0.text(1, "a")
            $0.int(3, 1)
          }
        }
      }
    }
  }

  private func initializers(_ count: Int) -> [UInt8] {
    model {
      for k in 0..<count {
        $0.message(Field.initializer) { tensor(&$0, 3, [1], "w\(k)") { $0.bytes(Field.rawData, [1]) } }
      }
    }
  }

  /// Expects that `bytes` pass with the limit at `most` and fail with it below.
  private func expectLimit(
    _ path: WritableKeyPath<ONNXLimits, Int>, _ most: Int, _ bytes: [UInt8], saying words: String,
    _ source: SourceLocation = #_sourceLocation
  ) {
    var limits = ONNXLimits.standard
    limits[keyPath: path] = most
    #expect(throws: Never.self, sourceLocation: source) { try readModel(bytes: bytes, limits: limits) }
    limits[keyPath: path] = most - 1
    expectRefused(bytes, "onnx.limit", saying: words, limits: limits, source)
  }

  @Test func counts() {
    expectLimit(\.nodes, 5, nodes(5), saying: "more than 4 nodes")
    expectLimit(\.attributes, 5, nodes(5), saying: "more than 4 attributes")
    expectLimit(\.tensors, 5, initializers(5), saying: "more than 4 tensors")
    // ir_version, opset_import, version, graph, and for each node: node, op_type, attribute, name, i.
    expectLimit(\.fields, 29, nodes(5), saying: "more than 28 fields")
  }

  @Test func ranksAndElements() {
    let bytes = model(type: 3, shape: [2, 3]) { $0.bytes(Field.rawData, [1, 2, 3, 4, 5, 6]) }
    expectLimit(\.rank, 2, bytes, saying: "more than 1 dimensions")
    expectLimit(\.elements, 6, bytes, saying: "more than 5 elements")
  }

  @Test func unpackedBytes() throws {
    var limits = ONNXLimits.standard
    let content = try bytes(of: fixture("network.onnx"))
    var least = 0
    // Whatever the limit is, the file is read or refused, and nothing else happens.
    for most in stride(from: 0, to: 20_000, by: 37) {
      limits.unpackedBytes = most
      let found = refusal { () throws(Diagnostic) in try readModel(bytes: content, limits: limits) }
      #expect(found == nil || found?.id == "onnx.limit", "\(most): \(String(describing: found))")
      if found != nil { least = most }
    }
    #expect(least > 1_000 && least < 19_000)
    expectRefused(
      content, "onnx.limit", saying: "names, attributes and types", limits: with { $0.unpackedBytes = 0 })
    expectRefused(content, "onnx.limit", limits: with { $0.unpackedBytes = -1 })
    expectRefused(content, "onnx.limit", limits: with { $0.unpackedBytes = .min })
  }

  @Test func memoryOfListsIsCapped() {
    // One byte in the file becomes eight in memory.
    let bomb = attributeModel({ $0.bytes(8, Array(repeating: 1, count: 1 << 20)) })
    expectRefused(bomb, "onnx.limit", limits: with { $0.unpackedBytes = 4 << 20 })
    #expect(throws: Never.self) { try readModel(bytes: bomb) }
  }

  @Test func weightsDoNotCount() throws {
    let big = model(type: 3, shape: [1 << 20]) {
      $0.bytes(Field.rawData, Array(repeating: 1, count: 1 << 20))
    }
    let limits = with { $0.unpackedBytes = 1 << 16 }
    #expect(try readModel(bytes: big, limits: limits).graph.initializers.first?.count == 1 << 20)
    let typed = model(type: 7, shape: [1 << 20]) { $0.bytes(7, Array(repeating: 1, count: 1 << 20)) }
    #expect(try readModel(bytes: typed, limits: limits).graph.initializers.first?.int64s().count == 1 << 20)
  }

  private func with(_ change: (inout ONNXLimits) -> Void) -> ONNXLimits {
    var limits = ONNXLimits()
    change(&limits)
    return limits
  }
}
