import Support

@testable import ProgramFormat

/// A program file taken apart, so that a test can change a part and put it together with right checksums.
struct HostileFile {
  struct Section {
    var kind: UInt32
    var flags: UInt32
    var bytes: [UInt8]
    var offsetError: Int = 0
    var lengthError: Int = 0
    /// The four letters of its name.
    var name: [UInt8]
    var checksumError: UInt32 = 0
  }

  var magic: [UInt8] = Layout.magic
  var major: UInt16 = Layout.major
  var minor = Layout.minor
  var features: UInt32 = 0
  var countError = 0
  var sizeError = 0
  var checksumError: UInt32 = 0
  var reserved: UInt32 = 0
  var paddingByte: UInt8 = 0
  var tail: [UInt8] = []
  var sections: [Section]

  init(_ program: Program) {
    sections = encodeSections(program).map {
      Section(
        kind: $0.kind.rawValue, flags: $0.kind.isRequired ? 1 : 0, bytes: $0.bytes,
        name: Array($0.kind.name.utf8))
    }
  }

  /// The section of a kind, which must exist.
  subscript(kind: SectionKind) -> [UInt8] {
    get { sections.first { $0.kind == kind.rawValue }?.bytes ?? [] }
    set {
      for index in sections.indices where sections[index].kind == kind.rawValue {
        sections[index].bytes = newValue
      }
    }
  }

  /// Overwrites a 32-bit word of a section.
  mutating func patch(_ kind: SectionKind, _ offset: Int, _ value: UInt32) {
    for k in 0..<4 { self[kind][offset + k] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(k))) }
  }

  /// The file.
  var bytes: [UInt8] {
    var directory = ByteWriter()
    var body: [UInt8] = []
    var end = Layout.headerBytes + Layout.entryBytes * sections.count
    for section in sections {
      let offset = Layout.aligned(end)
      body += [UInt8](repeating: paddingByte, count: offset - end) + section.bytes
      end = offset + section.bytes.count
      directory.put(section.kind)
      directory.put(section.flags)
      directory.put(UInt64(truncatingIfNeeded: offset + section.offsetError))
      directory.put(UInt64(truncatingIfNeeded: section.bytes.count + section.lengthError))
      directory.put(CRC32C.checksum(section.bytes) ^ section.checksumError)
      directory.put(bytes: section.name)
    }
    var file = ByteWriter()
    file.put(bytes: magic)
    file.put(major)
    file.put(minor)
    file.put(features)
    file.put(UInt32(sections.count + countError))
    file.put(UInt64(end + tail.count + sizeError))
    file.put(UInt32(0))
    file.put(reserved)
    file.put(bytes: directory.bytes)
    file.patch(CRC32C.checksum(file.bytes) ^ checksumError, at: Layout.checksumOffset)
    return file.bytes + body + tail
  }
}

/// What decoding `bytes` throws, or nil.
func refusal(_ bytes: [UInt8]) -> Diagnostic? {
  do throws(Diagnostic) {
    _ = try decoded(bytes)
    return nil
  } catch { return error }
}

/// Recomputes the checksums of a damaged file where its directory still points into it.
func repairChecksums(_ bytes: inout [UInt8]) {
  func word(_ at: Int) -> Int { (0..<8).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) & Int.max } }
  guard bytes.count >= Layout.headerBytes else { return }
  let count = word(12) & 0xFFFF_FFFF
  guard count <= 16, bytes.count >= Layout.headerBytes + Layout.entryBytes * count else { return }
  for index in 0..<count {
    let entry = Layout.headerBytes + Layout.entryBytes * index
    let (offset, length) = (word(entry + 8), word(entry + 16))
    guard offset <= bytes.count, length <= bytes.count - offset else { continue }
    store(CRC32C.checksum(Array(bytes[offset..<offset + length])), entry + 24)
  }
  store(0, Layout.checksumOffset)
  let head = Array(bytes[0..<Layout.headerBytes + Layout.entryBytes * count])
  store(CRC32C.checksum(head), Layout.checksumOffset)

  func store(_ value: UInt32, _ at: Int) {
    for k in 0..<4 { bytes[at + k] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(k))) }
  }
}
