package import ONNX
import Support

/// Writes models as files: what a test changed in a model comes back through the reader.
package struct ModelWriter {
  /// Where a tensor keeps its elements.
  package enum Storage {
    /// As little-endian bytes.
    case raw
    /// In the field of its type, such as `float_data`.
    case typed
    /// In the file of this name beside the model.
    case external(String)
  }

  /// Where each initializer keeps its elements, told by its name.
  package var storage: (String) -> Storage = { _ in .raw }
  /// The bytes of the file next to the model.
  package private(set) var externalBytes: [UInt8] = []

  package init() {}

  /// The file of `model`. An operator set of the standard domain is left out where the model names none.
  package mutating func bytes(of model: ONNXModel) throws -> [UInt8] {
    var out = Wire()
    out.int(Field.irVersion, Int64(model.irVersion))
    if !model.producer.isEmpty { out.text(Field.producer, model.producer) }
    for opset in model.opsets { out.bytes(Field.opsetImport, bytes(of: opset)) }
    out.bytes(Field.graph, try bytes(of: model.graph))
    for function in model.functions { out.bytes(25, try bytes(of: function)) }
    return out.bytes
  }

  private func bytes(of opset: ONNXOpset) -> [UInt8] {
    wire {
      if !opset.domain.isEmpty { $0.text(1, opset.domain) }
      $0.int(2, Int64(opset.version))
    }
  }

  private mutating func bytes(of graph: ONNXGraph) throws -> [UInt8] {
    var out = Wire()
    for node in graph.nodes { out.bytes(Field.node, try bytes(of: node)) }
    if !graph.name.isEmpty { out.text(2, graph.name) }
    for tensor in graph.initializers { out.bytes(Field.initializer, try bytes(of: tensor)) }
    for input in graph.inputs { out.bytes(Field.input, bytes(of: input)) }
    for output in graph.outputs { out.bytes(12, bytes(of: output)) }
    return out.bytes
  }

  private mutating func bytes(of function: ONNXFunction) throws -> [UInt8] {
    var out = Wire()
    out.text(1, function.key.name)
    for input in function.inputs { out.text(4, input) }
    for output in function.outputs { out.text(5, output) }
    for name in function.attributes { out.text(6, name) }
    for node in function.nodes { out.bytes(7, try bytes(of: node)) }
    for opset in function.opsets { out.bytes(9, bytes(of: opset)) }
    out.text(10, function.key.domain)
    for attribute in function.defaults { out.bytes(11, try bytes(of: attribute)) }
    if !function.key.overload.isEmpty { out.text(13, function.key.overload) }
    return out.bytes
  }

  private mutating func bytes(of node: ONNXNode) throws -> [UInt8] {
    var out = Wire()
    for input in node.inputs { out.text(1, input) }
    for output in node.outputs { out.text(2, output) }
    if !node.name.isEmpty { out.text(3, node.name) }
    out.text(Field.op, node.op)
    for attribute in node.attributes { out.bytes(Field.attribute, try bytes(of: attribute)) }
    if !node.domain.isEmpty { out.text(7, node.domain) }
    if !node.overload.isEmpty { out.text(8, node.overload) }
    return out.bytes
  }

  private mutating func bytes(of attribute: ONNXAttribute) throws -> [UInt8] {
    var out = Wire()
    out.text(1, attribute.name)
    switch attribute.value {
    case .float(let value): out.fixed32(2, value.bitPattern)
    case .int(let value): out.int(3, value)
    case .string(let value): out.text(4, value)
    case .bytes(let value): out.bytes(4, value)
    case .tensor(let value): out.bytes(Field.attributeTensor, try bytes(of: value))
    case .graph(let value): out.bytes(Field.attributeGraph, try bytes(of: value))
    case .floats(let values): for value in values { out.fixed32(7, value.bitPattern) }
    case .ints(let values): for value in values { out.int(8, value) }
    case .strings(let values): for value in values { out.text(9, value) }
    case .reference(let name): out.text(21, name)
    case .unsupported: break
    }
    if let type = attribute.value.typeCode { out.int(Field.attributeType, type) }
    return out.bytes
  }

  private mutating func bytes(of tensor: ONNXTensor) throws -> [UInt8] {
    var out = Wire()
    for size in tensor.shape { out.int(Field.dims, Int64(size)) }
    out.int(Field.dataType, Int64(tensor.elementType.rawValue))
    if !tensor.name.isEmpty { out.text(Field.name, tensor.name) }
    let raw = tensor.withRawBytes { Array($0) } ?? []
    switch storage(tensor.name) {
    case .raw: out.bytes(Field.rawData, raw)
    case .typed where tensor.elementType == .float:
      out.bytes(4, raw)
    case .typed:
      let values = try tensor.int64s()
      out.bytes(
        tensor.elementType == .int64 ? 7 : 5,
        wire { for value in values { $0.raw(UInt64(bitPattern: value)) } })
    case .external(let file):
      for (key, value) in [
        ("location", file), ("offset", "\(externalBytes.count)"), ("length", "\(raw.count)"),
      ] {
        out.message(Field.externalData) {
          $0.text(1, key)
          $0.text(2, value)
        }
      }
      out.int(Field.dataLocation, 1)
      externalBytes += raw
    }
    return out.bytes
  }

  private func bytes(of info: ONNXValueInfo) -> [UInt8] {
    wire {
      $0.text(1, info.name)
      guard info.elementType != nil || info.shape != nil else { return }
      $0.message(2) {
        $0.message(1) {
          if let type = info.elementType { $0.int(1, Int64(type.rawValue)) }
          guard let shape = info.shape else { return }
          $0.message(2) {
            for dimension in shape {
              $0.message(1) {
                switch dimension {
                case .fixed(let size): $0.int(1, Int64(size))
                case .named(let name): $0.text(2, name)
                case .unknown: break
                }
              }
            }
          }
        }
      }
    }
  }
}

extension ONNXAttribute.Value {
  /// The code of the format for the type; nil where it is not told.
  fileprivate var typeCode: Int64? {
    switch self {
    case .float: 1
    case .int: 2
    case .string, .bytes: 3
    case .tensor: 4
    case .graph: 5
    case .floats: 6
    case .ints: 7
    case .strings: 8
    case .reference, .unsupported: nil
    }
  }
}
