import CodeGen
import Executor
import Hardware
import IR
import Import
import Mapping
import ONNX
import Passes
import ProgramFormat
import Evaluator
import Support
import Tensors
import TestSupport
import Testing

/// ONNX models that tests write node by node, and what every stage makes of them.
enum SmallFile {
  static func stored(_ name: String, _ shape: [Int], _ type: ONNXElementType, _ bytes: [UInt8]) throws
    -> ONNXTensor
  {
    try ONNXTensor(name: name, shape: shape, elementType: type, bytes: bytes)
  }

  static func floats(_ name: String, _ shape: [Int], _ values: [Float]) throws -> ONNXTensor {
    try stored(
      name, shape, .float,
      values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) })
  }

  static func node(
    _ op: String, _ inputs: [String], _ outputs: [String], _ attributes: [String: ONNXAttribute.Value] = [:]
  ) -> ONNXNode {
    graphNode(op, inputs, outputs, attributes)
  }

  static func model(
    _ nodes: [ONNXNode], _ inputs: [(String, [Int])], _ initializers: [ONNXTensor], outputs: [String],
    opset: Int = 17
  ) -> ONNXModel {
    let graph = ONNXGraph(
      name: "net",
      nodes: numbered(nodes), initializers: initializers,
      inputs: inputs.map { name, shape in
        ONNXValueInfo(name: name, elementType: .float, shape: shape.map { .fixed($0) })
      }, outputs: outputs.map { ONNXValueInfo(name: $0) })
    return ONNXModel(
      path: "net.onnx", irVersion: 8, opsets: [ONNXOpset(domain: "", version: opset)], graph: graph)
  }

  /// The crossbars that a model becomes, and what every pass on the way gives to `observe`.
  static func crossbars(
    of model: ONNXModel, _ samples: [[Tensor]], observe: (String, AnyModule) throws -> Void = { _, _ in }
  ) throws -> Module<CrossbarLevel> {
    var imported = try importModel(model)
    imported.machine = try Machine.target(named: "sre")
    var context = PassContext(calibration: samples)
    var module = AnyModule(imported)
    try observe("import", module)
    let overrides = try parsePipeline("quantize(weights: 12, inputs: 12), form-units(lossless: true)")
    for call in try scheme(named: "dense").calls(overriding: overrides) where call.name != "lower-to-program"
    {
      module = try PassRegistry.standard.entry(named: call.name).apply(to: module, call.options, in: &context)
      try observe(call.name, module)
    }
    return try #require(module.module(at: CrossbarLevel.self))
  }

  /// What the float evaluator, the quantized module, the crossbars and the executor give, sample by sample and output
  /// by output; the executor once for each sample alone, and once for all samples on two threads.
  static func results(_ model: ONNXModel, _ samples: [[Tensor]]) throws -> [[[Float]]] {
    var found: [[[Float]]] = []
    let crossbars = try crossbars(of: model, samples) { name, module in
      guard name == "import" || name == "quantize" else { return }
      let interpreter = try Interpreter(try #require(module.module(at: TensorLevel.self)))
      found.append(try samples.flatMap { try interpreter.evaluate($0).outputs.map(\.floats) })
    }
    let interpreter = try Interpreter(crossbars)
    found.append(try samples.flatMap { try interpreter.evaluate($0).outputs.map(\.floats) })
    let plan = try ExecutablePlan(try program(of: AnyModule(crossbars)))
    found.append(
      try samples.flatMap { sample in
        try plan.run(inputs: sample.map(\.floats), samples: 1, threads: 1).outputs
      })
    let inputs = samples[0].indices.map { k in samples.flatMap { $0[k].floats } }
    let run = try plan.run(inputs: inputs, samples: samples.count, threads: 2)
    let sizes = run.outputs.map { $0.count / samples.count }
    found.append(
      samples.indices.flatMap { sample in
        run.outputs.indices.map { k in Array(run.outputs[k][sample * sizes[k]..<(sample + 1) * sizes[k]]) }
      })
    return found
  }
}
