import Hardware
import IR
public import Mapping
import Support

/// What the index tables of a layer need under one coding.
public struct IndexStorage: Equatable, Sendable {
  /// `delta(k)`, or `absolute`.
  public let coding: String
  /// Entries, padding included.
  public let entries: Int
  /// Bits of all entries.
  public let bits: Int

  /// The storage under delta codings of 1 to 8 bits and under the absolute one, before `encode-indices` inserts any
  /// padding. Empty where no block has an index table.
  public static func table(of layer: Layer) -> [IndexStorage] {
    let tables = layer.indexTables
    if tables.isEmpty { return [] }
    let deltas = (1...8).map { storage(of: tables, .delta(bits: $0)) }
    return deltas + [storage(of: tables, .absolute)]
  }

  /// The sums of several layers, coding by coding.
  public static func sum(_ layers: [[IndexStorage]]) -> [IndexStorage] {
    var sums: [IndexStorage] = []
    for storage in layers.joined() {
      if let at = sums.firstIndex(where: { $0.coding == storage.coding }) {
        sums[at] = IndexStorage(
          coding: storage.coding, entries: sums[at].entries + storage.entries,
          bits: sums[at].bits + storage.bits)
      } else {
        sums.append(storage)
      }
    }
    return sums
  }

  static func storage(of tables: [IndexTable], _ choice: IndexChoice) -> IndexStorage {
    let sizes = tables.map { $0.size(choice) }
    return IndexStorage(
      coding: choice.description, entries: sizes.reduce(0) { $0 + $1.entries },
      bits: sizes.reduce(0) { $0 + $1.bits })
  }
}

/// A way to store index tables.
enum IndexChoice: Hashable, CustomStringConvertible {
  /// Every number with as many bits as the largest needs.
  case absolute
  /// Gaps of `bits` bits; a larger gap takes padding entries (reference: section 2.4).
  case delta(bits: Int)

  var description: String {
    switch self {
    case .absolute: return "absolute"
    case .delta(let bits): return "delta(\(bits))"
    }
  }
}

/// The ascending numbers of one block's wordlines or bitlines, with the coding that they have so far.
struct IndexTable {
  let numbers: [Int]
  let coding: IndexCoding

  /// Entries and bits under `choice`.
  func size(_ choice: IndexChoice) -> (entries: Int, bits: Int) {
    switch choice {
    case .absolute: return (numbers.count, numbers.count * coding.bits)
    case .delta(let bits):
      var entries = numbers.count
      var next = coding.first
      for number in numbers {
        entries += (number - next) >> bits
        next = number + 1
      }
      return (entries, entries * bits)
    }
  }

  /// The numbers with those between them that padding stands for: a gap field is at most `2^bits - 1`, and an entry
  /// with that field means the number after as many left out.
  func padded(bits: Int) -> [Int] {
    var result: [Int] = []
    var next = coding.first
    for number in numbers {
      while (number - next) >> bits > 0 {
        next += 1 << bits
        result.append(next - 1)
      }
      result.append(number)
      next = number + 1
    }
    return result
  }
}

extension Layer {
  /// The absolute index tables of wordlines and bitlines of all blocks.
  var indexTables: [IndexTable] { rowTables + columnTables }

  /// The absolute index tables of wordlines.
  var rowTables: [IndexTable] {
    blocks.compactMap { block in
      block.rowIndex.map { IndexTable(numbers: block.rows.map(\.input), coding: $0) }
    }.filter(\.coding.isAbsolute)
  }

  /// The absolute index tables of bitlines.
  var columnTables: [IndexTable] {
    guard blocks.contains(where: { $0.columnIndex != nil }), let numbering else { return [] }
    return blocks.compactMap { block -> IndexTable? in
      guard let coding = block.columnIndex, let numbers = numbering.numbers(of: block.columns) else {
        return nil
      }
      return IndexTable(numbers: numbers, coding: coding)
    }.filter(\.coding.isAbsolute)
  }
}

extension IndexCoding {
  /// Whether fields are numbers, not gaps.
  var isAbsolute: Bool {
    if case .absolute = self { return true }
    return false
  }
}
