internal import COnnx
internal import CProtobufC
internal import Glibc
internal import Support

/// A set of field numbers below 64.
struct FieldSet: ExpressibleByArrayLiteral {
  private let bits: UInt64

  init(arrayLiteral numbers: Int...) {
    bits = numbers.reduce(0) { $0 | 1 << UInt64($1) }
  }

  func contains(_ number: Int) -> Bool { number < 64 && bits >> UInt64(number) & 1 == 1 }
}

/// A message taken apart: the small fields as a message of their own, the others as ranges of the file.
struct SplitMessage {
  /// Small fields, still encoded, for protobuf-c.
  var small: [UInt8] = []
  /// The fields that are read in place.
  var parts: [WireField] = []
  /// The memory it takes.
  var size: Int { small.count + parts.count * MemoryLayout<WireField>.stride }
}

/// What unpacking may still allocate, seen by protobuf-c through its allocator.
struct UnpackBudget {
  var left: Int
  var isExceeded = false
}

extension ModelDecoder {
  /// Takes the message in `range` apart; fields in neither set are dropped.
  func split(_ range: ByteRange, small: FieldSet, parts: FieldSet) throws(Diagnostic) -> SplitMessage {
    var result = SplitMessage()
    var reader = WireReader(source.bytes, range)
    while let field = try reader.next() {
      let isPart = parts.contains(field.number)
      guard isPart || small.contains(field.number) else { continue }
      let more = isPart ? MemoryLayout<WireField>.stride : reader.offset - field.start
      guard result.size + more <= budget.left else { throw budgetExceeded(range) }
      if isPart {
        result.parts.append(field)
      } else {
        let encoded = UnsafeRawBufferPointer(rebasing: source.bytes[field.start..<reader.offset])
        result.small.append(contentsOf: encoded)
      }
    }
    return result
  }

  /// Unpacks `small`, hands the result to `body` and frees it. `T` must be the struct that `schema` describes.
  mutating func unpack<T, R>(
    _ small: [UInt8], _ schema: OnnxDescriptor, as type: T.Type, from range: ByteRange,
    _ body: (T) throws(Diagnostic) -> R
  ) throws(Diagnostic) -> R {
    var budget = self.budget
    budget.left -= small.count
    let found: Result<R, Diagnostic>? = withUnsafeMutablePointer(to: &budget) { state in
      var allocator = ProtobufCAllocator(alloc: allocate, free: release, allocator_data: state)
      guard let message = protobuf_c_message_unpack(schema, &allocator, small.count, small) else {
        return nil
      }
      defer { protobuf_c_message_free_unpacked(message, &allocator) }
      let value = UnsafeRawPointer(message).assumingMemoryBound(to: T.self)
      return Result { () throws(Diagnostic) -> R in try body(value.pointee) }
    }
    self.budget = budget
    guard let found else {
      if budget.isExceeded { throw budgetExceeded(range) }
      throw damaged("onnx.wire", "a message does not follow the ONNX schema", at: range.start)
    }
    return try found.get()
  }

  private func budgetExceeded(_ range: ByteRange) -> Diagnostic {
    limitExceeded(
      "names, attributes and types need more than \(limits.unpackedBytes) bytes",
      at: .bytes(section: "file", offset: range.start))
  }
}

private func allocate(_ state: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
  guard let budget = state?.assumingMemoryBound(to: UnpackBudget.self) else { return nil }
  guard size >= 0, size <= budget.pointee.left else {
    budget.pointee.isExceeded = true
    return nil
  }
  budget.pointee.left -= size
  return malloc(size)
}

private func release(_ state: UnsafeMutableRawPointer?, _ block: UnsafeMutableRawPointer?) {
  free(block)
}

/// The text of a C string that was checked for UTF-8; empty where there is none.
func text(_ string: UnsafePointer<CChar>?) -> String {
  string.map { String(cString: $0) } ?? ""
}

/// A C array of messages, texts or numbers.
func array<T>(_ first: UnsafeMutablePointer<T>?, _ count: Int) -> UnsafeBufferPointer<T> {
  UnsafeBufferPointer(start: first, count: first == nil ? 0 : count)
}
