import Hardware
public import Support

/// Reads the binary form of a program.
///
/// Throws a diagnostic of a `ProgramFault` at a section and offset for anything that the format does not allow, and
/// for a program that is not valid. Unknown optional parts are skipped; without them `encode(_:)` gives back the
/// same bytes. Programs of version 1 are read too.
public func decode(_ bytes: UnsafeRawBufferPointer, file: String) throws(Diagnostic) -> Program {
  let (sections, version) = try readDirectory(bytes, file: file)
  func reader(_ kind: SectionKind) -> SectionReader? {
    guard let range = sections[kind] else { return nil }
    return SectionReader(UnsafeRawBufferPointer(rebasing: bytes[range]), section: kind.name, file: file)
  }
  func required(_ kind: SectionKind) throws(Diagnostic) -> SectionReader {
    guard let found = reader(kind) else {
      throw ProgramFault.missingSection.diagnostic(
        "section \(kind.name) is missing", at: headerLocation(file, Layout.headerBytes))
    }
    return found
  }
  var offsets = OffsetMap()
  var machineReader = try required(.machine)
  let machine =
    version == 1 ? try decodeMachineOfVersion1(&machineReader) : try decodeMachine(&machineReader)
  var portReader = try required(.ports)
  let ports = try decodePorts(&portReader, &offsets)
  var cellReader = try required(.cells)
  let crossbars = try decodeCells(&cellReader, machine.array, &offsets)
  var mapReader = try required(.maps)
  var layers = try decodeMaps(&mapReader, &offsets, machine.array, version: version)
  if version > 1 {
    var planReader = try required(.plan)
    try decodePlan(&planReader, &layers)
  }
  var dataReader = try required(.data)
  var constants = try decodeConstants(&dataReader)
  let origins = try decodeOrigins(reader(.debug))
  var codeReader = try required(.code)
  let code = try decodeCode(&codeReader, &constants, origins, &offsets)
  let info = try decodeInfo(reader(.info), &offsets)
  let program = Program(
    name: ports.name, machine: machine, inputs: ports.inputs, outputs: ports.outputs, buffers: ports.buffers,
    crossbars: crossbars, layers: layers, code: code, info: info)
  do throws(Issue) { try findIssue(program) } catch {
    let place = offsets.place(of: error.part)
    throw error.fault.diagnostic(
      error.message, at: Location(file: file, .bytes(section: place.section, offset: place.offset)))
  }
  return program
}

/// Where the parts of a program lie in the file that it was read from.
struct OffsetMap {
  var buffers: [Int] = []
  var inputs: [Int] = []
  var outputs: [Int] = []
  var crossbars: [Int] = []
  var layers: [Int] = []
  /// For each layer, those of its blocks.
  var blocks: [[Int]] = []
  var instructions: [Int] = []
  var info: [Int] = []

  /// The section and the offset of a part.
  func place(of part: ProgramPart) -> (section: String, offset: Int) {
    func find(_ kind: SectionKind, _ list: [Int], _ index: Int) -> (String, Int) {
      (kind.name, list.indices.contains(index) ? list[index] : 0)
    }
    switch part {
    case .machine: return find(.machine, [], 0)
    case .name: return find(.ports, [], 0)
    case .buffer(let index): return find(.ports, buffers, index)
    case .input(let index): return find(.ports, inputs, index)
    case .output(let index): return find(.ports, outputs, index)
    case .crossbar(let index): return find(.cells, crossbars, index)
    case .layer(let index): return find(.maps, layers, index)
    case .block(let layer, let index):
      return find(.maps, blocks.indices.contains(layer) ? blocks[layer] : [], index)
    case .instruction(let index): return find(.code, instructions, index)
    case .info(let index): return find(.info, info, index)
    }
  }
}

func headerLocation(_ file: String, _ offset: Int) -> Location {
  Location(file: file, .bytes(section: "header", offset: offset))
}

/// Checks header, directory, layout and checksums; returns where the known sections lie, and the major version.
private func readDirectory(
  _ bytes: UnsafeRawBufferPointer, file: String
) throws(Diagnostic) -> (sections: [SectionKind: Range<Int>], version: Int) {
  let (count, version) = try readHeader(bytes, file: file)
  var sections: [SectionKind: Range<Int>] = [:]
  var previousKind = 0
  var end = Layout.headerBytes + Layout.entryBytes * count
  for index in 0..<count {
    let start = Layout.headerBytes + Layout.entryBytes * index
    var reader = SectionReader(
      UnsafeRawBufferPointer(rebasing: bytes[start..<start + Layout.entryBytes]), section: "header",
      file: file,
      base: start)
    let kind = try reader.u32()
    guard kind > previousKind else {
      throw reader.failure(.sectionOrder, "section kind \(kind) after \(previousKind)", at: start)
    }
    previousKind = kind
    let flags = try reader.u32()
    let known = SectionKind(kind, version: version)
    let name = version == 1 ? known?.name ?? "\(kind)" : sectionName(bytes, start)
    try check(known, kind, flags, name, reader, at: start)
    let range = try readRange(&reader, after: end, fileSize: bytes.count)
    try checkContent(bytes, gap: end..<range.lowerBound, range, name, &reader, version)
    end = range.upperBound
    if let known { sections[known] = range }
  }
  guard end == bytes.count else {
    throw ProgramFault.trailing.diagnostic(
      "\(bytes.count - end) bytes after the last section", at: headerLocation(file, end))
  }
  return (sections, version)
}

/// Checks the header and the checksum over header and directory; returns the number of sections and the major version.
private func readHeader(
  _ bytes: UnsafeRawBufferPointer, file: String
) throws(Diagnostic) -> (sections: Int, version: Int) {
  var reader = SectionReader(bytes, section: "header", file: file)
  guard bytes.starts(with: Layout.magic) else {
    throw reader.failure(.magic, "not a crossbar program: it does not begin with 'XBAR'")
  }
  _ = try reader.u32()
  let major = try reader.u16()
  let minor = try reader.u16()
  let newest = major == 1 ? Layout.minorOfVersion1 : Int(Layout.minor)
  guard 1...Int(Layout.major) ~= major, minor <= newest else {
    throw reader.failure(
      .version,
      "format \(major).\(minor), this reader knows 1.\(Layout.minorOfVersion1) and \(Layout.major).\(Layout.minor)",
      at: 4)
  }
  let features = try reader.u32()
  guard features == 0 else {
    throw reader.failure(.feature, "needs unknown features 0x\(String(features, radix: 16))", at: 8)
  }
  let count = try reader.u32()
  let size = try reader.integer(UInt64.self)
  let checksum = try reader.integer(UInt32.self)
  try reader.zero32()
  guard size == UInt64(bytes.count) else {
    throw reader.failure(
      size > UInt64(bytes.count) ? .truncated : .fileSize,
      "the header says \(size) bytes, the file has \(bytes.count)",
      at: Layout.fileSizeOffset)
  }
  try reader.check(count, "sections", limit: ProgramLimits.sections, size: Layout.entryBytes, at: 12)
  var head = Array(bytes[0..<Layout.headerBytes + Layout.entryBytes * count])
  for k in 0..<4 { head[Layout.checksumOffset + k] = 0 }
  guard CRC32C.checksum(head) == checksum else {
    throw reader.failure(.headerChecksum, "the checksum of the header is wrong", at: Layout.checksumOffset)
  }
  return (count, major)
}

/// Checks name and flags of a section; refuses an unknown one that must be understood.
private func check(
  _ known: SectionKind?, _ kind: Int, _ flags: Int, _ name: String, _ reader: SectionReader, at start: Int
) throws(Diagnostic) {
  guard flags <= 1 else {
    throw reader.failure(.reserved, "unknown section flags \(flags)", at: start + 4)
  }
  guard let known else {
    guard flags == 0 else {
      throw reader.failure(
        .unknownSection, "section \(name) is unknown and must be understood", at: start)
    }
    return
  }
  guard name == known.name else {
    throw reader.failure(
      .sectionFlags, "section \(kind) is called \(name), not \(known.name)", at: start + 28)
  }
  guard flags == (known.isRequired ? 1 : 0) else {
    throw reader.failure(.sectionFlags, "section \(known.name) carries flags \(flags)", at: start + 4)
  }
}

/// The name that an entry of the directory gives its section; what is no letter of a name shows as `?`.
private func sectionName(_ bytes: UnsafeRawBufferPointer, _ entry: Int) -> String {
  let letters = bytes[entry + 28..<entry + 32]
  return String(letters.map { 65...90 ~= $0 ? Character(Unicode.Scalar($0)) : "?" })
}

private func readRange(
  _ reader: inout SectionReader, after end: Int, fileSize: Int
) throws(Diagnostic) -> Range<Int> {
  let start = reader.offset
  let offset = try reader.integer(UInt64.self)
  let length = try reader.integer(UInt64.self)
  let expected = UInt64(Layout.aligned(end))
  guard offset == expected else {
    throw reader.failure(.sectionLayout, "the section begins at \(offset), expected \(expected)", at: start)
  }
  guard offset <= UInt64(fileSize), length <= UInt64(fileSize) - offset else {
    throw reader.failure(.sectionLayout, "the section ends outside of the file", at: start)
  }
  return Int(offset)..<Int(offset) + Int(length)
}

/// Checks the checksum of a section, the reserved field of its entry, and the padding before it.
private func checkContent(
  _ bytes: UnsafeRawBufferPointer, gap: Range<Int>, _ range: Range<Int>, _ name: String,
  _ reader: inout SectionReader, _ version: Int
) throws(Diagnostic) {
  let place = reader.offset
  let checksum = try reader.integer(UInt32.self)
  if version == 1 { try reader.zero32() }
  for index in gap where bytes[index] != 0 {
    throw reader.failure(.padding, "padding between sections is not zero", at: index)
  }
  guard CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[range])) == checksum else {
    throw reader.failure(.sectionChecksum, "the checksum of section \(name) is wrong", at: place)
  }
}

/// Reads a program from an array of bytes; throws what the other form throws.
public func decode(_ bytes: [UInt8], file: String) throws(Diagnostic) -> Program {
  try bytes.withUnsafeBufferPointer { (buffer) throws(Diagnostic) in
    try decode(UnsafeRawBufferPointer(buffer), file: file)
  }
}
