import CKernels
import Hardware
import Mapping
import ProgramFormat
import Support

/// How a layer's zero-skipping and dynamic units are counted: as bits of planes that tell which digits are not 0.
///
/// A dynamic block needs `ceil(n / height)` wordline vectors for n digits that are not 0. So does a unit of a
/// zero-skipping block, as n is at most its height: one where it is active, else none.
struct UnitCounts: Sendable {
  /// The words of a plane: runs of inputs with a shift, those in use.
  let words: [xbar_plane_word]
  /// Planes, one for each digit; higher digits of every wordline are 0.
  let digits: Int
  /// Masks of all groups: a number of a word, and its bits.
  let maskWords: [UInt32]
  let masks: [UInt64]
  let groups: [CountedGroup]
  /// Activations of the fixed blocks of each of the layer's crossbars in a pass.
  let fixedActivations: [Int]

  /// Nil where all units are fixed.
  init?(_ layer: Layer, _ program: Program) {
    let blocks = layer.blocks.filter { !$0.formedUnits.isFixed }
    guard !blocks.isEmpty else { return nil }
    var table = MaskTable()
    let places = crossbarPlaces(layer, program)
    var groups: [CountedGroup] = []
    var numbers: [GroupKey: Int] = [:]
    for block in blocks {
      let key = GroupKey(
        rows: block.rows, height: block.formedUnits.height, isDynamic: block.formedUnits.isDynamic)
      let number = numbers[key] ?? groups.count
      if number == groups.count {
        numbers[key] = number
        let step = key.isDynamic ? block.rows.count : key.height
        var units: [CountedUnit] = []
        for first in stride(from: 0, to: block.rows.count, by: step) {
          let rows = block.rows[first..<min(first + step, block.rows.count)]
          units.append(CountedUnit(masks: table.add(rows), height: key.height))
        }
        groups.append(CountedGroup(isDynamic: key.isDynamic, units: units))
      }
      groups[number].add(block, place: places[block.crossbar] ?? 0, composed: layer.bitlinesPerConversion)
    }
    self.groups = groups
    maskWords = table.maskWords
    masks = table.masks
    words = table.words.map { word in
      xbar_plane_word(
        input: UInt32(64 * word.number), count: UInt32(min(64, layer.rows - 64 * word.number)),
        shift: UInt32(word.shift))
    }
    digits = blocks.reduce(0) { max($0, layer.digits(of: $1)) }
    fixedActivations = activationsOfPass(layer, program, places)
  }

  private struct GroupKey: Hashable {
    let rows: [RowEntry]
    let height: Int
    let isDynamic: Bool
  }
}

/// Takes wordlines apart into masks; numbers the words of planes in order of their first use.
private struct MaskTable {
  struct Word: Hashable {
    /// Inputs `64 * number ...`.
    let number: Int
    let shift: Int
  }

  private(set) var words: [Word] = []
  private(set) var maskWords: [UInt32] = []
  private(set) var masks: [UInt64] = []
  private var numbers: [Word: Int] = [:]

  /// Adds the masks of `rows` and tells where they are: where two wordlines have the same input and shift, the second
  /// one gets a mask of its own.
  mutating func add(_ rows: ArraySlice<RowEntry>) -> Range<Int> {
    let first = masks.count
    var latest: [Int: Int] = [:]
    for row in rows {
      let word = number(of: row)
      let bit = UInt64(1) << UInt64(row.input % 64)
      if let place = latest[word], masks[place] & bit == 0 {
        masks[place] |= bit
      } else {
        latest[word] = masks.count
        maskWords.append(UInt32(truncatingIfNeeded: word))
        masks.append(bit)
      }
    }
    return first..<masks.count
  }

  private mutating func number(of row: RowEntry) -> Int {
    let word = Word(number: row.input / 64, shift: row.shift)
    if let number = numbers[word] { return number }
    numbers[word] = words.count
    words.append(word)
    return words.count - 1
  }
}

/// Wordlines whose active ones are read `height` at a time.
struct CountedUnit: Sendable {
  /// A range of `UnitCounts.masks`.
  let masks: Range<Int>
  let height: Int
}

/// Skipping or dynamic blocks with the same wordline inputs and unit height.
struct CountedGroup: Sendable {
  let isDynamic: Bool
  /// All wordlines of dynamic blocks, or those of each unit of zero-skipping blocks.
  let units: [CountedUnit]
  /// For each block, the place of its crossbar among those of the layer, and its units side by side.
  private(set) var members: [(place: Int, unitColumns: Int)] = []
  /// Units side by side, of all blocks.
  private(set) var unitColumns = 0
  /// Conversions of the units side by side, of all blocks.
  private(set) var conversions = 0

  init(isDynamic: Bool, units: [CountedUnit]) {
    self.isDynamic = isDynamic
    self.units = units
  }

  fileprivate mutating func add(_ block: Block, place: Int, composed: Int) {
    let columns = ceilDivide(block.columns.count, block.formedUnits.width)
    members.append((place: place, unitColumns: columns))
    unitColumns += columns
    conversions += block.columns.count / composed
  }
}
