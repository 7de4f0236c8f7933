public import IR
import Mapping
public import Support
public import Tensors

/// What an evaluation gives: the outputs in order, and what the converters did.
public struct EvaluationResult: Sendable {
  /// The graph outputs in order.
  public var outputs: [Tensor]
  /// Conversions that hit the converter's maximum, by layer symbol; only layers with units appear.
  public var saturations: [String: Int]
}

/// Evaluates a tensor or crossbar module exactly: the meaning of every operation, without regard to speed.
///
/// Prepared once, it evaluates any number of samples, also from several threads.
public struct Interpreter<L: Level>: Sendable {
  let module: Module<L>
  private var constants: [ValueID: Tensor]
  private let layers: [String: Layer]

  /// Prepares a verified module. Throws `evaluate.constant` and `evaluate.layer` where an attribute cannot be read.
  public init(_ module: Module<L>) throws(Diagnostic) {
    self.module = module
    var constants: [ValueID: Tensor] = [:]
    var layers: [String: Layer] = [:]
    for id in module.body {
      let op = module.ops[id]
      if op.opcode == .constant, let result = op.results.first {
        let type = module.values[result].type
        guard let value = module.tensor(op.find(.value), element: type.element, shape: type.shape ?? [])
        else {
          throw Diagnostic("evaluate.constant", "the numbers do not have the type \(type)", at: op.location)
        }
        constants[result] = value
      } else if op.opcode == .layer {
        guard let layer = module.layer(id) else {
          throw Diagnostic("evaluate.layer", "the layer cannot be read", at: op.location)
        }
        layers[layer.name] = layer
      }
    }
    self.constants = constants
    self.layers = layers
    try foldConstants()
  }

  /// Computes what depends on constants alone, once for all samples.
  private mutating func foldConstants() throws(Diagnostic) {
    var saturations: [String: Int] = [:]
    for op in module.bodyOps where ![.constant, .mvm, .scan].contains(op.opcode) && op.results.count == 1 {
      let arguments = op.operands.compactMap { constants[$0] }
      guard !arguments.isEmpty, arguments.count == op.operands.count else { continue }
      constants[op.results[0]] = try compute(op, arguments, &saturations)
    }
  }

  /// Evaluates the module for one sample: one tensor for each graph input, in order.
  ///
  /// `observe` sees every computed value.
  public func evaluate(_ inputs: [Tensor], observe: (ValueID, Tensor) -> Void = { _, _ in })
    throws(Diagnostic) -> EvaluationResult
  {
    var values = ValueTable(count: module.values.count, constants)
    var result = EvaluationResult(outputs: [], saturations: [:])
    var nextInput = 0
    for op in module.bodyOps {
      switch op.opcode.kind {
      case .constant, .layer: continue
      case .input:
        values.set(op.results[0], try input(inputs, nextInput, op), observe)
        nextInput += 1
      case .output:
        guard let value = values[op.operands[0]] else { continue }
        result.outputs.append(value)
      case .scan: try run(op, &values, &result.saturations, observe)
      case .conv, .gemm, .batchNorm, .carry, .scanSlice, .yield, .scanOutput, .window, .mvm, .col2im, .block,
        .buffer,
        .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat, .digital:
        if let known = constants[op.results[0]] {
          observe(op.results[0], known)
        } else {
          values.set(op.results[0], try compute(op, values[op.operands], &result.saturations), observe)
        }
      }
    }
    return result
  }

  private func input(_ inputs: [Tensor], _ number: Int, _ op: Op) throws(Diagnostic) -> Tensor {
    let type = module.values[op.results[0]].type
    guard number < inputs.count, inputs[number].data.isFloat, let shape = type.shape,
      inputs[number].count == type.count
    else {
      throw Diagnostic(
        "evaluate.input", "the input \"\(op[.portName])\" needs floats of the type \(type)",
        at: op.location)
    }
    return inputs[number].reshaped(shape)
  }

  /// What an operation other than those of loops gives.
  func compute(_ op: Op, _ arguments: [Tensor], _ saturations: inout [String: Int])
    throws(Diagnostic) -> Tensor
  {
    do throws(Diagnostic) {
      switch op.opcode.kind {
      case .conv: return try convolution(op, arguments)
      case .gemm: return try product(op, arguments)
      case .batchNorm: return try batchNorm(op, arguments)
      case .window:
        guard let window = op.window else { throw unreadable(op) }
        return try windows(of: arguments[0], window, padding: op[.padding])
      case .mvm:
        guard let layer = layers[op[.layer]] else { throw unreadable(op) }
        return try layer.multiply(arguments[0], saturations: &saturations)
      case .col2im:
        guard let shape = module.values[op.results[0]].type.shape else { throw unreadable(op) }
        let joined = try DigitalOperator.concat(axis: 1).apply(to: arguments)
        return try col2im(joined, batch: shape[0]).reshaped(shape)
      case .digital:
        guard let digital = module.digitalOperator(of: op) else { throw unreadable(op) }
        return try digital.apply(to: arguments)
      case .input, .output, .constant, .scan, .carry, .scanSlice, .yield, .scanOutput, .layer, .block,
        .buffer,
        .crossbar,
        .load, .drive, .convert, .accumulate, .store, .repeat:
        throw unreadable(op)
      }
    } catch {
      var located = error
      if located.location == .none { located.location = op.location }
      throw located
    }
  }

  func unreadable(_ op: Op) -> Diagnostic {
    Diagnostic("evaluate.attribute", "an attribute of \(op.opcode.rawValue) does not fit", at: op.location)
  }

  // MARK: Tensor level

  /// On floats as ONNX says; on integers the exact sums of `(x - zero) * w + b`.
  private func convolution(_ op: Op, _ arguments: [Tensor]) throws(Diagnostic) -> Tensor {
    let (x, weights) = (arguments[0], arguments[1])
    let groups = op[.groups]
    guard let window = convWindow(op, input: x.shape, weights: weights.shape) else { throw unreadable(op) }
    let outputs = x.shape.count == 3 ? [window.outWidth] : [window.outHeight, window.outWidth]
    let shape = [window.batch, weights.shape[0]] + outputs
    if x.data.isFloat {
      let bias = arguments.count > 2 ? arguments[2].floats : nil
      return try convolve(x, weights: weights, bias: bias, window: window, groups: groups).reshaped(shape)
    }
    let zero = module.values[op.operands[0]].type.quantization?.zero ?? 0
    var rows: [Tensor] = []
    for group in 0..<groups {
      let inputs = try windows(of: x, window.group(group, of: groups), padding: zero)
      rows.append(try integerProduct(centered(inputs, zero), groupMatrix(weights, group, of: groups)))
    }
    let joined = try DigitalOperator.concat(axis: 1).apply(to: rows)
    let sums = try withBias(col2im(joined, batch: window.batch), arguments, axis: 1)
    return sums.reshaped(shape)
  }

  private func product(_ op: Op, _ arguments: [Tensor]) throws(Diagnostic) -> Tensor {
    let (x, weights) = (arguments[0], arguments[1])
    guard weights.shape.count == 2, !weights.shape.contains(0), x.shape.last == weights.shape[0],
      arguments.count < 3 || arguments[2].count == weights.shape[1]
    else { throw unreadable(op) }
    let (inner, outputs) = (weights.shape[0], weights.shape[1])
    let rows = x.shape.dropLast().reduce(1, *)
    let shape = x.shape.dropLast() + [outputs]
    if x.data.isFloat {
      var sums = try floatProduct(x.floats, weights.floats, rows: rows, inner: inner, columns: outputs)
      if arguments.count > 2 {
        let bias = arguments[2].floats
        for k in sums.indices { sums[k] += bias[k % outputs] }
      }
      return Tensor(Array(shape), sums)
    }
    let zero = module.values[op.operands[0]].type.quantization?.zero ?? 0
    let sums = try integerProduct(try centered(x.reshaped([rows, inner]), zero), weights)
    return try withBias(sums, arguments, axis: 1).reshaped(Array(shape))
  }

  private func withBias(_ sums: Tensor, _ arguments: [Tensor], axis: Int) throws(Diagnostic) -> Tensor {
    guard arguments.count > 2 else { return sums }
    return try DigitalOperator.addBias(values: arguments[2].integers, axis: axis).apply(to: [sums])
  }

  /// Levels less their zero point.
  private func centered(_ tensor: Tensor, _ zero: Int64) throws(Diagnostic) -> Tensor {
    if zero == 0 { return tensor }
    return try DigitalOperator.binary(.subtract).apply(to: [tensor, Tensor([], [zero])])
  }

  private func batchNorm(_ op: Op, _ arguments: [Tensor]) throws(Diagnostic) -> Tensor {
    let x = arguments[0]
    guard x.shape.count >= 2, arguments.dropFirst().allSatisfy({ $0.count == x.shape[1] }) else {
      throw unreadable(op)
    }
    let affine = batchNormAffine(arguments.dropFirst().map(\.floats), epsilon: op[.epsilon])
    let positions = x.shape.dropFirst(2).reduce(1, *)
    var values = x.floats
    for k in values.indices {
      let channel = k / max(1, positions) % x.shape[1]
      values[k] = values[k] * affine.factor[channel] + affine.offset[channel]
    }
    return Tensor(x.shape, values)
  }
}
