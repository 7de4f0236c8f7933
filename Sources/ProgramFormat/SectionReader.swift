import Support

/// Reads one section; every error names the file, the section and the offset.
struct SectionReader {
  let section: String
  let file: String
  private let base: Int
  private var reader: ByteReader

  /// Reads `bytes`, which begin `base` bytes after the start of what offsets count from.
  init(_ bytes: UnsafeRawBufferPointer, section: String, file: String, base: Int = 0) {
    self.section = section
    self.file = file
    self.base = base
    reader = ByteReader(bytes)
  }

  var offset: Int { base + reader.offset }
  var remaining: Int { reader.remaining }

  func failure(_ fault: ProgramFault, _ message: String, at offset: Int? = nil) -> Diagnostic {
    fault.diagnostic(
      message, at: Location(file: file, .bytes(section: section, offset: offset ?? self.offset)))
  }

  mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(Diagnostic) -> T {
    do throws(ByteError) { return try reader.read(type) } catch { throw failure(.truncated, error.reason) }
  }

  mutating func u8() throws(Diagnostic) -> Int { Int(try integer(UInt8.self)) }
  mutating func u16() throws(Diagnostic) -> Int { Int(try integer(UInt16.self)) }
  mutating func u32() throws(Diagnostic) -> Int { Int(try integer(UInt32.self)) }
  mutating func i64() throws(Diagnostic) -> Int64 { try integer(Int64.self) }
  mutating func float() throws(Diagnostic) -> Float { Float(bitPattern: try integer(UInt32.self)) }
  mutating func double() throws(Diagnostic) -> Double { Double(bitPattern: try integer(UInt64.self)) }

  /// A count of things that take at least `size` bytes each.
  mutating func count(_ what: String, limit: Int, size: Int) throws(Diagnostic) -> Int {
    let start = offset
    let count = try u32()
    try check(count, what, limit: limit, size: size, at: start)
    return count
  }

  /// Refuses a count above `limit`, or of more things of `size` bytes than the section can still hold.
  func check(_ count: Int, _ what: String, limit: Int, size: Int, at start: Int) throws(Diagnostic) {
    guard count <= limit else { throw failure(.limit, "\(count) \(what), limit \(limit)", at: start) }
    guard count * size <= remaining else {
      throw failure(.truncated, "\(count) \(what) need \(count * size) bytes, \(remaining) left", at: start)
    }
  }

  mutating func raw(_ count: Int) throws(Diagnostic) -> UnsafeRawBufferPointer {
    do throws(ByteError) { return try reader.readBytes(count) } catch {
      throw failure(.truncated, error.reason)
    }
  }

  mutating func string(limit: Int = ProgramLimits.nameBytes) throws(Diagnostic) -> String {
    let count = try count("bytes of text", limit: limit, size: 1)
    let start = offset
    guard let text = String(validating: try raw(count), as: UTF8.self) else {
      throw failure(.text, "the text is not UTF-8", at: start)
    }
    try skipPadding()
    return text
  }

  /// Reads zeros up to the next multiple of 4.
  mutating func skipPadding() throws(Diagnostic) {
    while offset % 4 != 0 {
      let place = offset
      guard try u8() == 0 else { throw failure(.padding, "padding is not zero", at: place) }
    }
  }

  mutating func zero32() throws(Diagnostic) {
    let start = offset
    let value = try u32()
    guard value == 0 else { throw failure(.reserved, "reserved field holds \(value)", at: start) }
  }

  mutating func boolean(_ value: Int, at start: Int) throws(Diagnostic) -> Bool {
    guard value <= 1 else { throw failure(.value, "expected 0 or 1, found \(value)", at: start) }
    return value == 1
  }

  func checkEnd() throws(Diagnostic) {
    guard remaining == 0 else { throw failure(.trailing, "\(remaining) bytes after the last entry") }
  }
}
