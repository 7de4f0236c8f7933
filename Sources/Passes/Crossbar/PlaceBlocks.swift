import Hardware
import IR
import Support

/// Every block has a place in a crossbar, numbered in the order of layers and blocks: in one of its own, or together with
/// others of its layer. Spec: ir-spec.md, `place-blocks`.
struct PlaceBlocks: Pass {
  typealias L = CrossbarLevel
  static let name = "place-blocks"
  static let summary = "every block has a place in a crossbar; layers share no crossbar"
  static let requires: Set<Fact> = [.sliced, .partitioned]
  static let establishes: Set<Fact> = [.placed]
  static let guarantee = Guarantee.exact("")
  static let options = [
    PassOption(
      "packing", .word(Packing.allCases.map(\.rawValue)), default: .word(Packing.alone.rawValue),
      "each block in a crossbar of its own; beside others; below others; or in rows of blocks")
  ]

  private let packing: Packing

  init(_ options: PassOptions) {
    packing = Packing(rawValue: options.word("packing")) ?? .alone
  }

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    let array = try module.requiredMachine().array
    var next = 0
    var layers: [(OpID, LayerView)] = []
    for (id, layer) in module.layers {
      var placed = layer
      var crossbars: [OpenCrossbar] = []
      for index in placed.blocks.indices {
        let block = placed.blocks[index]
        let size = (rows: block.rows.count, columns: block.columns.count)
        let place = place(size, in: &crossbars, array)
        placed.blocks[index].crossbar = next + place.crossbar
        placed.blocks[index].corner = place.corner
      }
      next += crossbars.count
      layers.append((id, placed))
    }
    module.replaceLayers(layers)
    context.count("crossbars", next)
  }

  /// First fit: the first crossbar that has room, or a new one.
  private func place(
    _ size: (rows: Int, columns: Int), in crossbars: inout [OpenCrossbar], _ array: ArrayDescription
  ) -> (crossbar: Int, corner: [Int]) {
    if packing != .alone {
      for index in crossbars.indices.suffix(Packing.openCrossbars) {
        if let corner = crossbars[index].take(size, packing, array) { return (index, corner) }
      }
    }
    crossbars.append(OpenCrossbar(size))
    return (crossbars.count - 1, [0, 0])
  }
}

/// How blocks of a layer share crossbars.
private enum Packing: String, CaseIterable {
  case alone, beside, below, rows

  /// How many of the crossbars begun last are looked at for room.
  static let openCrossbars = 64
}

/// A crossbar with room: a row of blocks side by side is open, from wordline `top` on.
private struct OpenCrossbar {
  var top = 0
  /// Wordlines of the highest block of the row.
  var height: Int
  /// Bitlines of the row that are taken.
  var width: Int

  init(_ size: (rows: Int, columns: Int)) {
    height = size.rows
    width = size.columns
  }

  /// The corner for a block of `size`; nil where there is no room.
  mutating func take(_ size: (rows: Int, columns: Int), _ packing: Packing, _ array: ArrayDescription)
    -> [Int]?
  {
    if packing != .below, width + size.columns <= array.columns, top + size.rows <= array.rows {
      let corner = [top, width]
      width += size.columns
      height = max(height, size.rows)
      return corner
    }
    guard packing != .beside, top + height + size.rows <= array.rows else { return nil }
    top += height
    height = size.rows
    width = size.columns
    return [top, 0]
  }
}
