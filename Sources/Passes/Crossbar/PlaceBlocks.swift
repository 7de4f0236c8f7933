import Hardware
import IR
import Mapping
import Support

/// Every block has a place in a crossbar, numbered in the order of layers: in one of its own, or together with others
/// of its layer, which share their units evenly among as few crossbars as they need. Spec: ir-spec.md, `place-blocks`.
struct PlaceBlocks: LayerPass {
  typealias L = CrossbarLevel
  static let name = "place-blocks"
  static let summary = "every block has a place in a crossbar; layers share no crossbar"
  static let requires: Set<Fact> = [.sliced, .partitioned]
  // Segments are formed of the crossbars that layers take.
  static let invalidates: Set<Fact> = [.scheduled]
  static let establishes: Set<Fact> = [.placed]
  static let keepsCells = true
  static let guarantee = Guarantee.exact("")
  private static let packingOption = PassOption.choice(
    "packing", default: Packing.exclusive,
    "each block in a crossbar of its own; side by side; stacked; or in shelves, rows of blocks"
  )
  static let options = [packingOption.spec]

  private let packing: Packing

  init(_ options: PassOptions) {
    packing = options[Self.packingOption]
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let places = packing.places(of: layer.blocks, try setting.requiredMachine().array)
    for (index, place) in places.enumerated() {
      layer.blocks[index].placement = place
      layer.blocks[index].placement?.crossbar += setting.crossbars
    }
    return [("crossbars", (places.map(\.crossbar).max() ?? -1) + 1)]
  }
}

/// How blocks of a layer share crossbars, which are numbered within the layer.
private enum Packing: String, OptionWord {
  case exclusive
  case sideBySide = "side-by-side"
  case stacked, shelf

  static let formerWords: [String: Packing] = [
    "alone": .exclusive, "beside": .sideBySide, "below": .stacked, "rows": .shelf,
  ]

  func places(of blocks: [Block], _ array: ArrayDescription) -> [Placement] {
    switch self {
    case .exclusive: return blocks.indices.map { Placement(crossbar: $0) }
    case .sideBySide:
      let pieces = longestRun(blocks) { $1.rowIndex != nil && $0.columns == $1.columns }
      return line(blocks, blocks.map(\.columns.count), array.columns, atLeast: pieces).map {
        Placement(crossbar: $0.0, column: $0.1)
      }
    case .stacked:
      let pieces = longestRun(blocks) { $1.columnIndex != nil && $0.rows == $1.rows }
      return line(blocks, blocks.map(\.rows.count), array.rows, atLeast: pieces).map {
        Placement(crossbar: $0.0, row: $0.1)
      }
    case .shelf: return rowsOfBlocks(blocks, array)
    }
  }

  /// How many neighbors are alike, at most: pieces of one strip that was too long for a crossbar.
  private func longestRun(_ blocks: [Block], _ alike: (Block, Block) -> Bool) -> Int {
    var (longest, run) = (0, 0)
    for (index, block) in blocks.enumerated() {
      run = index > 0 && alike(blocks[index - 1], block) ? run + 1 : 1
      longest = max(longest, run)
    }
    return longest
  }

  /// The crossbar of each block and what lies before it there, for blocks of these lengths in crossbars of `capacity`:
  /// as few crossbars as the blocks fill, but as many as a strip has pieces, which are read at the same time.
  private func line(_ blocks: [Block], _ lengths: [Int], _ capacity: Int, atLeast pieces: Int) -> [(
    Int, Int
  )] {
    let filled = fill(lengths, capacity)
    let count = max((filled.last ?? -1) + 1, pieces)
    let crossbars = deal(blocks, among: count)
    var used = [Int](repeating: 0, count: count)
    for (crossbar, length) in zip(crossbars, lengths) { used[crossbar] += length }
    // Blocks of different lengths may need the order in which they filled the crossbars.
    let chosen = used.allSatisfy { $0 <= capacity } ? crossbars : filled
    var start = [Int](repeating: 0, count: count)
    return zip(chosen, lengths).map { crossbar, length in
      defer { start[crossbar] += length }
      return (crossbar, start[crossbar])
    }
  }

  /// One crossbar after the other, each as full as it gets.
  private func fill(_ lengths: [Int], _ capacity: Int) -> [Int] {
    var (crossbar, used) = (0, 0)
    return lengths.map { length in
      if used + length > capacity { (crossbar, used) = (crossbar + 1, 0) }
      used += length
      return crossbar
    }
  }

  /// Deals blocks out to `count` crossbars forth and back, those of the most units first.
  private func deal(_ blocks: [Block], among count: Int) -> [Int] {
    let units = blocks.map { block in
      block.units.map { ceilDivide(block.rows.count, $0.height) * ceilDivide(block.columns.count, $0.width) }
        ?? 0
    }
    var crossbars = [Int](repeating: 0, count: blocks.count)
    let order = blocks.indices.sorted { (-units[$0], $0) < (-units[$1], $1) }
    for (turn, block) in order.enumerated() {
      let place = turn % (2 * count)
      crossbars[block] = place < count ? place : 2 * count - 1 - place
    }
    return crossbars
  }

  /// Blocks side by side, then the next row of blocks below the highest of them.
  private func rowsOfBlocks(_ blocks: [Block], _ array: ArrayDescription) -> [Placement] {
    var next = Placement(crossbar: 0)
    var height = 0
    return blocks.map { block in
      if next.column + block.columns.count > array.columns {
        next = Placement(crossbar: next.crossbar, row: next.row + height)
        height = 0
      }
      if next.row + block.rows.count > array.rows {
        next = Placement(crossbar: next.crossbar + 1)
        height = 0
      }
      defer { next.column += block.columns.count }
      height = max(height, block.rows.count)
      return next
    }
  }
}
