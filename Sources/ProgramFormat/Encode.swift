import Hardware
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
  sections.append((.plan, encodePlan(program)))
  return sections
}

/// A section's place in the file.
struct SectionPlace {
  let kind: SectionKind
  let range: Range<Int>
  let checksum: UInt32
}

/// Puts header, directory and sections together.
private func assemble(_ sections: [(kind: SectionKind, bytes: [UInt8])]) -> [UInt8] {
  var places: [SectionPlace] = []
  var end = headBytes(sections.count)
  for section in sections {
    let offset = Layout.aligned(end)
    end = offset + section.bytes.count
    places.append(
      SectionPlace(kind: section.kind, range: offset..<end, checksum: CRC32C.checksum(section.bytes)))
  }
  var file = ByteWriter()
  file.put(bytes: encodeHead(places))
  for section in sections {
    file.align(to: Layout.alignment)
    file.put(bytes: section.bytes)
  }
  return file.bytes
}

/// Bytes of header and directory.
func headBytes(_ sections: Int) -> Int { Layout.headerBytes + Layout.entryBytes * sections }

/// Header and directory of a file that ends with the last of `places`.
func encodeHead(_ places: [SectionPlace]) -> [UInt8] {
  var file = ByteWriter()
  file.put(bytes: Layout.magic)
  file.put(Layout.major)
  file.put(Layout.minor)
  file.put(UInt32(0))
  file.put32(places.count)
  file.put(UInt64(places.last?.range.upperBound ?? headBytes(0)))
  file.put(UInt64(0))
  for place in places {
    file.put(place.kind.rawValue)
    file.put(place.kind.isRequired ? Layout.requiredFlag : 0)
    file.put(UInt64(place.range.lowerBound))
    file.put(UInt64(place.range.count))
    file.put(place.checksum)
    file.put(bytes: Array(place.kind.name.utf8))
  }
  file.patch(CRC32C.checksum(file.bytes), at: Layout.checksumOffset)
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
