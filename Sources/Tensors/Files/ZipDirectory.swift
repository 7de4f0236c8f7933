import Support

/// A member of a zip archive as its central directory describes it.
struct ZipMember {
  let name: String
  /// 0 for stored, 8 for deflated.
  let method: UInt16
  let checksum: UInt32
  let packedCount: UInt64
  let count: UInt64
  /// Where the local header starts.
  let headerOffset: UInt64
}

/// Reads the directory of a zip archive: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3 (zip64).
struct ZipDirectory {
  private let bytes: UnsafeRawBufferPointer
  private let place: ArrayPlace
  /// The members in the order of the directory.
  private(set) var members: [ZipMember] = []

  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(Diagnostic) {
    self.bytes = bytes
    place = ArrayPlace(file: file, section: "zip")
    let end = try findEnd()
    let (offset, size, count) = try directoryRange(end)
    guard let directory = part(of: bytes, at: offset, count: size) else {
      throw place.error("zip", "the directory of \(size) bytes at \(offset) is not inside the file", at: end)
    }
    var inside = place
    inside.base = Int(offset)
    var reader = ByteReader(directory)
    do throws(ByteError) {
      for _ in 0..<count { members.append(try Self.readMember(&reader)) }
      guard reader.isAtEnd else {
        throw ByteError(offset: reader.offset, reason: "more members than announced")
      }
    } catch {
      throw inside.error("zip", error.reason, at: error.offset)
    }
    try checkMembers()
  }

  /// The last end-of-directory record whose comment ends with the file.
  private func findEnd() throws(Diagnostic) -> Int {
    var at = bytes.count - 22
    while at >= max(0, bytes.count - 22 - 0xFFFF) {
      if bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self).littleEndian == 0x0605_4B50,
        Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at + 20, as: UInt16.self)))
          == bytes.count - at - 22
      {
        return at
      }
      at -= 1
    }
    throw place.error("truncated", "the zip directory's end is missing", at: bytes.count)
  }

  private func directoryRange(_ end: Int) throws(Diagnostic) -> (offset: UInt64, size: UInt64, count: UInt64)
  {
    do throws(ByteError) {
      var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(end + 4)...]))
      let disks = (try reader.read(UInt16.self), try reader.read(UInt16.self))
      let counts = (try reader.read(UInt16.self), try reader.read(UInt16.self))
      let (size, offset) = (try reader.read(UInt32.self), try reader.read(UInt32.self))
      if counts.1 == .max || size == .max || offset == .max, let wide = try wideRange(end) { return wide }
      guard disks == (0, 0), counts.0 == counts.1 else {
        throw ByteError(offset: 0, reason: "archives of several parts are not supported")
      }
      return (UInt64(offset), UInt64(size), UInt64(counts.1))
    } catch {
      throw place.error("zip", error.reason, at: end)
    }
  }

  /// The zip64 record, if a locator precedes the end record.
  private func wideRange(_ end: Int) throws(ByteError) -> (offset: UInt64, size: UInt64, count: UInt64)? {
    guard end >= 20 else { return nil }
    var locator = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(end - 20)..<end]))
    guard try locator.read(UInt32.self) == 0x0706_4B50 else { return nil }
    _ = try locator.read(UInt32.self)
    guard let record = part(of: bytes, at: try locator.read(UInt64.self), count: 56) else {
      throw ByteError(offset: 0, reason: "the zip64 record is not inside the file")
    }
    var reader = ByteReader(record)
    guard try reader.read(UInt32.self) == 0x0606_4B50 else {
      throw ByteError(offset: 0, reason: "the zip64 record has another signature")
    }
    _ = try reader.readBytes(12)
    let disks = (try reader.read(UInt32.self), try reader.read(UInt32.self))
    let counts = (try reader.read(UInt64.self), try reader.read(UInt64.self))
    guard disks == (0, 0), counts.0 == counts.1 else {
      throw ByteError(offset: 0, reason: "archives of several parts are not supported")
    }
    let (size, offset) = (try reader.read(UInt64.self), try reader.read(UInt64.self))
    return (offset, size, counts.1)
  }

  private static func readMember(_ reader: inout ByteReader) throws(ByteError) -> ZipMember {
    let start = reader.offset
    guard try reader.read(UInt32.self) == 0x0201_4B50 else {
      throw ByteError(offset: start, reason: "a directory entry has another signature")
    }
    _ = try reader.readBytes(4)
    let (flags, method) = (try reader.read(UInt16.self), try reader.read(UInt16.self))
    _ = try reader.readBytes(4)
    let checksum = try reader.read(UInt32.self)
    let (packed, count) = (try reader.read(UInt32.self), try reader.read(UInt32.self))
    let lengths = (try reader.read(UInt16.self), try reader.read(UInt16.self), try reader.read(UInt16.self))
    _ = try reader.readBytes(8)
    let offset = try reader.read(UInt32.self)
    let raw = try reader.readBytes(Int(lengths.0))
    let extra = try reader.readBytes(Int(lengths.1))
    _ = try reader.readBytes(Int(lengths.2))
    guard flags & 0x2041 == 0 else { throw ByteError(offset: start, reason: "a member is encrypted") }
    guard let name = String(validating: raw, as: UTF8.self) else {
      throw ByteError(offset: start, reason: "a member's name is not UTF-8")
    }
    let wide = try wideNumbers(extra, [count, packed, offset])
    return ZipMember(
      name: name, method: method, checksum: checksum, packedCount: wide[1], count: wide[0],
      headerOffset: wide[2])
  }

  /// The numbers of an entry, with those that are all ones replaced from the zip64 field.
  private static func wideNumbers(_ extra: UnsafeRawBufferPointer, _ narrow: [UInt32]) throws(ByteError)
    -> [UInt64]
  {
    var reader = ByteReader(extra)
    while narrow.contains(.max), reader.remaining >= 4 {
      let (id, size) = (try reader.read(UInt16.self), try reader.read(UInt16.self))
      let field = try reader.readBytes(Int(size))
      guard id == 1 else { continue }
      var values = ByteReader(field)
      var wide: [UInt64] = []
      for number in narrow { wide.append(number == .max ? try values.read(UInt64.self) : UInt64(number)) }
      return wide
    }
    return narrow.map { UInt64($0) }
  }

  /// Refuses names that occur twice, and members whose packed bytes overlap: the form of most zip bombs.
  private func checkMembers() throws(Diagnostic) {
    var (names, total) = (Set<String>(), UInt64(0))
    for member in members {
      guard names.insert(member.name).inserted else {
        throw place.error("zip", "two members are called '\(member.name)'", at: 0)
      }
      let (sum, overflow) = total.addingReportingOverflow(member.packedCount)
      guard !overflow, sum <= UInt64(bytes.count) else {
        throw place.error("zip", "the members are larger than the file", at: 0)
      }
      total = sum
    }
  }

  /// The packed bytes of a member.
  func packed(_ member: ZipMember) throws(Diagnostic) -> UnsafeRawBufferPointer {
    let at = Int(clamping: member.headerOffset)
    guard let header = part(of: bytes, at: member.headerOffset, count: 30),
      header.loadUnaligned(as: UInt32.self).littleEndian == 0x0403_4B50
    else { throw place.error("zip", "'\(member.name)' has no header here", at: at) }
    let lengths = [26, 28].map {
      UInt64(header.loadUnaligned(fromByteOffset: $0, as: UInt16.self).littleEndian)
    }
    guard let name = part(of: bytes, at: member.headerOffset + 30, count: lengths[0]),
      name.elementsEqual(member.name.utf8)
    else { throw place.error("zip", "the header of '\(member.name)' has another name", at: at + 30) }
    let start = member.headerOffset + 30 + lengths[0] + lengths[1]
    guard let packed = part(of: bytes, at: start, count: member.packedCount) else {
      throw place.error(
        "truncated", "'\(member.name)' has \(member.packedCount) bytes, the file ends", at: at)
    }
    return packed
  }
}
