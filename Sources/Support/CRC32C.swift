/// The CRC-32C (Castagnoli) checksum, reflected, polynomial 0x1EDC6F41, as used by iSCSI (RFC 3720).
public struct CRC32C: Sendable {
  /// Eight tables in a row: `table[256 * k + b]` is byte `b` and `k` zero bytes ("slicing by eight").
  private static let table: [UInt32] = {
    var tables = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: 8)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
      tables[0][byte] = crc
    }
    for k in 1..<8 {
      for byte in 0..<256 {
        let previous = tables[k - 1][byte]
        tables[k][byte] = (previous >> 8) ^ tables[0][Int(previous & 0xFF)]
      }
    }
    return tables.flatMap { $0 }
  }()

  /// The checksum of `bytes`, after bytes whose checksum is `before`.
  public static func checksum(_ bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      var crc = ~before
      var at = 0
      while at + 8 <= bytes.count {
        let word =
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for k in 0..<8 {
          crc ^= table[(7 - k) * 256 + Int((word >> UInt64(8 * k)) & 0xFF)]
        }
        at += 8
      }
      while at < bytes.count {
        crc = (crc >> 8) ^ table[Int((crc ^ UInt32(bytes[at])) & 0xFF)]
        at += 1
      }
      return ~crc
    }
  }

  /// The checksum of `bytes`.
  public static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { checksum($0) }
  }
}
