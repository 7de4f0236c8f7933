/// What a file may ask for before memory is taken for it. The standard limits leave room above any network
/// that is in use; a file beyond them is refused with `onnx.limit`.
public struct ONNXLimits: Hashable, Sendable {
  /// How deep messages may nest: a graph in an attribute of a node of a graph is three levels down.
  public var depth = 64
  /// Fields of all messages together.
  public var fields = 64 << 20
  /// Nodes of all graphs together.
  public var nodes = 1 << 20
  /// Tensors of all graphs and attributes together.
  public var tensors = 1 << 20
  /// Attributes of all nodes together.
  public var attributes = 8 << 20
  /// Dimensions of a tensor.
  public var rank = 32
  /// Elements of a tensor.
  public var elements = 1 << 30
  /// External data files with its weights.
  public var externalFiles = 1 << 14
  /// Bytes taken while names, attributes and types are unpacked, all of them together; weights do not count.
  public var unpackedBytes = 1 << 30

  /// The standard limits.
  public init() {}

  /// The standard limits.
  public static let standard = ONNXLimits()
}
