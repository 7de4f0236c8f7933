/// Writes protobuf messages field by field, well-formed or not.
package struct Wire {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// Appends a varint without a tag.
  package mutating func raw(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Appends bytes as they are.
  package mutating func append(_ more: [UInt8]) { bytes += more }

  package mutating func tag(_ field: Int, _ type: UInt64) { raw(UInt64(field) << 3 | type) }

  package mutating func int(_ field: Int, _ value: Int64) {
    tag(field, 0)
    raw(UInt64(bitPattern: value))
  }

  package mutating func bytes(_ field: Int, _ content: [UInt8]) {
    tag(field, 2)
    raw(UInt64(content.count))
    bytes += content
  }

  package mutating func text(_ field: Int, _ content: String) { bytes(field, Array(content.utf8)) }

  package mutating func message(_ field: Int, _ fill: (inout Wire) -> Void) { bytes(field, wire(fill)) }

  package mutating func fixed32(_ field: Int, _ bits: UInt32) {
    tag(field, 5)
    append((0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) })
  }

  package mutating func fixed64(_ field: Int, _ bits: UInt64) {
    tag(field, 1)
    append((0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) })
  }
}

/// The bytes of one message.
package func wire(_ fill: (inout Wire) -> Void) -> [UInt8] {
  var result = Wire()
  fill(&result)
  return result.bytes
}

/// Field numbers of the ONNX schema that the tests write.
package enum Field {
  // ModelProto
  package static let irVersion = 1
  package static let producer = 2
  package static let graph = 7
  package static let opsetImport = 8
  // GraphProto
  package static let node = 1
  package static let initializer = 5
  package static let input = 11
  // NodeProto
  package static let op = 4
  package static let attribute = 5
  // AttributeProto
  package static let attributeTensor = 5
  package static let attributeGraph = 6
  package static let attributeType = 20
  // TensorProto
  package static let dims = 1
  package static let dataType = 2
  package static let name = 8
  package static let rawData = 9
  package static let externalData = 13
  package static let dataLocation = 14
}

/// A model around the fields of a graph.
package func model(ir: Int64? = 8, opset: Int64? = 17, _ graph: (inout Wire) -> Void) -> [UInt8] {
  wire {
    if let ir { $0.int(Field.irVersion, ir) }
    if let opset { $0.message(Field.opsetImport) { $0.int(2, opset) } }
    $0.message(Field.graph, graph)
  }
}

/// A model with one initializer called `w`, of `type` and `shape`, and further fields of it.
package func model(type: Int64 = 1, shape: [Int64], name: String = "w", _ data: (inout Wire) -> Void)
  -> [UInt8]
{
  model { $0.message(Field.initializer) { tensor(&$0, type, shape, name, data) } }
}

/// Writes the fields of a tensor.
package func tensor(
  _ wire: inout Wire, _ type: Int64, _ shape: [Int64], _ name: String, _ data: (inout Wire) -> Void
) {
  for size in shape { wire.int(Field.dims, size) }
  wire.int(Field.dataType, type)
  if !name.isEmpty { wire.text(Field.name, name) }
  data(&wire)
}

/// A model with one node `n` of type `Op` and one attribute `a`.
package func attributeModel(_ attribute: (inout Wire) -> Void) -> [UInt8] {
  model {
    $0.message(Field.node) {
      $0.text(3, "n")
      $0.text(Field.op, "Op")
      $0.message(Field.attribute) {
        $0.text(1, "a")
        attribute(&$0)
      }
    }
  }
}
