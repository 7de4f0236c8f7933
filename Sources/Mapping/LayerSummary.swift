/// What is left of a layer once it went to the program: all that passes see which look at the whole network.
public struct LayerSummary: Equatable, Sendable {
  /// The layer's name.
  public let name: String
  /// The crossbars that its blocks lie in.
  public let crossbars: Set<Int>

  /// Sums up a layer.
  public init(_ layer: Layer) {
    name = layer.name
    crossbars = Set(layer.blocks.lazy.compactMap { $0.placement?.crossbar })
  }
}
