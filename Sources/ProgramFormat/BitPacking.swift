import Mapping

/// How many bytes `count` values of `bits` bits need.
func packedBytes(_ count: Int, bits: Int) -> Int { (count * bits + 7) / 8 }

/// The same, filled up to words of 4 bytes.
func packedWordBytes(_ count: Int, bits: Int) -> Int { (count * bits + 31) / 32 * 4 }

/// Packs `values` of `bits` bits, 0 ... 32, into a stream of bits, the first value in the lowest bits of the first
/// byte, filled up with zeros to `size` bytes.
func packBits<T: BinaryInteger>(_ values: [T], bits: Int, size: Int) -> [UInt8] {
  var packed: [UInt8] = []
  packed.reserveCapacity(size)
  var pending: UInt64 = 0
  var filled = 0
  for value in values {
    pending |= UInt64(truncatingIfNeeded: value) << UInt64(truncatingIfNeeded: filled)
    filled += bits
    while filled >= 8 {
      packed.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      filled -= 8
    }
  }
  if filled > 0 { packed.append(UInt8(truncatingIfNeeded: pending)) }
  packed += [UInt8](repeating: 0, count: size - packed.count)
  return packed
}

/// Packs the levels of cells of `bits` bits, 1 ... 8, as `packBits` does.
func packLevels(_ levels: [UInt8], bits: Int) -> [UInt8] {
  let size = packedBytes(levels.count, bits: bits)
  guard 8 % bits == 0 else { return packBits(levels, bits: bits, size: size) }
  let share = 8 / bits
  return [UInt8](unsafeUninitializedCapacity: size) { packed, used in
    levels.withUnsafeBufferPointer { levels in
      for index in 0..<size {
        var byte: UInt8 = 0
        let start = index * share
        for place in start..<min(start + share, levels.count) {
          byte |= levels[place] << UInt8(truncatingIfNeeded: (place - start) * bits)
        }
        packed[index] = byte
      }
    }
    used = size
  }
}

/// Reverses `packBits`; nil where the filling is not zero. `packed` must have the bytes of `count` values.
func unpackBits<T: FixedWidthInteger>(_ packed: UnsafeRawBufferPointer, count: Int, bits: Int) -> [T]? {
  let mask = UInt64(1) << UInt64(truncatingIfNeeded: bits) - 1
  var pending: UInt64 = 0
  var next = 0
  let values = [T](unsafeUninitializedCapacity: count) { buffer, initialized in
    var filled = 0
    for index in 0..<count {
      while filled < bits {
        pending |= UInt64(packed[next]) << UInt64(truncatingIfNeeded: filled)
        next += 1
        filled += 8
      }
      buffer.initializeElement(at: index, to: T(truncatingIfNeeded: pending & mask))
      pending >>= UInt64(truncatingIfNeeded: bits)
      filled -= bits
    }
    initialized = count
  }
  return pending == 0 && packed[next...].allSatisfy { $0 == 0 } ? values : nil
}

/// The code of lines that are a run of those in use by the masks of their layer.
let runCode = 3

/// The code of an index table in the binary; 0 is a plain list.
func code(of index: IndexCoding?) -> Int {
  switch index {
  case nil: return 0
  case .absolute: return 1
  case .delta: return 2
  }
}
