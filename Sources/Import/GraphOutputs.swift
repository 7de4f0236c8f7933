import IR
import ONNX
import Support
import Tensors

extension Importer {
  /// Appends the outputs of the graph, all of them floats: integers, levels and truth values become the same numbers.
  mutating func outputs() throws(Diagnostic) {
    var names: Set<String> = []
    for output in model.graph.outputs {
      let place = Location(file: model.path, .item("output '\(output.name)'"))
      guard names.insert(output.name).inserted else {
        throw Diagnostic(
          "import.name-twice", "two outputs are called '\(output.name)'", at: place,
          notes: ["check the model with onnx.checker"])
      }
      let id: ValueID
      do throws(Diagnostic) {
        id = try value(of: output)
        try checkShape(of: output, context.shape(of: id))
      } catch {
        var located = error
        if located.location == .none { located.location = place }
        throw located
      }
      context.builder.module.append(
        Op(.output, operands: [id], attributes: [NamedAttribute(.portName, output.name)]))
    }
    guard !names.isEmpty else {
      throw Diagnostic(
        "import.output", "the graph has no output", at: Location(file: model.path),
        notes: ["name the outputs when the model is exported"])
    }
  }

  /// Throws `import.output-shape` where the file declares another shape than the one that was computed. What it leaves open
  /// does not count, and neither does the batch of a file that leaves open the first axis of an input.
  private func checkShape(of output: ONNXValueInfo, _ shape: [Int]) throws(Diagnostic) {
    guard let declared = output.shape else { return }
    let hasOpenBatch = model.graph.inputs.contains { input in
      guard let first = input.shape?.first, case .fixed(let length) = first, length > 0 else { return true }
      return false
    }
    let agrees = zip(declared, shape).enumerated().allSatisfy { axis, pair in
      guard case .fixed(let length) = pair.0, length > 0, axis > 0 || !hasOpenBatch else { return true }
      return length == pair.1
    }
    guard declared.count == shape.count, agrees else {
      let lengths = declared.map { dimension in
        switch dimension {
        case .fixed(let length): "\(length)"
        case .named(let name): "'\(name)'"
        case .unknown: "?"
        }
      }
      throw Diagnostic(
        "import.output-shape",
        "the file declares the shape [\(lengths.joined(separator: ", "))], but computes \(shape)",
        notes: ["check the model with onnx.checker and its shape inference"])
    }
  }

  /// The floats that an output gives.
  private mutating func value(of output: ONNXValueInfo) throws(Diagnostic) -> ValueID {
    switch context.entry(output.name) {
    case .whole(let id)?: return id
    case .value(let id)?: return floats(id, output)
    case .initializer(let tensor)? where tensor.elementType.isFloat:
      return try constant(Tensor(tensor.shape, try tensor.floats()), output)
    case .initializer(let tensor)? where tensor.elementType.isInteger:
      return try constant(integers: try tensor.int64s(), tensor.shape, output)
    case .integers(let values, let shape)?: return try constant(integers: values, shape, output)
    case .blocks?:
      throw Diagnostic(
        "import.quantization-blocks", "'\(output.name)' is weights with scales for blocks",
        notes: ["remove the output: such weights are read as the right side of a product alone"])
    case .dynamic?:
      throw Diagnostic(
        "import.dynamic-quantization", "'\(output.name)' depends on a scale that is computed at run time",
        notes: ["take what the product with the scale gives as the output, or quantize the model statically"])
    case .initializer?, .failed?, nil:
      throw Diagnostic(
        "import.output", "the output is no tensor of numbers that the graph computes",
        notes: ["check the model with onnx.checker, or remove the output"])
    }
  }

  /// Levels and integer sums as numbers; floats stay.
  private mutating func floats(_ id: ValueID, _ output: ONNXValueInfo) -> ValueID {
    let type = context.builder.type(id)
    if type.element.isFloat { return id }
    return context.builder.emit(
      .dequantize(scale: 1, zero: 0), [id], type: ValueType(.float32, type.shape),
      name: "\(output.name).numbers",
      origin: nil)
  }

  private mutating func constant(integers: [Int64], _ shape: [Int], _ output: ONNXValueInfo)
    throws(Diagnostic) -> ValueID
  {
    let range = output.elementType.flatMap(integerRange) ?? Int64.min...Int64.max
    guard let numbers = exactFloats(integers), integers.allSatisfy(range.contains) else {
      throw Diagnostic(
        "import.output", "an integer of the output is no float, or leaves the output's type",
        notes: ["outputs are floats, which hold integers of up to 2^24 in size: remove the output"])
    }
    return try constant(Tensor(shape, numbers), output)
  }

  /// Numbers that are the same whatever the inputs are.
  private mutating func constant(_ tensor: Tensor, _ output: ONNXValueInfo) throws(Diagnostic) -> ValueID {
    guard isComputable(tensor.shape), tensor.count > 0 else {
      throw Diagnostic(
        "import.size", "the output has the shape \(tensor.shape): empty, or too large",
        notes: ["remove the output, or export the model with other lengths"])
    }
    return context.constant(tensor, name: output.name)
  }
}
