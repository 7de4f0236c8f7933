public import IR
public import Support

/// Every block has a place in a crossbar: each in one of its own, numbered in the order of layers and blocks.
///
/// Spec: ir-spec.md, `place-blocks`.
public struct PlaceBlocks: Pass {
  public typealias L = CrossbarLevel
  public static let name = "place-blocks"
  public static let summary = "every block has a place in a crossbar of its own"
  public static let requires: Set<Fact> = [.sliced, .partitioned]
  public static let establishes: Set<Fact> = [.placed]
  public static let guarantee = Guarantee.exact("")
  public static let options: [PassOption] = []

  public init(_ options: PassOptions) {}

  public func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    var next = 0
    var layers: [(OpID, LayerView)] = []
    for (id, layer) in module.layers {
      var placed = layer
      for index in placed.blocks.indices {
        placed.blocks[index].crossbar = next
        placed.blocks[index].corner = [0, 0]
        next += 1
      }
      layers.append((id, placed))
    }
    module.replaceLayers(layers)
    context.count("crossbars", next)
  }
}
