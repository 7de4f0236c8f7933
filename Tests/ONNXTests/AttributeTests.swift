import ONNX
import Support
import TestSupport
import Testing

@Suite("Attributes")
struct AttributeTests {
  private let origin = NodeOrigin(index: 0, name: "n", op: "Op")

  private func value(_ fill: @escaping (inout Wire) -> Void) throws -> ONNXAttribute.Value {
    let node = try #require(try readModel(bytes: attributeModel(fill)).graph.nodes.first)
    return try #require(node.attribute("a")).value
  }

  @Test func readsAllFormsOfConstants() throws {
    let model = try readModel(path: fixture("constants.onnx"))
    let nodes = Dictionary(uniqueKeysWithValues: model.graph.nodes.map { ($0.name, $0) })
    func node(_ name: String) throws -> ONNXNode { try #require(nodes[name]) }
    let tensor = try #require(try node("value").tensor("value"))
    try expectEqual(tensor, try #require(try expectedTensors("constants.onnx").first))
    #expect(tensor.isMapped)
    #expect(tensor.location.place == .node(try node("value").origin))
    #expect(try node("value_float").float("value_float") == 1.5)
    #expect(try node("value_floats").floats("value_floats") == [1.5, -2])
    #expect(try node("value_int").int("value_int") == -3)
    #expect(try node("value_ints").ints("value_ints") == [4, -5, 6])
    #expect(try node("value_string").string("value_string") == "text")
    #expect(try node("value_strings").strings("value_strings") == ["one", "two"])
    guard case .unsupported(let words) = try node("sparse_value").attribute("sparse_value")?.value else {
      Issue.record("a sparse value is not named as unsupported")
      return
    }
    #expect(words == "a sparse tensor")
  }

  @Test func zerosMayBeLeftOut() throws {
    guard case .float(0) = try value({ $0.int(20, 1) }) else { throw Unexpected() }
    guard case .int(0) = try value({ $0.int(20, 2) }) else { throw Unexpected() }
    guard case .string("") = try value({ $0.int(20, 3) }) else { throw Unexpected() }
    guard case .floats([]) = try value({ $0.int(20, 6) }) else { throw Unexpected() }
    guard case .ints([]) = try value({ $0.int(20, 7) }) else { throw Unexpected() }
    guard case .strings([]) = try value({ $0.int(20, 8) }) else { throw Unexpected() }
  }

  @Test func theTypeMayBeLeftOut() throws {
    guard case .int(5) = try value({ $0.int(3, 5) }) else { throw Unexpected() }
    guard case .ints([5, 6]) = try value({ $0.bytes(8, [5, 6]) }) else { throw Unexpected() }
    guard case .graph = try value({ $0.message(6) { _ in } }) else { throw Unexpected() }
    guard case .unsupported("an attribute without a type") = try value({ _ in }) else { throw Unexpected() }
    expectRefused(
      attributeModel {
        $0.int(3, 5)
        $0.fixed32(2, 0)
      }, "onnx.attribute", at: .node(origin), saying: "several values")
  }

  @Test func readsListsInPiecesAndPacked() throws {
    let ints = try value {
      $0.int(8, -1)
      $0.bytes(8, [1, 2])
      $0.int(8, .min)
    }
    guard case .ints([-1, 1, 2, .min]) = ints else { throw Unexpected() }
    let floats = try value {
      $0.fixed32(7, Float(1).bitPattern)
      $0.bytes(7, [0, 0, 0, 0x40])
    }
    guard case .floats([1, 2]) = floats else { throw Unexpected() }
  }

  @Test func keepsBytesThatAreNoText() throws {
    guard case .bytes([0xff, 0x00]) = try value({ $0.bytes(4, [0xff, 0x00]) }) else { throw Unexpected() }
    guard case .string("a\0b") = try value({ $0.text(4, "a\0b") }) else { throw Unexpected() }
    guard case .unsupported("a list of strings that are not UTF-8") = try value({ $0.bytes(9, [0xff]) })
    else { throw Unexpected() }
  }

  @Test(arguments: [
    (10, 9, "a list of tensors"), (11, 10, "a list of graphs"), (14, 13, "a type"),
    (15, 14, "a list of types"),
    (22, 11, "a sparse tensor"), (23, 12, "a list of sparse tensors"),
  ])
  func namesWhatItDoesNotRead(_ field: Int, _ type: Int64, _ words: String) throws {
    let found = try value {
      $0.int(20, type)
      $0.message(field) { _ in }
    }
    guard case .unsupported(words) = found else { throw Unexpected() }
    #expect(found.kind == words)
  }

  @Test func namesReferencesToFunctionAttributes() throws {
    let found = try value {
      $0.int(20, 2)
      $0.text(21, "outer")
    }
    #expect(found.kind == "a reference to an attribute of a function")
  }

  @Test func refusesValuesOfAnotherType() {
    let bytes = attributeModel {
      $0.int(20, 7)
      $0.fixed32(7, 0)
    }
    expectRefused(
      bytes, "onnx.attribute", at: .node(origin), saying: "declared as ints but holds [\"floats\"]")
  }

  @Test(arguments: [15, 100, -1, Int64(Int32.max)])
  func refusesUnknownTypes(_ type: Int64) {
    expectRefused(
      attributeModel({ $0.int(20, type) }), "onnx.attribute", at: .node(origin), saying: "unknown type")
  }

  @Test func refusesMissingTensorsAndGraphs() {
    expectRefused(
      attributeModel({ $0.int(20, 4) }), "onnx.attribute", at: .node(origin), saying: "holds no tensor")
    expectRefused(
      attributeModel({ $0.int(20, 5) }), "onnx.attribute", at: .node(origin), saying: "holds no graph")
  }

  @Test func refusesTwoTensors() {
    let bytes = attributeModel {
      for _ in 0..<2 { $0.message(5) { tensor(&$0, 3, [1], "t") { $0.bytes(9, [1]) } } }
    }
    expectRefused(bytes, "onnx.duplicate-field", saying: "'tensor' occurs 2 times")
  }

  @Test func refusesAttributesWithoutNameAndOfOneName() {
    func node(_ names: [String]) -> [UInt8] {
      model {
        $0.message(Field.node) {
          $0.text(Field.op, "Op")
          for name in names {
            $0.message(Field.attribute) {
              $0.text(1, name)
              $0.int(3, 1)
            }
          }
        }
      }
    }
    expectRefused(node([""]), "onnx.attribute", saying: "has no name")
    expectRefused(node(["a", "b", "a"]), "onnx.attribute", saying: "attribute 'a' occurs twice")
  }

  @Test func namesTheKindOfEveryValue() throws {
    let tensor = try ONNXTensor(name: "", shape: [], elementType: .int8, bytes: [1])
    let values: [ONNXAttribute.Value] = [
      .int(1), .float(1), .string(""), .bytes([]), .tensor(tensor), .graph(ONNXGraph(nodes: [])), .ints([]),
      .floats([]), .strings([]), .unsupported("x"),
    ]
    #expect(Set(values.map(\.kind)).count == values.count)
  }
}

private struct Unexpected: Error {}
