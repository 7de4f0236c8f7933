public import Support

/// A version of an operator set that a model asks for.
public struct ONNXOpset: Hashable, Sendable {
  /// The domain; empty for the standard operators, also where the file says `ai.onnx`.
  public var domain: String
  /// The version.
  public var version: Int

  /// Creates an entry.
  public init(domain: String, version: Int) {
    self.domain = domain
    self.version = version
  }
}

/// A pair of texts that the writer of a model attached to it.
public struct ONNXMetadata: Hashable, Sendable {
  /// What the value is.
  public var key: String
  /// The value.
  public var value: String

  /// Creates an entry.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// A model as its file states it: checked for form and size, not for meaning.
public struct ONNXModel: Sendable {
  /// The path as the user gave it.
  public var path: String
  /// The version of the file format.
  public var irVersion: Int
  /// The operator sets asked for, in file order.
  public var opsets: [ONNXOpset]
  /// The program that wrote the file and its version; empty where unknown.
  public var producer: String
  /// The graph that computes the model's outputs.
  public var graph: ONNXGraph
  /// The functions that the file defines, with distinct keys: a node that names one stands for its body.
  public var functions: [ONNXFunction]
  /// What the writer attached.
  public var metadata: [ONNXMetadata]
  /// The inputs that elements of tensors are read from when they are asked for: the model's own first.
  var inputs: [InputFile] = []

  /// Creates a model.
  public init(
    path: String = "", irVersion: Int, opsets: [ONNXOpset], producer: String = "", graph: ONNXGraph,
    functions: [ONNXFunction] = [], metadata: [ONNXMetadata] = []
  ) {
    self.path = path
    self.irVersion = irVersion
    self.opsets = opsets
    self.producer = producer
    self.graph = graph
    self.functions = functions
    self.metadata = metadata
  }

  /// The paths of the files next to the model that hold elements, without links.
  public var dataFiles: [String] { inputs.dropFirst().map(\.path) }

  /// Throws `io.changed` where a file of the model was changed since it was read; for when the last tensor was read.
  public func checkUnchanged() throws(Diagnostic) {
    for input in inputs { try input.checkUnchanged() }
  }

  /// The version asked for of the operator set `domain`, or nil.
  public func opset(domain: String = "") -> Int? {
    opsets.first { $0.domain == domain }?.version
  }
}

/// A graph: nodes in file order, with the tensors and the values they name.
public struct ONNXGraph: Sendable {
  /// The graph's name; may be empty.
  public var name: String
  /// The nodes in file order, which the format asks to be an order of evaluation; that is not checked here.
  public var nodes: [ONNXNode]
  /// The constant tensors in file order, with distinct names.
  public var initializers: [ONNXTensor]
  /// The inputs. Initializers may be among them: then they are defaults.
  public var inputs: [ONNXValueInfo]
  /// The outputs.
  public var outputs: [ONNXValueInfo]
  /// What the file says about values between nodes.
  public var valueInfo: [ONNXValueInfo]

  /// Creates a graph.
  public init(
    name: String = "", nodes: [ONNXNode], initializers: [ONNXTensor] = [], inputs: [ONNXValueInfo] = [],
    outputs: [ONNXValueInfo] = [], valueInfo: [ONNXValueInfo] = []
  ) {
    self.name = name
    self.nodes = nodes
    self.initializers = initializers
    self.inputs = inputs
    self.outputs = outputs
    self.valueInfo = valueInfo
  }
}

/// One dimension of a value.
public enum ONNXDimension: Hashable, Sendable {
  /// Its size is known; never negative.
  case fixed(Int)
  /// Its size is open, and equal for equal names.
  case named(String)
  /// Its size is open.
  case unknown
}

/// What a file says about a value.
public struct ONNXValueInfo: Hashable, Sendable {
  /// The value's name.
  public var name: String
  /// The element type; nil where the file names none or the value is not a tensor.
  public var elementType: ONNXElementType?
  /// The shape; nil where the file gives none or the value is not a tensor.
  public var shape: [ONNXDimension]?
  /// The kind of a value that is not a tensor, such as `sequence`; nil otherwise.
  public var otherType: String?

  /// Creates the description of a value.
  public init(
    name: String, elementType: ONNXElementType? = nil, shape: [ONNXDimension]? = nil, otherType: String? = nil
  ) {
    self.name = name
    self.elementType = elementType
    self.shape = shape
    self.otherType = otherType
  }
}
