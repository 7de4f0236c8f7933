import IR
import Support

/// Every block has a place in a crossbar: each in one of its own, numbered in the order of layers and blocks.
///
/// Spec: ir-spec.md, `place-blocks`.
struct PlaceBlocks: Pass {
  typealias L = CrossbarLevel
  static let name = "place-blocks"
  static let summary = "every block has a place in a crossbar of its own"
  static let requires: Set<Fact> = [.sliced, .partitioned]
  static let establishes: Set<Fact> = [.placed]
  static let guarantee = Guarantee.exact("")
  static let options: [PassOption] = []

  init(_ options: PassOptions) {}

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
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
