import Glibc
import Support

/// A block of zeroed bytes, aligned to a page, freed with its last reference.
final class Memory {
  /// The first byte.
  let base: UnsafeMutableRawPointer
  /// How many bytes there are.
  let count: Int

  /// Takes `count` bytes; throws `execute.memory` where the system gives none.
  init(_ count: Int) throws(Diagnostic) {
    let size = max(count, 1)
    guard let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapped != MAP_FAILED
    else {
      throw Diagnostic("execute.memory", "cannot take \(size) bytes of memory: \(errorText(errno))")
    }
    base = mapped
    self.count = size
  }

  deinit { munmap(base, count) }
}

/// Arrays that the kernels work on; each grows to the largest size asked for and is used again.
struct Scratch {
  /// What an array is for.
  enum Slot: Int, CaseIterable {
    case positive, negative, digitCounts
    case nibbles, active, tables, squareTables, levelTables, sums, entries, unitStarts, digitStarts
    case windowNumbers, panel, positivePanel, negativePanel, planes, unitNumbers, unitCounts, activations
    case bytePanel, byteRows, levels
  }

  private var arrays = [Memory?](repeating: nil, count: Slot.allCases.count)

  /// The array for `slot` with room for `count` elements; its contents are undefined.
  mutating func take<T>(_ slot: Slot, _ count: Int, of type: T.Type = T.self) throws(Diagnostic)
    -> UnsafeMutablePointer<T>
  {
    let bytes = count * MemoryLayout<T>.stride
    if let array = arrays[slot.rawValue], array.count >= bytes {
      return array.base.assumingMemoryBound(to: type)
    }
    let array = try Memory(bytes + bytes / 4 + 4096)
    arrays[slot.rawValue] = array
    return array.base.assumingMemoryBound(to: type)
  }
}
