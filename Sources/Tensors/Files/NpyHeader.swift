import Support

/// The header of a `.npy` file: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
struct NpyHeader: Equatable {
  static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
  /// The longest header, prefix included, that is read: that of version 1.
  static let maximumLength = 10 + 0xFFFF

  let format: ElementFormat
  /// Whether the first axis runs fastest.
  let isFortran: Bool
  let shape: [Int]
  /// Where the elements start.
  let dataOffset: Int

  /// Reads the header at the start of `bytes`.
  init(_ bytes: UnsafeRawBufferPointer, _ place: ArrayPlace) throws(Diagnostic) {
    var reader = ByteReader(bytes)
    let text: UnsafeRawBufferPointer
    do throws(ByteError) {
      _ = try reader.readBytes(Self.magic.count)
      let (major, minor) = (try reader.read(UInt8.self), try reader.read(UInt8.self))
      guard (1...3).contains(major), minor == 0 else {
        throw ByteError(offset: 6, reason: "version \(major).\(minor) of the format is not known")
      }
      let length = major == 1 ? Int(try reader.read(UInt16.self)) : Int(try reader.read(UInt32.self))
      guard reader.offset + length <= Self.maximumLength else {
        throw ByteError(offset: 8, reason: "the header has \(length) bytes, limit \(Self.maximumLength)")
      }
      text = try reader.readBytes(length)
    } catch {
      throw place.error("header", error.reason, at: error.offset)
    }
    var start = place
    start.base += reader.offset - text.count
    var parser = NpyHeaderParser(text, start)
    let fields = try parser.parse()
    (format, isFortran, shape) = (fields.format, fields.isFortran, fields.shape)
    dataOffset = reader.offset
    try place.check(shape, at: dataOffset)
  }

  /// Bytes of all elements.
  var dataCount: Int { shape.reduce(1, *) * format.width }

  /// Bytes of the file.
  var totalCount: Int { dataOffset + dataCount }

  /// The array whose elements are `data`, of which there are `dataCount` bytes.
  func tensor(_ data: UnsafeRawBufferPointer, _ place: ArrayPlace) throws(Diagnostic) -> Tensor {
    guard isFortran, shape.count > 1 else { return try format.tensor(shape, data, place, at: dataOffset) }
    let reversed = try format.tensor(shape.reversed(), data, place, at: dataOffset)
    return Tensor(shape, transposed(reversed.data, reversed.shape, order: shape.indices.reversed()))
  }
}

/// Reads a whole `.npy` file; bytes after the elements are refused.
func readNpy(_ bytes: UnsafeRawBufferPointer, _ place: ArrayPlace) throws(Diagnostic) -> Tensor {
  let header = try NpyHeader(bytes, place)
  guard bytes.count >= header.totalCount else {
    throw place.error(
      "truncated",
      "\(header.dataCount) bytes of elements announced, \(bytes.count - header.dataOffset) found",
      at: header.dataOffset)
  }
  guard bytes.count == header.totalCount else {
    throw place.error(
      "size", "\(bytes.count - header.totalCount) bytes follow the elements", at: header.totalCount)
  }
  return try header.tensor(UnsafeRawBufferPointer(rebasing: bytes[header.dataOffset...]), place)
}

/// Parses the dictionary of a header: a Python literal with the keys `descr`, `fortran_order` and `shape`, each once.
private struct NpyHeaderParser {
  private let bytes: UnsafeRawBufferPointer
  private let place: ArrayPlace
  private var at = 0

  init(_ bytes: UnsafeRawBufferPointer, _ place: ArrayPlace) {
    self.bytes = bytes
    self.place = place
  }

  mutating func parse() throws(Diagnostic) -> (format: ElementFormat, isFortran: Bool, shape: [Int]) {
    var (format, isFortran, shape): (ElementFormat?, Bool?, [Int]?)
    try expect("{")
    while !skip("}") {
      let start = at
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where format == nil: format = try elementFormat()
      case "fortran_order" where isFortran == nil: isFortran = try boolean()
      case "shape" where shape == nil: shape = try numbers()
      default: throw failure("the key '\(key)' is not expected here", at: start)
      }
      if !skip(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard at == bytes.count else { throw failure("text follows the dictionary") }
    guard let format, let isFortran, let shape else {
      throw failure("the keys 'descr', 'fortran_order' and 'shape' are needed", at: 0)
    }
    return (format, isFortran, shape)
  }

  private func failure(_ message: String, at offset: Int? = nil) -> Diagnostic {
    place.error("header", message, at: offset ?? at)
  }

  private mutating func skipSpace() {
    while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
  }

  /// Reads `character` and the space before it, if it is next.
  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard at < bytes.count, UInt32(bytes[at]) == character.value else { return false }
    at += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Diagnostic) {
    guard skip(character) else { throw failure("'\(character)' expected") }
  }

  /// A text in single or double quotes, printable ASCII without backslashes.
  private mutating func string() throws(Diagnostic) -> String {
    let quote: UInt8 = skip("'") ? 0x27 : 0x22
    if quote == 0x22 { try expect("\"") }
    let start = at
    while at < bytes.count, bytes[at] != quote {
      guard (0x20..<0x7F).contains(bytes[at]), bytes[at] != 0x5C else {
        throw failure("bad character in a text")
      }
      at += 1
    }
    guard at < bytes.count else { throw failure("a text has no end", at: start) }
    defer { at += 1 }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  private mutating func elementFormat() throws(Diagnostic) -> ElementFormat {
    skipSpace()
    let start = at
    guard at < bytes.count, bytes[at] != 0x5B else {
      throw place.error("type", "structured elements are not supported", at: at)
    }
    let text = try string()
    guard let format = ElementFormat(numpy: text) else {
      throw place.error("type", "the element type '\(text)' is not supported", at: start)
    }
    return format
  }

  private mutating func boolean() throws(Diagnostic) -> Bool {
    skipSpace()
    for (text, value) in [("True", true), ("False", false)] where bytes[at...].starts(with: text.utf8) {
      at += text.utf8.count
      return value
    }
    throw failure("True or False expected")
  }

  /// A tuple of numbers: `()`, `(3,)`, `(3, 4)`.
  private mutating func numbers() throws(Diagnostic) -> [Int] {
    var numbers: [Int] = []
    try expect("(")
    while !skip(")") {
      skipSpace()
      let start = at
      while at < bytes.count, (0x30...0x39).contains(bytes[at]) { at += 1 }
      guard let number = Int(String(decoding: bytes[start..<at], as: UTF8.self)), numbers.count < 64 else {
        throw failure("a tuple of at most 64 whole numbers expected", at: start)
      }
      numbers.append(number)
      if !skip(",") {
        guard numbers.count > 1 else { throw failure("',' expected") }
        try expect(")")
        break
      }
    }
    return numbers
  }
}

extension ElementFormat {
  /// The format of a NumPy type text such as `<f4`; nil where it is not supported.
  init?(numpy text: String) {
    let kinds: [String: Kind] = [
      "b1": .boolean, "f2": .float16, "f4": .float32, "f8": .float64, "i1": .int8, "i2": .int16, "i4": .int32,
      "i8": .int64, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64,
    ]
    guard let order = text.first, let kind = kinds[String(text.dropFirst())] else { return nil }
    self.init(kind: kind, isBigEndian: order == ">")
    guard order == "<" || order == ">" || (order == "|" && width == 1) else { return nil }
  }
}
