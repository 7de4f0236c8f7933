/// How many bytes `count` cells of `bits` bits need.
func packedCellBytes(_ count: Int, bits: Int) -> Int { (count * bits + 7) / 8 }

/// Packs cell levels of `bits` bits into a stream of bits, the first cell in the lowest bits of the first byte;
/// the rest of the last byte is zero.
func packCells(_ cells: [UInt8], bits: Int) -> [UInt8] {
  if bits == 8 { return cells }
  var packed: [UInt8] = []
  packed.reserveCapacity(packedCellBytes(cells.count, bits: bits))
  var pending: UInt32 = 0
  var filled = 0
  for cell in cells {
    pending |= UInt32(cell) << UInt32(truncatingIfNeeded: filled)
    filled += bits
    while filled >= 8 {
      packed.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      filled -= 8
    }
  }
  if filled > 0 { packed.append(UInt8(truncatingIfNeeded: pending)) }
  return packed
}

/// Reverses `packCells`; nil where the rest of the last byte is not zero. `packed` must have the bytes of `count` cells.
func unpackCells(_ packed: UnsafeRawBufferPointer, count: Int, bits: Int) -> [UInt8]? {
  if bits == 8 { return Array(packed) }
  let mask = (UInt32(1) << UInt32(truncatingIfNeeded: bits)) - 1
  var pending: UInt32 = 0
  let cells = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    var filled = 0
    var next = 0
    for index in 0..<count {
      if filled < bits {
        pending |= UInt32(packed[next]) << UInt32(truncatingIfNeeded: filled)
        next += 1
        filled += 8
      }
      buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: pending & mask))
      pending >>= UInt32(truncatingIfNeeded: bits)
      filled -= bits
    }
    initialized = count
  }
  return pending == 0 ? cells : nil
}
