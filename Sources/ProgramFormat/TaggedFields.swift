import Mapping
import Support
import Tensors

/// Numbers of the parts that follow records: `u16` number, `u16` flags, `u32` length of the content in bytes, the
/// content, zeros up to a multiple of 4.
enum Tag {
  /// Flag: a reader must understand the part.
  static let required = 1
  /// In `PLAN`: the segments of the layers.
  static let segments = 1
}

extension LayerField {
  /// The number of the field among the parts after a record; nil for fields stored elsewhere.
  fileprivate var tag: Int? {
    if case .tagged(let tag) = storage { return Int(tag) }
    return nil
  }
}

extension Layer {
  /// The fields that follow the record, in the order of their numbers.
  fileprivate static let tagged = fields.filter { $0.tag != nil }.sorted { ($0.tag ?? 0) < ($1.tag ?? 0) }
}

extension Block {
  /// The fields that follow the record, in the order of their numbers.
  fileprivate static let tagged = fields.filter { $0.tag != nil }.sorted { ($0.tag ?? 0) < ($1.tag ?? 0) }
}

// MARK: Encoding

extension ByteWriter {
  /// Appends a part that readers must understand.
  mutating func put(tag: Int, content: [UInt8]) {
    put16(tag)
    put16(Tag.required)
    put32(content.count)
    put(bytes: content)
    align(to: 4)
  }

  /// Appends the fields of a layer that follow its record, after their length in bytes.
  mutating func put(fieldsOf layer: Layer) { put(Layer.tagged, of: layer) }

  /// Appends the fields of a block that follow its record, after their length in bytes.
  mutating func put(fieldsOf block: Block) { put(Block.tagged, of: block) }

  private mutating func put<Owner>(_ fields: [LayerField<Owner>], of owner: Owner) {
    if fields.isEmpty { return put32(0) }
    var parts = ByteWriter()
    for field in fields {
      guard let tag = field.tag, let value = field.get(owner) else { continue }
      parts.put(tag: tag, content: encode(value, field.kind))
    }
    put32(parts.bytes.count)
    put(bytes: parts.bytes)
  }
}

private func encode(_ value: FieldValue, _ kind: FieldKind) -> [UInt8] {
  var out = ByteWriter()
  switch value {
  case .int(let number): out.put(number)
  case .word(let word):
    if case .word(let choices) = kind { out.put32(choices.firstIndex(of: word) ?? 0) }
  case .flag(let flag): out.put32(flag ? 1 : 0)
  case .element(let element):
    if case .integer(let bits, let signed) = element {
      out.put16(bits)
      out.put16(signed ? 1 : 0)
    }
  case .ints(let numbers): for number in numbers { out.put(number) }
  case .rows(let rows): out.put(bytes: words(rows))
  case .columns(let columns): out.put(bytes: words(columns))
  case .index(let index):
    out.put32(code(of: index))
    out.put32(index.first | index.bits << 24)
  case .units(let units):
    out.put32(UnitForming.keywords.firstIndex(of: units.keyword) ?? 0)
    out.put16(units.height)
    out.put16(units.width)
  }
  return out.bytes
}

// MARK: Decoding

extension SectionReader {
  /// Reads the fields of a layer that follow its record.
  mutating func readFields(into layer: inout Layer) throws(Diagnostic) {
    try read(Layer.tagged, "layer", into: &layer)
  }

  /// Reads the fields of a block that follow its record.
  mutating func readFields(into block: inout Block) throws(Diagnostic) {
    try read(Block.tagged, "block", into: &block)
  }

  private mutating func read<Owner>(_ fields: [LayerField<Owner>], _ what: String, into owner: inout Owner)
    throws(Diagnostic)
  {
    let length = try count("bytes of fields", limit: Int(UInt32.max), size: 1)
    if length == 0 { return }
    let end = offset + length
    try readParts(until: end, what) { (tag, reader, length) throws(Diagnostic) in
      guard let field = fields.first(where: { $0.tag == tag }) else { return false }
      let start = reader.offset
      guard let value = try reader.value(of: field.kind, length) else {
        throw reader.failure(
          .value, "'\(field.name)': no value in \(length) bytes, expected \(field.kind.name)", at: start)
      }
      try reader.check(value, of: field, at: start)
      field.set(&owner, value)
      guard field.get(owner) == value else {
        throw reader.failure(.value, "'\(field.name)' says what a \(what) has without it", at: start)
      }
      return true
    }
  }

  /// Refuses a value that `field` may not take.
  func check<Owner>(_ value: FieldValue, of field: LayerField<Owner>, at start: Int) throws(Diagnostic) {
    guard let problem = field.problem(of: value) else { return }
    throw failure(ProgramFault(problem.fault), problem.text, at: start)
  }

  /// Reads parts up to `end`; `part` reads the content of one with a number and a length and says whether it knows it.
  ///
  /// Unknown parts are skipped where they may be, and refused with their number elsewhere.
  mutating func readParts(
    until end: Int, _ what: String,
    _ part: (Int, inout SectionReader, Int) throws(Diagnostic) -> Bool
  ) throws(Diagnostic) {
    var last = 0
    while offset < end {
      let start = offset
      let tag = try u16()
      let flags = try u16()
      let content = try u32()
      guard tag > last, flags <= Tag.required else {
        throw failure(.value, "part \(tag) with flags \(flags) after part \(last) of a \(what)", at: start)
      }
      last = tag
      let first = offset
      guard content <= end - first else {
        throw failure(
          .value, "part \(tag) of a \(what) has \(content) bytes, \(end - first) are left", at: start)
      }
      let isKnown = try part(tag, &self, content)
      if !isKnown {
        guard flags == 0 else {
          throw failure(.unknownPart, "part \(tag) of a \(what) is unknown and must be understood", at: start)
        }
        _ = try raw(content)
      } else if flags != Tag.required {
        throw failure(.value, "part \(tag) of a \(what) must carry the flag 'required'", at: start)
      }
      guard offset == first + content else {
        throw failure(
          .value, "part \(tag) of a \(what) has \(content) bytes, a reader needs others", at: start)
      }
      try skipPadding()
    }
    guard offset == end else {
      throw failure(.value, "parts of a \(what) extend beyond their length", at: end)
    }
  }

  /// A value in a content of `length` bytes; nil where it cannot be one.
  private mutating func value(of kind: FieldKind, _ length: Int) throws(Diagnostic) -> FieldValue? {
    switch kind {
    case .int: return length == 8 ? .int(try i64()) : nil
    case .word(let choices):
      guard length == 4 else { return nil }
      let code = try u32()
      return choices.indices.contains(code) ? .word(choices[code]) : nil
    case .flag:
      guard length == 4 else { return nil }
      let start = offset
      return .flag(try boolean(try u32(), at: start))
    case .inputs:
      guard length == 4 else { return nil }
      let (bits, start) = (try u16(), offset)
      return .element(.integer(bits: bits, signed: try boolean(try u16(), at: start)))
    case .ints(let counts, _):
      guard length % 8 == 0, counts.contains(length / 8) else { return nil }
      var numbers: [Int64] = []
      for _ in 0..<length / 8 { numbers.append(try i64()) }
      return .ints(numbers)
    case .rows: return length % 4 == 0 ? .rows(try rowWords(length / 4)) : nil
    case .columns: return length % 4 == 0 ? .columns(try columnWords(length / 4)) : nil
    case .index:
      guard length == 8 else { return nil }
      return try indexCoding(try u32()).map { .index($0) }
    case .units:
      guard length == 8 else { return nil }
      let (code, height) = (try u32(), try u16())
      let width = try u16()
      guard UnitForming.keywords.indices.contains(code) else { return nil }
      return UnitForming(keyword: UnitForming.keywords[code], height: height, width: width).map { .units($0) }
    case .tensor: return nil
    }
  }
}
