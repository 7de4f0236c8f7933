import Hardware
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

  /// Takes a file apart whose directory points into it.
  init(bytes: [UInt8]) {
    func number(_ at: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    major = UInt16(number(4, 2))
    minor = UInt16(number(6, 2))
    sections = (0..<number(12, 4)).map { index in
      let entry = Layout.headerBytes + Layout.entryBytes * index
      let (offset, length) = (number(entry + 8, 8), number(entry + 16, 8))
      return Section(
        kind: UInt32(number(entry, 4)), flags: UInt32(number(entry + 4, 4)),
        bytes: Array(bytes[offset..<offset + length]), name: Array(bytes[entry + 28..<entry + 32]))
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

  /// A figure of the machine as bytes.
  struct Figure {
    var path: String
    var flags: UInt32 = 1
    var value: Double
  }

  /// Changes the figures of the small program's machine.
  mutating func editFigures(_ change: (inout [Figure]) -> Void) {
    let machine = smallProgram().machine
    var figures = machine.figures.map { Figure(path: $0.path, value: $0.value) }
    change(&figures)
    var out = ByteWriter()
    out.put(string: machine.name)
    out.put(string: machine.summary)
    out.put32(figures.count)
    for figure in figures {
      out.put(string: figure.path)
      out.put(figure.flags)
      out.put(figure.value)
    }
    self[.machine] = out.bytes
  }

  /// Changes the value of a figure.
  mutating func setFigure(_ path: String, _ value: Double) {
    editFigures { figures in
      for index in figures.indices where figures[index].path == path { figures[index].value = value }
    }
  }

  /// Adds a part to the fields of the small program's layer, behind its offset and its bitlines.
  mutating func addPart(_ tag: Int, flags: Int = 1, _ content: [UInt8]) {
    let part = partBytes(tag, flags: flags, content)
    self[.maps].insert(contentsOf: part, at: 64)
    patch(.maps, 28, UInt32(32 + part.count))
  }

  /// Adds a part to the fields of the small program's first block.
  mutating func addBlockPart(_ tag: Int, flags: Int = 1, _ content: [UInt8]) {
    let part = partBytes(tag, flags: flags, content)
    self[.maps].insert(contentsOf: part, at: 92)
    patch(.maps, 88, UInt32(part.count))
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

/// A part with its number, flags and length, filled up to a multiple of 4.
func partBytes(_ tag: Int, flags: Int = 1, _ content: [UInt8]) -> [UInt8] {
  var out = ByteWriter()
  out.put16(tag)
  out.put16(flags)
  out.put32(content.count)
  out.put(bytes: content)
  out.align(to: 4)
  return out.bytes
}

/// The 8 bytes of a number.
func longBytes(_ number: Int64) -> [UInt8] { withUnsafeBytes(of: number.littleEndian, Array.init) }

/// The 4 bytes of a number.
func wordBytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.littleEndian, Array.init) }

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
