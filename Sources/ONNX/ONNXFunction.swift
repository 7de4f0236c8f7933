/// A function that a model defines for itself: nodes that stand for one node.
public struct ONNXFunction: Sendable {
  /// What tells a function from all others of a model, and which of them a node calls.
  public struct Key: Hashable, Sendable {
    /// The domain under which nodes call it; empty for the standard one.
    public var domain: String
    /// The operator type under which nodes call it.
    public var name: String
    /// Tells functions of one name apart; mostly empty.
    public var overload: String

    /// Creates a key.
    public init(domain: String, name: String, overload: String = "") {
      self.domain = domain
      self.name = name
      self.overload = overload
    }
  }

  /// Its name.
  public var key: Key
  /// The names of its inputs inside the body.
  public var inputs: [String]
  /// The names of its outputs inside the body.
  public var outputs: [String]
  /// Attributes that have no value unless a call gives one.
  public var attributes: [String]
  /// Attributes with the values that they have unless a call gives others.
  public var defaults: [ONNXAttribute]
  /// The body; its attributes may refer to those of a call (`ONNXAttribute.Value.reference`).
  public var nodes: [ONNXNode]
  /// The operator sets of the body, in file order.
  public var opsets: [ONNXOpset]

  /// Creates a function.
  public init(
    _ key: Key, inputs: [String], outputs: [String], attributes: [String] = [],
    defaults: [ONNXAttribute] = [], nodes: [ONNXNode], opsets: [ONNXOpset] = []
  ) {
    self.key = key
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
    self.defaults = defaults
    self.nodes = nodes
    self.opsets = opsets
  }

  /// The version that the body asks for of the operator set `domain`, or nil.
  public func opset(domain: String = "") -> Int? { opsets.first { $0.domain == domain }?.version }
}

extension ONNXFunction.Key: CustomStringConvertible {
  /// `domain.name`, or `domain.name:overload`.
  public var description: String {
    (domain.isEmpty ? name : "\(domain).\(name)") + (overload.isEmpty ? "" : ":\(overload)")
  }
}

extension ONNXNode {
  /// The function that the node calls, if the model defines one of this name.
  public var functionKey: ONNXFunction.Key {
    ONNXFunction.Key(domain: domain, name: op, overload: overload)
  }
}
