import Foundation
import IR
import Mapping
import ONNX
import Support
import Tensors

/// A random LSTM, GRU or RNN node with its numbers, as a model and as the formulas of the ONNX operators.
struct RecurrentSample {
  let kind: String
  let direction: String
  let layout: Int
  let (steps, batch, inputs, hidden): (Int, Int, Int, Int)
  var lengths: [Int]?
  var hasFirstStates: Bool
  var activations: [(name: String, alpha: Float, beta: Float)]?
  var clip: Float?
  var couplesForget: Bool
  var resetsProduct: Bool
  /// W, R, B, P by direction; B and P are empty where the node has none.
  var weights: [String: [[Float]]] = [:]

  var directions: Int { direction == "bidirectional" ? 2 : 1 }
  var gates: Int { ["LSTM": 4, "GRU": 3][kind] ?? 1 }
  private var functions: Int { ["LSTM": 3, "GRU": 2][kind] ?? 1 }
  private var defaults: [String] {
    ["LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]][kind] ?? ["Tanh"]
  }

  /// Names that take an alpha, and those that take a beta as well.
  private static let withAlpha = ["LeakyRelu", "Elu", "HardSigmoid", "Affine", "ScaledTanh"]
  private static let withBeta = ["HardSigmoid", "Affine", "ScaledTanh"]
  static let functionNames =
    withAlpha + ["Relu", "Tanh", "Sigmoid", "Softsign", "Softplus", "sigmoid", "TANH"]

  /// Number `number` of a sequence: all kinds, directions and options come up.
  init(_ number: Int, _ random: inout SeededGenerator) {
    kind = ["LSTM", "GRU", "RNN"][number % 3]
    direction = ["forward", "reverse", "bidirectional"][number / 3 % 3]
    layout = random.chance(0.3) ? 1 : 0
    (steps, batch) = (random.inside(1...5), random.chance(0.6) ? 1 : random.inside(2...3))
    (inputs, hidden) = (random.inside(1...6), random.inside(1...5))
    hasFirstStates = random.chance(0.5)
    couplesForget = kind == "LSTM" && random.chance(0.2)
    resetsProduct = kind == "GRU" && random.chance(0.5)
    if random.chance(0.3) { clip = Float(random.unit()) + 0.1 }
    let longest = steps
    if random.chance(0.3) { lengths = (0..<batch).map { _ in random.inside(1...longest) } }
    if random.chance(0.4) {
      activations = (0..<functions * directions).map { _ in
        (
          Self.functionNames[random.below(Self.functionNames.count)], Float(random.unit()),
          Float(random.unit()) - 0.5
        )
      }
    }
    let rows = gates * hidden
    fill("W", rows * inputs, &random)
    fill("R", rows * hidden, &random)
    if random.chance(0.8) { fill("B", 2 * rows, &random) }
    if kind == "LSTM", random.chance(0.4) { fill("P", 3 * hidden, &random) }
  }

  private mutating func fill(_ name: String, _ count: Int, _ random: inout SeededGenerator) {
    weights[name] = (0..<directions).map { _ in (0..<count).map { _ in Float(random.unit() * 2 - 1) } }
  }

  // MARK: The model

  private static func tensor(_ name: String, _ shape: [Int], _ values: [Float]) throws(Diagnostic)
    -> ONNXTensor
  {
    let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
    return try ONNXTensor(name: name, shape: shape, elementType: .float, bytes: bytes)
  }

  private var stateShape: [Int] { layout == 1 ? [batch, directions, hidden] : [directions, batch, hidden] }
  var inputShapes: [[Int]] {
    [layout == 1 ? [batch, steps, inputs] : [steps, batch, inputs]]
      + (hasFirstStates ? [stateShape] + (kind == "LSTM" ? [stateShape] : []) : [])
  }
  var outputNames: [String] { kind == "LSTM" ? ["Y", "Y_h", "Y_c"] : ["Y", "Y_h"] }

  /// The node alone, with first states as inputs of the graph and all results as outputs.
  func model() throws(Diagnostic) -> ONNXModel {
    let rows = gates * hidden
    let shapes = [
      "W": [directions, rows, inputs], "R": [directions, rows, hidden], "B": [directions, 2 * rows],
      "P": [directions, 3 * hidden],
    ]
    var initializers: [ONNXTensor] = []
    for (name, parts) in weights.sorted(by: { $0.key < $1.key }) {
      initializers.append(try Self.tensor(name, shapes[name] ?? [], parts.flatMap { $0 }))
    }
    if let lengths {
      let bytes = lengths.flatMap { value in withUnsafeBytes(of: Int32(value).littleEndian, Array.init) }
      initializers.append(try ONNXTensor(name: "L", shape: [batch], elementType: .int32, bytes: bytes))
    }
    let states = hasFirstStates ? ["h0"] + (kind == "LSTM" ? ["c0"] : []) : []
    let names = [
      "x", "W", "R", weights["B"] == nil ? "" : "B", lengths == nil ? "" : "L", states.first ?? "",
      states.count > 1 ? "c0" : "", weights["P"] == nil ? "" : "P",
    ]
    let node = ONNXNode(
      index: 0, name: "cell", op: kind, inputs: names, outputs: outputNames, attributes: attributes)
    let ports = zip(["x"] + states, inputShapes).map { name, shape in
      ONNXValueInfo(name: name, elementType: .float, shape: shape.map { .fixed($0) })
    }
    let graph = ONNXGraph(
      name: "net", nodes: [node], initializers: initializers, inputs: ports,
      outputs: outputNames.map { ONNXValueInfo(name: $0) })
    return ONNXModel(
      path: "net.onnx", irVersion: 8, opsets: [ONNXOpset(domain: "", version: 17)], graph: graph)
  }

  private var attributes: [ONNXAttribute] {
    var found: [(String, ONNXAttribute.Value)] = [
      ("hidden_size", .int(Int64(hidden))), ("direction", .string(direction)),
      ("layout", .int(Int64(layout))),
    ]
    if let clip { found.append(("clip", .float(clip))) }
    if couplesForget { found.append(("input_forget", .int(1))) }
    if resetsProduct { found.append(("linear_before_reset", .int(1))) }
    if let activations {
      found.append(("activations", .strings(activations.map(\.name))))
      let alphas = activations.filter { Self.withAlpha.contains($0.name) }.map(\.alpha)
      let betas = activations.filter { Self.withBeta.contains($0.name) }.map(\.beta)
      found.append(("activation_alpha", .floats(alphas)))
      found.append(("activation_beta", .floats(betas)))
    }
    return found.map { ONNXAttribute(name: $0.0, value: $0.1) }
  }

  // MARK: The formulas

  /// An activation of a clipped gate.
  private func activate(_ x: Double, _ direction: Int, _ place: Int) -> Double {
    bend(clip.map { max(-Double($0), min(Double($0), x)) } ?? x, direction, place)
  }

  private func bend(_ x: Double, _ direction: Int, _ place: Int) -> Double {
    let given = activations?[direction * functions + place]
    let name = (given?.name ?? defaults[place]).lowercased()
    let (alpha, beta) = (Double(given?.alpha ?? 0), Double(given?.beta ?? 0))
    switch name {
    case "relu": return max(0, x)
    case "tanh": return tanh(x)
    case "sigmoid": return 1 / (1 + exp(-x))
    case "leakyrelu": return x < 0 ? alpha * x : x
    case "elu": return x < 0 ? alpha * (exp(x) - 1) : x
    case "hardsigmoid": return max(0, min(1, alpha * x + beta))
    case "affine": return alpha * x + beta
    case "scaledtanh": return alpha * tanh(beta * x)
    case "softsign": return x / (1 + abs(x))
    default: return log(1 + exp(x))
    }
  }

  /// What the node gives for `x` `[steps][batch][inputs]`, whatever the layout, and first states
  /// `[direction][batch][hidden]`: Y `[steps][direction][batch][hidden]`, Y_h and Y_c `[direction][batch][hidden]`.
  private func formulas(_ x: (Int, Int, Int) -> Double, _ first: (Int, Int, Int, Int) -> Double) -> [[Double]]
  {
    var y = [Double](repeating: 0, count: steps * directions * batch * hidden)
    var last: [[Double]] = [[], []]
    for d in 0..<directions {
      let isReversed = direction == "reverse" || d == 1
      for b in 0..<batch {
        var h = (0..<hidden).map { first(0, d, b, $0) }
        var c = (0..<hidden).map { first(1, d, b, $0) }
        let length = lengths?[b] ?? steps
        for t in isReversed ? Array((0..<length).reversed()) : Array(0..<length) {
          (h, c) = round(d, (0..<inputs).map { x(t, b, $0) }, h, c)
          for j in 0..<hidden { y[((t * directions + d) * batch + b) * hidden + j] = h[j] }
        }
        last[0] += h
        last[1] += c
      }
    }
    return [y] + (kind == "LSTM" ? last : [last[0]])
  }

  private func round(_ d: Int, _ x: [Double], _ h: [Double], _ c: [Double]) -> (h: [Double], c: [Double]) {
    let bias = weights["B"]?[d].map { Double($0) } ?? [Double](repeating: 0, count: 2 * gates * hidden)
    let peepholes = weights["P"]?[d].map { Double($0) } ?? [Double](repeating: 0, count: 3 * hidden)
    func row(_ name: String, _ row: Int, _ vector: [Double]) -> Double {
      let matrix = weights[name]?[d] ?? []
      return vector.indices.reduce(0) { $0 + Double(matrix[row * vector.count + $1]) * vector[$1] }
    }
    /// The sum of gate `gate`, output `j`.
    func sum(_ gate: Int, _ j: Int, _ state: [Double]) -> Double {
      let r = gate * hidden + j
      return row("W", r, x) + row("R", r, state) + bias[r] + bias[gates * hidden + r]
    }
    switch kind {
    case "RNN": return ((0..<hidden).map { activate(sum(0, $0, h), d, 0) }, c)
    case "GRU":
      let z = (0..<hidden).map { activate(sum(0, $0, h), d, 0) }
      let r = (0..<hidden).map { activate(sum(1, $0, h), d, 0) }
      let reset = zip(r, h).map { $0 * $1 }
      let g = (0..<hidden).map { j -> Double in
        let line = 2 * hidden + j
        let late = r[j] * (row("R", line, h) + bias[gates * hidden + line])
        return activate(resetsProduct ? row("W", line, x) + late + bias[line] : sum(2, j, reset), d, 1)
      }
      return ((0..<hidden).map { (1 - z[$0]) * g[$0] + z[$0] * h[$0] }, c)
    default:
      let i = (0..<hidden).map { activate(sum(0, $0, h) + peepholes[$0] * c[$0], d, 0) }
      let f = (0..<hidden).map {
        couplesForget ? 1 - i[$0] : activate(sum(2, $0, h) + peepholes[2 * hidden + $0] * c[$0], d, 0)
      }
      let g = (0..<hidden).map { activate(sum(3, $0, h), d, 1) }
      let new = (0..<hidden).map { f[$0] * c[$0] + i[$0] * g[$0] }
      let o = (0..<hidden).map { activate(sum(1, $0, h) + peepholes[hidden + $0] * new[$0], d, 0) }
      return ((0..<hidden).map { o[$0] * bend(new[$0], d, 2) }, new)
    }
  }

  /// The outputs for the inputs of the graph, in the node's layout.
  func expected(_ given: [Tensor]) -> [Tensor] {
    let x = given[0].floats
    func input(_ t: Int, _ b: Int, _ i: Int) -> Double {
      Double(x[(layout == 1 ? b * steps + t : t * batch + b) * inputs + i])
    }
    func first(_ state: Int, _ d: Int, _ b: Int, _ j: Int) -> Double {
      guard given.count > 1 + state else { return 0 }
      return Double(given[1 + state].floats[(layout == 1 ? b * directions + d : d * batch + b) * hidden + j])
    }
    let results = formulas(input, first)
    return results.enumerated().map { index, values in
      let shape = index == 0 ? [steps, directions, batch, hidden] : [directions, batch, hidden]
      let plain = Tensor(shape, values.map { Float($0) })
      guard layout == 1 else { return plain }
      return (try? DigitalOperator.transpose(index == 0 ? [2, 0, 1, 3] : [1, 0, 2]).apply(to: [plain]))
        ?? plain
    }
  }

  /// Random inputs of the graph.
  func graphInputs(_ random: inout SeededGenerator) -> [Tensor] {
    inputShapes.map { shape in
      Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.unit() * 2 - 1) })
    }
  }
}
