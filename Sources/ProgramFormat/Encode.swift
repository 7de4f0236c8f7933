public import Support
import Tensors

/// The binary form of `program`: equal programs give equal bytes.
///
/// Throws what `validate(_:)` throws, and `program.limit` where the file would be too large.
public func encode(_ program: Program) throws(Diagnostic) -> [UInt8] {
  try validate(program)
  return assemble(encodeSections(program))
}

/// The bytes of the sections of a valid program.
func encodeSections(_ program: Program) -> [(kind: SectionKind, bytes: [UInt8])] {
  let code = encodeCode(program)
  var sections: [(kind: SectionKind, bytes: [UInt8])] = [
    (.machine, encodeMachine(program.machine)),
    (.ports, encodePorts(program)),
    (.cells, encodeCells(program)),
    (.maps, encodeMaps(program)),
    (.code, code.instructions),
    (.data, code.constants),
  ]
  if !program.info.isEmpty { sections.append((.info, encodeInfo(program.info))) }
  if let debug = code.origins { sections.append((.debug, debug)) }
  return sections
}

/// Puts header, directory and sections together.
private func assemble(_ sections: [(kind: SectionKind, bytes: [UInt8])]) -> [UInt8] {
  var directory = ByteWriter()
  var end = Layout.headerBytes + Layout.entryBytes * sections.count
  for section in sections {
    let offset = Layout.aligned(end)
    end = offset + section.bytes.count
    directory.put(section.kind.rawValue)
    directory.put(section.kind.isRequired ? Layout.requiredFlag : 0)
    directory.put(UInt64(offset))
    directory.put(UInt64(section.bytes.count))
    directory.put(CRC32C.checksum(section.bytes))
    directory.put(UInt32(0))
  }
  var file = ByteWriter()
  file.put(bytes: Layout.magic)
  file.put(Layout.major)
  file.put(Layout.minor)
  file.put(UInt32(0))
  file.put32(sections.count)
  file.put(UInt64(end))
  file.put(UInt64(0))
  file.put(bytes: directory.bytes)
  file.patch(CRC32C.checksum(file.bytes), at: Layout.checksumOffset)
  for section in sections {
    file.align(to: Layout.alignment)
    file.put(bytes: section.bytes)
  }
  return file.bytes
}

extension ByteWriter {
  /// Appends the low 32 bits of `value`, which validation has found to fit.
  mutating func put32(_ value: Int) { put(UInt32(truncatingIfNeeded: value)) }

  /// Appends the low 16 bits of `value`, which validation has found to fit.
  mutating func put16(_ value: Int) { put(UInt16(truncatingIfNeeded: value)) }

  /// Appends the low 8 bits of `value`, which validation has found to fit.
  mutating func put8(_ value: Int) { put(UInt8(truncatingIfNeeded: value)) }
}
