public import Support
public import Tensors

/// The type of a value: an array of elements, with its shape and quantization where known.
///
/// Text form: `tensor<1x20x24x24xu8, scale 0.004, zero 0>`; `tensor<*xf32>` while the shape is not known.
public struct ValueType: Hashable, Sendable {
  /// The type of an element.
  public var element: ElementType
  /// The lengths of the axes; nil before `infer-shapes`.
  public var shape: [Int]?
  /// For quantized values: a real number is `(q - zero) * scale`.
  public var quantization: Quantization?

  /// Creates a type.
  public init(_ element: ElementType, _ shape: [Int]?, _ quantization: Quantization? = nil) {
    self.element = element
    self.shape = shape
    self.quantization = quantization
  }

  /// How many elements there are; 0 while the shape is not known.
  public var count: Int { shape?.reduce(1, *) ?? 0 }
}

/// What a quantized integer stands for: `(q - zero) * scale`.
public struct Quantization: Hashable, Sendable {
  /// The step between neighboring values.
  public var scale: Float
  /// The integer that stands for 0.
  public var zero: Int64

  /// Creates a quantization.
  public init(scale: Float, zero: Int64) {
    self.scale = scale
    self.zero = zero
  }
}

/// A value: the result of an operation, or a buffer at program level.
public struct Value: Equatable, Sendable {
  /// The name without the sigil, unique in the module.
  public var name: String
  /// The type.
  public var type: ValueType

  /// Creates a value.
  public init(name: String, type: ValueType) {
    self.name = name
    self.type = type
  }
}

/// The name of a value in its module.
public typealias ValueID = ID<Value>
/// The name of an operation in its module.
public typealias OpID = ID<Op>

/// An operation of any level.
public struct Op: Equatable, Sendable {
  /// What it does.
  public var opcode: Opcode
  /// The symbol it defines, without the sigil.
  public var symbol: String?
  /// Arguments.
  public var operands: [ValueID]
  /// Values that it defines; at program level, buffers that it writes.
  public var results: [ValueID]
  /// Constants, in the order of the operation's table.
  public var attributes: [NamedAttribute]
  /// The operations of its body, for operations that have one.
  public var body: [OpID]
  /// The ONNX node that it came from.
  public var origin: NodeOrigin?
  /// Where it was in the text that it was parsed from.
  public var position: TextPosition?

  /// Creates an operation.
  public init(
    _ opcode: Opcode, symbol: String? = nil, operands: [ValueID] = [], results: [ValueID] = [],
    attributes: [NamedAttribute] = [], body: [OpID] = [], origin: NodeOrigin? = nil,
    position: TextPosition? = nil
  ) {
    self.opcode = opcode
    self.symbol = symbol
    self.operands = operands
    self.results = results
    self.attributes = attributes
    self.body = body
    self.origin = origin
    self.position = position
  }

  /// The attribute called `name`; setting replaces it, adds it at the end, or removes it. For printer, parser and
  /// verifier; who knows which attribute it wants takes its key.
  public subscript(name: String) -> Attribute? {
    get { attributes.first { $0.name == name }?.value }
    set {
      if let at = attributes.firstIndex(where: { $0.name == name }) {
        if let newValue { attributes[at].value = newValue } else { attributes.remove(at: at) }
      } else if let newValue {
        attributes.append(NamedAttribute(name, newValue))
      }
    }
  }

  /// Where a message about this operation points: its text if it was parsed, its ONNX node otherwise.
  public var location: Location {
    if let position { return Location(.text(position)) }
    if let origin { return Location(.node(origin)) }
    return Location(.item(symbol.map { "@\($0)" } ?? opcode.rawValue))
  }
}

/// An attribute with its name.
public struct NamedAttribute: Equatable, Sendable {
  /// The name.
  public var name: String
  /// The value.
  public var value: Attribute

  /// Creates a named attribute.
  public init(_ name: String, _ value: Attribute) {
    self.name = name
    self.value = value
  }
}
