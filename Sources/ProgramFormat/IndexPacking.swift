import Hardware

/// How many bytes `count` fields of `bits` bits need, filled up to words of 4 bytes.
func packedFieldBytes(_ count: Int, bits: Int) -> Int { (count * bits + 31) / 32 * 4 }

/// Packs index fields into a stream of bits, the first field in the lowest bits of the first byte, filled up with zeros
/// to a whole number of words.
func packFields(_ fields: [Int], bits: Int) -> [UInt8] {
  var packed: [UInt8] = []
  let size = packedFieldBytes(fields.count, bits: bits)
  packed.reserveCapacity(size)
  var pending: UInt64 = 0
  var filled = 0
  for field in fields {
    pending |= UInt64(field) << UInt64(filled)
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

/// Reverses `packFields`; nil where the filling is not zero. `packed` must have the bytes of `count` fields.
func unpackFields(_ packed: UnsafeRawBufferPointer, count: Int, bits: Int) -> [Int]? {
  var fields: [Int] = []
  fields.reserveCapacity(count)
  var pending: UInt64 = 0
  var filled = 0
  let mask = UInt64(1) << UInt64(bits) - 1
  for byte in packed {
    pending |= UInt64(byte) << UInt64(filled)
    filled += 8
    while filled >= bits, fields.count < count {
      fields.append(Int(pending & mask))
      pending >>= UInt64(bits)
      filled -= bits
    }
    if fields.count == count && pending != 0 { return nil }
  }
  return fields
}

/// The code of an index table in the binary; 0 is a plain list.
func code(of index: IndexCoding?) -> Int {
  switch index {
  case nil: return 0
  case .absolute: return 1
  case .delta: return 2
  }
}
