package import ONNX
import Support

// Parts of models, as tests write them.

/// A node; its index is set by `graph`.
package func graphNode(
  _ op: String, _ inputs: [String], _ outputs: [String], _ attributes: [String: ONNXAttribute.Value] = [:],
  name: String = "", domain: String = ""
) -> ONNXNode {
  ONNXNode(
    index: 0, name: name, op: op, domain: domain, inputs: inputs, outputs: outputs,
    attributes: attributes.sorted { $0.key < $1.key }.map { ONNXAttribute(name: $0.key, value: $0.value) })
}

/// A tensor of binary32 numbers.
package func floatTensor(_ name: String, _ shape: [Int], _ values: [Float]) throws -> ONNXTensor {
  let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
  return try ONNXTensor(name: name, shape: shape, elementType: .float, bytes: bytes)
}

/// A tensor of 64-bit integers, a list unless a shape is given.
package func integerTensor(_ name: String, _ values: [Int64], shape: [Int]? = nil) throws -> ONNXTensor {
  let bytes = values.flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) }
  return try ONNXTensor(name: name, shape: shape ?? [values.count], elementType: .int64, bytes: bytes)
}

/// A tensor of one truth value.
package func truthTensor(_ name: String, _ value: Bool) throws -> ONNXTensor {
  try ONNXTensor(name: name, shape: [], elementType: .bool, bytes: [value ? 1 : 0])
}

/// A float input.
package func floatInput(_ name: String, _ shape: [Int]) -> ONNXValueInfo {
  ONNXValueInfo(name: name, elementType: .float, shape: shape.map { .fixed($0) })
}

/// The nodes with their places as indices.
package func numbered(_ nodes: [ONNXNode]) -> [ONNXNode] {
  nodes.enumerated().map { index, node in
    var copy = node
    copy.index = index
    return copy
  }
}
