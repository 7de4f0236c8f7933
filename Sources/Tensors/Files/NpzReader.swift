import Support

/// Reads the arrays of an `.npz`: a zip archive of `.npy` members.
func readNpz(_ bytes: UnsafeRawBufferPointer, file: String) throws(Diagnostic) -> [NamedTensor] {
  let directory = try ZipDirectory(bytes, file: file)
  var arrays: [NamedTensor] = []
  var room = maximumElements
  for member in directory.members {
    let place = ArrayPlace(file: file, section: member.name)
    let packed = try directory.packed(member)
    let tensor: Tensor
    switch member.method {
    case 0: tensor = try readStored(packed, member, place)
    case 8: tensor = try readDeflated(packed, member, place)
    default: throw place.error("zip", "the compression method \(member.method) is not supported", at: 0)
    }
    room -= tensor.count
    guard room >= 0 else {
      throw place.error("size", "the file has more than \(maximumElements) elements", at: 0)
    }
    let name = member.name.hasSuffix(".npy") ? String(member.name.dropLast(4)) : member.name
    arrays.append(NamedTensor(name: name, tensor: tensor))
  }
  return arrays
}

private func checkMagic(_ bytes: UnsafeRawBufferPointer, _ place: ArrayPlace) throws(Diagnostic) {
  guard bytes.starts(with: NpyHeader.magic) else {
    throw place.error("format", "the member is no .npy file", at: 0)
  }
}

private func checkSum(_ bytes: UnsafeRawBufferPointer, _ member: ZipMember, _ place: ArrayPlace)
  throws(Diagnostic)
{
  guard zipChecksum(bytes) == member.checksum else {
    throw place.error("zip", "the checksum differs: the member is damaged", at: 0)
  }
}

private func readStored(_ bytes: UnsafeRawBufferPointer, _ member: ZipMember, _ place: ArrayPlace)
  throws(Diagnostic) -> Tensor
{
  guard member.packedCount == member.count else {
    throw place.error(
      "zip", "a stored member has two sizes, \(member.packedCount) and \(member.count)", at: 0)
  }
  try checkSum(bytes, member, place)
  try checkMagic(bytes, place)
  return try readNpy(bytes, place)
}

/// Unpacks the header first: memory for the elements is taken only where header, directory and the format's largest
/// ratio of 1032 to 1 agree on the size.
private func readDeflated(_ packed: UnsafeRawBufferPointer, _ member: ZipMember, _ place: ArrayPlace)
  throws(Diagnostic) -> Tensor
{
  guard member.count / 1032 <= member.packedCount, let count = Int(exactly: member.count) else {
    throw place.error("size", "\(member.packedCount) bytes cannot unpack to \(member.count)", at: 0)
  }
  let inflater = Inflater(packed)
  let head = unpack(inflater, min(count, NpyHeader.maximumLength), after: [])
  guard !inflater.hasFailed else { throw place.error("zip", "the packed bytes are damaged", at: 0) }
  let header = try head.withUnsafeBufferPointer { (bytes) throws(Diagnostic) in
    try checkMagic(UnsafeRawBufferPointer(bytes), place)
    return try NpyHeader(UnsafeRawBufferPointer(bytes), place)
  }
  guard header.totalCount == count else {
    throw place.error("size", "the header announces \(header.totalCount) bytes, the archive \(count)", at: 0)
  }
  let all = unpack(inflater, count, after: head)
  // The end of the stream may still have to be read.
  var rest: [UInt8] = [0]
  let surplus = rest.withUnsafeMutableBytes { inflater.fill($0) }
  guard all.count == count, surplus == 0, inflater.isAtEnd, inflater.unused == 0 else {
    throw place.error("zip", "the packed bytes do not unpack to \(count) bytes", at: 0)
  }
  return try all.withUnsafeBufferPointer { (elements) throws(Diagnostic) in
    let bytes = UnsafeRawBufferPointer(elements)
    try checkSum(bytes, member, place)
    return try header.tensor(UnsafeRawBufferPointer(rebasing: bytes[header.dataOffset...]), place)
  }
}

/// `head` and what follows it in the stream, up to `count` bytes in all.
private func unpack(_ inflater: Inflater, _ count: Int, after head: [UInt8]) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
    _ = buffer.update(fromContentsOf: head)
    let rest = UnsafeMutableRawBufferPointer(
      rebasing: UnsafeMutableRawBufferPointer(buffer)[head.count..<count])
    used = head.count + inflater.fill(rest)
  }
}
