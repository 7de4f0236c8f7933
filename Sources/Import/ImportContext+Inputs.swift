import IR
import ONNX
import Support
import Tensors

// What the inputs of a node stand for: values of the module, or numbers that are known at import.
extension ImportContext {
  /// Input `index` of `node` as a float value of the module.
  mutating func value(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> ValueID {
    let name = try inputName(node, index)
    switch names[name] {
    case .value(let id)?:
      let element = builder.type(id).element
      guard element.isFloat else {
        throw failure(
          "integer-input", "input '\(name)' holds levels of type \(element), expected floats", node,
          help: "put a DequantizeLinear or a Cast to floats before it")
      }
      return id
    case .initializer(let tensor)?:
      guard tensor.elementType.isFloat else {
        throw failure(
          "integer-input", "input '\(name)' holds \(tensor.elementType.name), expected floats", node,
          help: "put a DequantizeLinear or a Cast to floats before it")
      }
      let numbers = Tensor(try checked(tensor.shape, node), try tensor.floats())
      let id = builder.constant(numbers, element: .float32, name: name, origin: nil)
      names[name] = .value(id)
      keep(numbers, as: id)
      return id
    case .integers?, .whole?:
      throw failure(
        "integer-input", "input '\(name)' holds integers or truth values, expected floats", node,
        help: "put a Cast to floats before it")
    case .dynamic?: throw dynamicFailure(name, node)
    case .blocks?: throw blockFailure(node, "before \(node.op)")
    case .failed?, nil:
      throw failure(
        "undefined", "input '\(name)' is not defined before this node", node,
        help: "check the model with onnx.checker")
    }
  }

  /// The shape of input `index`, whatever it stands for.
  func shape(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> [Int] {
    let name = try inputName(node, index)
    switch names[name] {
    case .value(let id)?, .whole(let id)?: return builder.type(id).shape ?? []
    case .initializer(let tensor)?: return try checked(tensor.shape, node)
    case .integers(_, let shape)?: return shape
    case .blocks(let weights)?: return weights.shape
    case .dynamic(let entry)?: return entry.value.map { builder.type($0).shape ?? [] } ?? []
    case .failed?, nil:
      throw failure(
        "undefined", "input '\(name)' is not defined before this node", node,
        help: "check the model with onnx.checker")
    }
  }

  /// A shape whose sizes can be computed with; 2^40 times 0 elements fill no file, but overflow further on.
  func checked(_ shape: [Int], _ node: ONNXNode) throws(Diagnostic) -> [Int] {
    guard isComputable(shape) else {
      throw failure(
        "size", "a constant has the shape \(shape)", node, help: "check the model with onnx.checker")
    }
    return shape
  }

  /// The integers of input `index`, which must be known at import.
  func integers(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> (values: [Int64], shape: [Int]) {
    let name = try inputName(node, index)
    switch names[name] {
    case .integers(let values, let shape)?: return (values, shape)
    case .initializer(let tensor)? where tensor.elementType.isInteger:
      return (try tensor.int64s(), try checked(tensor.shape, node))
    case .value?, .initializer?, .whole?, .blocks?, .dynamic?, .failed?, nil:
      throw failure(
        "dynamic", "input '\(name)' must be known at compile time", node,
        help: "export the model with fixed shapes, or simplify it with a constant folder")
    }
  }

  /// The integers of input `index` if they are known at import.
  func knownIntegers(_ node: ONNXNode, _ index: Int) -> (values: [Int64], shape: [Int])? {
    try? integers(node, index)
  }

  /// The floats of input `index` if they are known at import: numbers of the file, or few that are computed of such.
  func knownFloats(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> Tensor? {
    guard hasInput(node, index) else { return nil }
    switch names[node.inputs[index]] {
    case .initializer(let tensor)? where tensor.elementType.isFloat && tensor.count <= Self.small:
      return Tensor(try checked(tensor.shape, node), try tensor.floats())
    case .value(let id)?: return known(id)
    case .initializer?, .whole?, .integers?, .blocks?, .dynamic?, .failed?, nil: return nil
    }
  }

  /// The single float of input `index`, which must be constant.
  func scalar(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> Float {
    let name = try inputName(node, index)
    if let tensor = try knownFloats(node, index), tensor.count == 1, let number = tensor.floats.first {
      return number
    }
    throw failure(
      "dynamic", "input '\(name)' must be one number known at compile time", node,
      help: "give it as an initializer or a Constant node")
  }

  /// Whether input `index` is numbers of the file.
  func isInitializer(_ node: ONNXNode, _ index: Int) -> Bool {
    guard hasInput(node, index), case .initializer? = names[node.inputs[index]] else { return false }
    return true
  }

  func inputName(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> String {
    guard hasInput(node, index) else {
      throw failure(
        "input-missing", "\(node.op) needs input \(index)", node, help: "check the model with onnx.checker")
    }
    return node.inputs[index]
  }
}
