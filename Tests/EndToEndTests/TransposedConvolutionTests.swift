import CodeGen
import Executor
import Hardware
import IR
import Import
import Mapping
import ONNX
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// A transposed convolution of whole numbers, which quantization keeps: its result is known exactly.
private struct TransposedSample {
  var shape: [Int]
  var weightShape: [Int]
  var strides: [Int]
  var pads: [Int]
  var dilations: [Int]
  var extra: [Int]
  var groups: Int
  var x: [Int]
  var weights: [Int]
  var bias: [Int]

  /// Inputs in `range`, whose ends are there, and weights in -7 ... 7.
  init(_ range: ClosedRange<Int>, _ random: inout SeededGenerator) {
    let spatial = random.inside(1...2)
    groups = random.inside(1...3)
    let (channels, filters) = (groups * random.inside(1...2), random.inside(1...2))
    func list(_ range: ClosedRange<Int>) -> [Int] { (0..<spatial).map { _ in random.inside(range) } }
    let kernel = list(1...3)
    shape = [1, channels] + list(2...4)
    weightShape = [channels, filters] + kernel
    (strides, dilations) = (list(1...3), list(1...2))
    extra = strides.map { random.below($0) }
    let reach = zip(kernel, dilations).map { ($0 - 1) * $1 }
    pads = (reach + reach).map { random.inside(0...max(1, $0)) }
    x = (0..<shape.reduce(1, *)).map { _ in random.inside(range) }
    (x[0], x[x.count - 1]) = (range.lowerBound, range.upperBound)
    weights = (0..<weightShape.reduce(1, *)).map { _ in random.inside(-7...7) }
    weights[weights.count / 2] = random.chance(0.5) ? 7 : -7
    bias = (0..<filters * groups).map { _ in random.inside(-50...50) }
  }

  var outputs: [Int] {
    strides.indices.map { k in
      let full = (shape[k + 2] - 1) * strides[k] + (weightShape[k + 2] - 1) * dilations[k] + 1
      return full + extra[k] - pads[k] - pads[k + strides.count]
    }
  }

  /// The definition: every input adds the filter, times itself, to the places that it reaches.
  var result: [Float] {
    let (rank, filters) = (strides.count, weightShape[1])
    let size = outputs
    let spots = size.reduce(1, *)
    var sums = (0..<filters * groups * spots).map { bias[$0 / spots] }
    for (place, value) in x.enumerated() {
      let inner = shape.dropFirst(2).reduce(1, *)
      let channel = place / inner
      for filter in 0..<filters {
        for tap in 0..<weightShape.dropFirst(2).reduce(1, *) {
          let from = index(place % inner, Array(shape.dropFirst(2)))
          let step = index(tap, Array(weightShape.dropFirst(2)))
          let to = (0..<rank).map { from[$0] * strides[$0] + step[$0] * dilations[$0] - pads[$0] }
          guard zip(to, size).allSatisfy({ $0 >= 0 && $0 < $1 }) else { continue }
          let group = channel / (shape[1] / groups)
          let spot = zip(to, size).reduce(0) { $0 * $1.1 + $1.0 }
          let weight = weights[(channel * filters + filter) * weightShape.dropFirst(2).reduce(1, *) + tap]
          sums[(group * filters + filter) * spots + spot] += value * weight
        }
      }
    }
    return sums.map { Float($0) }
  }

  private func index(_ place: Int, _ shape: [Int]) -> [Int] {
    shape.count == 1 ? [place] : [place / shape[1], place % shape[1]]
  }

  func model() throws -> ONNXModel {
    func tensor(_ name: String, _ shape: [Int], _ values: [Int]) throws -> ONNXTensor {
      let bytes = values.flatMap { value in
        withUnsafeBytes(of: Float(value).bitPattern.littleEndian, Array.init)
      }
      return try ONNXTensor(name: name, shape: shape, elementType: .float, bytes: bytes)
    }
    func ints(_ list: [Int]) -> ONNXAttribute.Value { .ints(list.map { Int64($0) }) }
    let node = ONNXNode(
      index: 0, name: "up", op: "ConvTranspose", inputs: ["x", "w", "b"], outputs: ["y"],
      attributes: [
        ONNXAttribute(name: "strides", value: ints(strides)), ONNXAttribute(name: "pads", value: ints(pads)),
        ONNXAttribute(name: "dilations", value: ints(dilations)),
        ONNXAttribute(name: "output_padding", value: ints(extra)),
        ONNXAttribute(name: "group", value: .int(Int64(groups))),
      ])
    let graph = ONNXGraph(
      name: "up", nodes: [node],
      initializers: [try tensor("w", weightShape, weights), try tensor("b", [bias.count], bias)],
      inputs: [ONNXValueInfo(name: "x", elementType: .float, shape: shape.map { .fixed($0) })],
      outputs: [ONNXValueInfo(name: "y")])
    return ONNXModel(
      path: "up.onnx", irVersion: 8, opsets: [ONNXOpset(domain: "", version: 17)], graph: graph)
  }
}

@Suite("Transposed convolutions, end to end")
struct TransposedConvolutionTests {
  /// Inputs that are never negative, symmetric ones in two passes, and ones with a zero point that fills the gaps.
  private static let forms: [(options: String, range: ClosedRange<Int>)] = [
    ("", 0...15), ("", -7...7), (", signed: zero-point", -5...10),
  ]

  @Test(arguments: forms.indices) func areExactOnEveryLevel(form: Int) throws {
    let (options, range) = Self.forms[form]
    var random = SeededGenerator(seed: 900 + UInt64(form))
    var (made, spread, whole) = (0, 0, 0)
    while made < 40 {
      let sample = TransposedSample(range, &random)
      guard sample.outputs.allSatisfy({ $0 > 0 }), var module = try? importModel(sample.model()) else {
        continue
      }
      module.machine = try Machine.target(named: "sre")
      made += 1
      let input = Tensor(sample.shape, sample.x.map { Float($0) })
      let expected = Tensor([1, sample.bias.count] + sample.outputs, sample.result)
      #expect(try Interpreter(module).evaluate([input]).outputs == [expected])
      var context = PassContext(calibration: [[input]])
      let quantized = try apply(
        "fold-constants, calibrate, quantize(weights: 4, inputs: 4, scale: tensor\(options))",
        to: .tensor(module), &context)
      guard case .tensor(let integers) = quantized else { continue }
      if integers.bodyOps.contains(where: { $0.opcode == .gather }) { spread += 1 }
      // Pads may cut the ends of the range off: then a level stands for less than 1, and numbers are rounded.
      let exact = try Interpreter(integers).evaluate([input]).outputs
      if integers.inputScale == 1 {
        whole += 1
        #expect(exact == [expected])
      }
      let placed = try apply(
        "lower-to-crossbar, slice-bits, form-units(lossless: true), place-blocks, schedule", to: quantized,
        &context)
      guard case .crossbar(let crossbars) = placed else { continue }
      #expect(crossbars.layers.count == sample.groups)
      #expect(try Interpreter(crossbars).evaluate([input]).outputs == exact)
      let run = try ExecutablePlan(try program(of: placed)).run(
        inputs: [input.floats], samples: 1, threads: 1)
      #expect(run.outputs[0] == exact[0].floats)
    }
    #expect(spread > 20 && whole > 20, "\(spread) \(whole)")
  }

  /// Behind a layer the gaps are filled with the zero point, so that no float stands between the two.
  @Test func standBetweenLayersInIntegers() throws {
    var random = SeededGenerator(seed: 950)
    for options in ["", ", signed: zero-point"] {
      var sample = TransposedSample(0...15, &random)
      sample.shape = [1, 2, 3, 3]
      sample.weightShape = [2, 2, 2, 2]
      (sample.strides, sample.pads, sample.dilations, sample.extra) = (
        [2, 2], [0, 0, 0, 0], [1, 1], [0, 0]
      )
      (sample.groups, sample.bias) = (1, [3, -4])
      sample.weights = (0..<16).map { _ in random.inside(-7...7) }
      var model = try sample.model()
      let up = model.graph.nodes[0]
      model.graph.nodes = [
        ONNXNode(
          index: 0, name: "first", op: "ConvTranspose", inputs: up.inputs, outputs: ["h"],
          attributes: up.attributes),
        ONNXNode(index: 1, name: "", op: "Relu", inputs: ["h"], outputs: ["r"]),
        ONNXNode(
          index: 2, name: "second", op: "ConvTranspose", inputs: ["r", "w", "b"], outputs: ["y"],
          attributes: up.attributes),
      ]
      var module = try importModel(model)
      module.machine = try Machine.target(named: "sre")
      let inputs = (0..<4).map { _ in
        [Tensor([1, 2, 3, 3], (0..<18).map { _ in Float(random.inside(0...15)) })]
      }
      var context = PassContext(calibration: inputs)
      let quantized = try apply(
        "fold-constants, calibrate, quantize(weights: 12, inputs: 12\(options))", to: .tensor(module),
        &context)
      guard case .tensor(let integers) = quantized else { continue }
      #expect(integers.bodyOps.filter { $0.opcode == .quantize || $0.opcode == .dequantize }.count == 2)
      let placed = try apply(
        "lower-to-crossbar, slice-bits, form-units(lossless: true), place-blocks, schedule", to: quantized,
        &context)
      let plan = try ExecutablePlan(try program(of: placed))
      for input in inputs {
        let float = try Interpreter(module).evaluate(input).outputs[0].floats
        let found = try Interpreter(integers).evaluate(input).outputs[0].floats
        let size = float.map { abs($0) }.max() ?? 1
        #expect(zip(float, found).allSatisfy { abs($0 - $1) <= 0.003 * size })
        #expect(try plan.run(inputs: [input[0].floats], samples: 1, threads: 1).outputs[0] == found)
      }
    }
  }
}

extension Module<TensorLevel> {
  /// What a level of the first convolution's input stands for.
  fileprivate var inputScale: Float? {
    let convolution = bodyOps.first { $0.opcode == .conv }
    return convolution.flatMap { values[$0.operands[0]].type.quantization?.scale }
  }
}

/// Runs a pipeline on a module with calibration samples.
private func apply(_ pipeline: String, to module: AnyModule, _ context: inout PassContext) throws -> AnyModule
{
  var current = module
  for call in try parsePipeline(pipeline) {
    current = try PassRegistry.standard.entry(named: call.name).apply(to: current, call.options, in: &context)
  }
  return current
}
