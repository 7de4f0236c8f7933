import IR
import ONNX
import Support
import Tensors

/// An activation function of a recurrent node, with its parameters.
struct RecurrentActivation: Hashable {
  private enum Function: String, CaseIterable {
    case relu, tanh, sigmoid, affine, leakyrelu, scaledtanh, hardsigmoid, elu, softsign, softplus,
      thresholdedrelu

    /// The default of alpha; nil where the function has none, NaN where it must be given.
    var alpha: Float? {
      switch self {
      case .affine, .scaledtanh: return .nan
      case .leakyrelu: return 0.01
      case .hardsigmoid: return 0.2
      case .elu, .thresholdedrelu: return 1
      case .relu, .tanh, .sigmoid, .softsign, .softplus: return nil
      }
    }

    /// The same for beta.
    var beta: Float? {
      switch self {
      case .affine, .scaledtanh: return .nan
      case .hardsigmoid: return 0.5
      case .relu, .tanh, .sigmoid, .leakyrelu, .elu, .softsign, .softplus, .thresholdedrelu: return nil
      }
    }
  }

  private let function: Function
  private let alpha: Float
  private let beta: Float

  /// The functions of `node`: those that it names, or `defaults` for each of its `directions`. Those that have an alpha
  /// or a beta take the next one of the node's list, or the default of the ONNX operator of their name.
  static func all(
    of node: ONNXNode, defaults: [String], directions: Int, _ context: ImportContext
  ) throws(Diagnostic) -> [RecurrentActivation] {
    let fallback = (0..<directions).flatMap { _ in defaults }
    let names = try node.strings("activations") ?? fallback
    guard names.count == fallback.count else {
      throw context.failure(
        "recurrent-activation", "\(names.count) activations, expected \(fallback.count)", node,
        help: "check the model with onnx.checker")
    }
    var alphas = (try node.floats("activation_alpha") ?? [])[...]
    var betas = (try node.floats("activation_beta") ?? [])[...]
    var found: [RecurrentActivation] = []
    for name in names {
      guard let function = Function(rawValue: name.lowercased()) else {
        let known =
          "Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign and Softplus"
        throw context.failure(
          "recurrent-activation", "the activation '\(name)' is not supported", node, help: "\(known) are")
      }
      let alpha = function.alpha.map { alphas.popFirst() ?? $0 } ?? 0
      let beta = function.beta.map { betas.popFirst() ?? $0 } ?? 0
      guard !alpha.isNaN, !beta.isNaN else {
        throw context.failure(
          "recurrent-activation", "'\(name)' needs numbers as alpha and beta", node,
          help: "give activation_alpha and activation_beta")
      }
      found.append(RecurrentActivation(function: function, alpha: alpha, beta: beta))
    }
    return found
  }

  /// The function of `x`.
  func apply(to x: ValueID, _ out: inout RecurrentEmitter, _ name: String) throws(Diagnostic) -> ValueID {
    switch function {
    case .relu: return try out.emit(.unary(.relu), [x], name)
    case .tanh: return try out.emit(.unary(.tanh), [x], name)
    case .sigmoid: return try out.emit(.unary(.sigmoid), [x], name)
    case .leakyrelu: return try out.emit(.unary(.leakyRelu(slope: alpha)), [x], name)
    case .hardsigmoid: return try out.emit(.unary(.hardSigmoid(slope: alpha, shift: beta)), [x], name)
    case .elu: return try out.emit(.unary(.elu(alpha: alpha)), [x], name)
    case .softplus: return try out.emit(.unary(.softplus), [x], name)
    case .thresholdedrelu:
      let above = try out.emit(.binary(.greater), [x, out.number(alpha)], "\(name).above")
      return try out.emit(.select, [above, x, out.number(0)], name)
    case .affine:
      let scaled = try out.emit(.binary(.multiply), [x, out.number(alpha)], "\(name).scaled")
      return try out.emit(.binary(.add), [scaled, out.number(beta)], name)
    case .scaledtanh:
      let scaled = try out.emit(.binary(.multiply), [x, out.number(beta)], "\(name).scaled")
      let bent = try out.emit(.unary(.tanh), [scaled], "\(name).tanh")
      return try out.emit(.binary(.multiply), [bent, out.number(alpha)], name)
    case .softsign:
      let size = try out.emit(.unary(.abs), [x], "\(name).abs")
      let sum = try out.emit(.binary(.add), [size, out.number(1)], "\(name).sum")
      return try out.emit(.binary(.divide), [x, sum], name)
    }
  }
}
