public import Support

/// A node: an operator with the names of its inputs and outputs.
public struct ONNXNode: Sendable {
  /// Position in its graph, counted from 0.
  public var index: Int
  /// The name; may be empty.
  public var name: String
  /// The operator type, such as `Conv`; never empty.
  public var op: String
  /// The operator's domain; empty for the standard operators, also where the file says `ai.onnx`.
  public var domain: String
  /// Which of several functions of one name the node calls; mostly empty.
  public var overload: String
  /// Names of the inputs; an empty name is an input left out.
  public var inputs: [String]
  /// Names of the outputs; an empty name is an output left out.
  public var outputs: [String]
  /// The attributes in file order, with distinct names.
  public var attributes: [ONNXAttribute]
  /// Where it is noted which attributes are looked at; nil where nobody asks.
  public var reads: AttributeReads?

  /// Creates a node.
  public init(
    index: Int, name: String = "", op: String, domain: String = "", inputs: [String] = [],
    outputs: [String] = [],
    attributes: [ONNXAttribute] = [], overload: String = ""
  ) {
    self.index = index
    self.name = name
    self.op = op
    self.domain = domain
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
    self.overload = overload
  }

  /// What messages about this node point to.
  public var origin: NodeOrigin { NodeOrigin(index: index, name: name, op: op) }

  /// The attribute called `name`, or nil.
  public func attribute(_ name: String) -> ONNXAttribute? {
    reads?.note(name)
    return attributes.first { $0.name == name }
  }
}

// Typed look-ups: nil where the node has no such attribute, `onnx.attribute-type` where it has another type. The
// location names the node but no file: a caller adds it with `inFile`.
extension ONNXNode {
  /// The integer called `name`, or nil.
  public func int(_ name: String) throws(Diagnostic) -> Int? {
    guard let value = attribute(name)?.value else { return nil }
    guard case .int(let found) = value else { throw wrongType(name, value, "an int") }
    return Int(clamping: found)
  }

  /// The number called `name`, or nil.
  public func float(_ name: String) throws(Diagnostic) -> Float? {
    guard let value = attribute(name)?.value else { return nil }
    guard case .float(let found) = value else { throw wrongType(name, value, "a float") }
    return found
  }

  /// The text called `name`, or nil.
  public func string(_ name: String) throws(Diagnostic) -> String? {
    guard let value = attribute(name)?.value else { return nil }
    guard case .string(let found) = value else { throw wrongType(name, value, "a string") }
    return found
  }

  /// The tensor called `name`, or nil.
  public func tensor(_ name: String) throws(Diagnostic) -> ONNXTensor? {
    guard let value = attribute(name)?.value else { return nil }
    guard case .tensor(let found) = value else { throw wrongType(name, value, "a tensor") }
    return found
  }

  /// The graph called `name`, or nil.
  public func graph(_ name: String) throws(Diagnostic) -> ONNXGraph? {
    guard let value = attribute(name)?.value else { return nil }
    guard case .graph(let found) = value else { throw wrongType(name, value, "a graph") }
    return found
  }

  /// The list of integers called `name`, or nil.
  public func ints(_ name: String) throws(Diagnostic) -> [Int]? {
    guard let value = attribute(name)?.value else { return nil }
    guard case .ints(let found) = value else { throw wrongType(name, value, "a list of ints") }
    return found.map { Int(clamping: $0) }
  }

  /// The list of numbers called `name`, or nil.
  public func floats(_ name: String) throws(Diagnostic) -> [Float]? {
    guard let value = attribute(name)?.value else { return nil }
    guard case .floats(let found) = value else { throw wrongType(name, value, "a list of floats") }
    return found
  }

  /// The list of texts called `name`, or nil.
  public func strings(_ name: String) throws(Diagnostic) -> [String]? {
    guard let value = attribute(name)?.value else { return nil }
    guard case .strings(let found) = value else { throw wrongType(name, value, "a list of strings") }
    return found
  }

  private func wrongType(_ name: String, _ value: ONNXAttribute.Value, _ expected: String) -> Diagnostic {
    Diagnostic(
      "onnx.attribute-type", "attribute '\(name)' is \(value.kind), expected \(expected)",
      at: Location(.node(origin)),
      notes: ["the exporter wrote a node that is not valid ONNX: export the model again"])
  }
}

/// An attribute of a node.
public struct ONNXAttribute: Sendable {
  /// What an attribute holds.
  public enum Value: Sendable {
    /// An integer.
    case int(Int64)
    /// A number.
    case float(Float)
    /// A text.
    case string(String)
    /// Bytes that are not a UTF-8 text.
    case bytes([UInt8])
    /// A tensor, read in place.
    case tensor(ONNXTensor)
    /// A graph, such as a branch of `If`.
    case graph(ONNXGraph)
    /// A list of integers.
    case ints([Int64])
    /// A list of numbers.
    case floats([Float])
    /// A list of texts.
    case strings([String])
    /// Inside a function: the value that the call gives its attribute of this name.
    case reference(String)
    /// Something that this reader does not read, in words such as `a sparse tensor`.
    case unsupported(String)
  }

  /// The name; never empty.
  public var name: String
  /// What it holds.
  public var value: Value

  /// Creates an attribute.
  public init(name: String, value: Value) {
    self.name = name
    self.value = value
  }
}

extension ONNXAttribute.Value {
  /// The kind of value in words, such as `a list of ints`.
  public var kind: String {
    switch self {
    case .int: "an int"
    case .float: "a float"
    case .string: "a string"
    case .bytes: "a string that is not UTF-8"
    case .tensor: "a tensor"
    case .graph: "a graph"
    case .ints: "a list of ints"
    case .floats: "a list of floats"
    case .strings: "a list of strings"
    case .reference: "a reference to an attribute of a function"
    case .unsupported(let words): words
    }
  }
}
