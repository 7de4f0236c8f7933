internal import COnnx
internal import Support

extension ModelDecoder {
  /// The function in `range`, number `index` of the model.
  mutating func function(_ range: ByteRange, index: Int) throws(Diagnostic) -> ONNXFunction {
    let split = try split(range, small: [1, 4, 5, 6, 9, 10, 13], parts: [7, 11])
    var function = try unpack(
      split.small, onnx_function_descriptor(), as: Onnx__FunctionProto.self, from: range, functionHead)
    let origin = NodeOrigin(index: index, name: function.key.description, op: "function")
    for part in split.parts {
      if part.number == 7 {
        function.nodes.append(try node(part.payload, index: function.nodes.count))
      } else {
        function.defaults.append(try attribute(part.payload, of: origin))
      }
    }
    try checkFunction(function, index)
    return function
  }

  /// Refuses two functions that nodes cannot tell apart.
  func checkFunctions(_ functions: [ONNXFunction]) throws(Diagnostic) {
    var keys: Set<ONNXFunction.Key> = []
    for (index, function) in functions.enumerated() where !keys.insert(function.key).inserted {
      throw badFunction(function, index, "is defined twice")
    }
  }

  private func checkFunction(_ function: ONNXFunction, _ index: Int) throws(Diagnostic) {
    guard !function.key.name.isEmpty else { throw badFunction(function, index, "has no name") }
    for (what, names) in [
      ("input", function.inputs), ("output", function.outputs),
      ("attribute", function.attributes + function.defaults.map(\.name)),
    ] {
      guard !names.contains(""), Set(names).count == names.count else {
        throw badFunction(function, index, "has an \(what) without a name, or two of one name")
      }
    }
  }

  private func badFunction(_ function: ONNXFunction, _ index: Int, _ reason: String) -> Diagnostic {
    Diagnostic(
      "onnx.function", "the function \(reason)",
      at: Location(.item("function \(index) '\(function.key)'")),
      notes: ["the exporter wrote a model that is not valid ONNX: export the model again"])
  }
}

private func functionHead(_ raw: Onnx__FunctionProto) -> ONNXFunction {
  ONNXFunction(
    ONNXFunction.Key(
      domain: plainDomain(text(raw.domain)), name: text(raw.name), overload: text(raw.overload)),
    inputs: array(raw.input, raw.n_input).map { text($0) },
    outputs: array(raw.output, raw.n_output).map { text($0) },
    attributes: array(raw.attribute, raw.n_attribute).map { text($0) }, nodes: [],
    opsets: opsetList(raw.opset_import, raw.n_opset_import))
}
