internal import COnnx
internal import CProtobufC
internal import Support

/// Checks a message against its schema before anything is unpacked: nesting depth, counts, wire types and texts.
///
/// protobuf-c has no limit of its own on any of these, ends texts at a zero byte and does not look at UTF-8.
struct WireCheck {
  let bytes: UnsafeRawBufferPointer
  let limits: ONNXLimits
  private var fields = 0
  private var nodes = 0
  private var tensors = 0
  private var attributes = 0

  init(_ bytes: UnsafeRawBufferPointer, _ limits: ONNXLimits) {
    self.bytes = bytes
    self.limits = limits
  }

  /// Checks the message in `range` and all messages in it.
  mutating func check(_ range: ByteRange, _ schema: OnnxDescriptor, depth: Int = 1) throws(Diagnostic) {
    guard depth <= limits.depth else {
      throw Diagnostic(
        "onnx.too-deep", "messages nest deeper than \(limits.depth) levels",
        at: Location(.bytes(section: "file", offset: range.start)),
        notes: ["take nested If, Loop and Scan nodes apart before the export"])
    }
    try count(schema, at: range.start)
    var reader = WireReader(bytes, range)
    while let field = try reader.next() {
      fields += 1
      try limit(fields, limits.fields, "fields", at: field.start)
      guard
        let known = protobuf_c_message_descriptor_get_field(schema, UInt32(truncatingIfNeeded: field.number))
      else { continue }
      try check(field, known.pointee, of: schema, depth)
    }
  }

  private mutating func count(_ schema: OnnxDescriptor, at offset: Int) throws(Diagnostic) {
    if schema == onnx_node_descriptor() {
      nodes += 1
      try limit(nodes, limits.nodes, "nodes", at: offset)
    } else if schema == onnx_tensor_descriptor() {
      tensors += 1
      try limit(tensors, limits.tensors, "tensors", at: offset)
    } else if schema == onnx_attribute_descriptor() {
      attributes += 1
      try limit(attributes, limits.attributes, "attributes", at: offset)
    }
  }

  private func limit(_ count: Int, _ most: Int, _ what: String, at offset: Int) throws(Diagnostic) {
    guard count <= most else {
      throw limitExceeded(
        "the file has more than \(most) \(what)", at: .bytes(section: "file", offset: offset))
    }
  }

  private mutating func check(
    _ field: WireField, _ known: ProtobufCFieldDescriptor, of schema: OnnxDescriptor, _ depth: Int
  ) throws(Diagnostic) {
    let expected = wireType(of: known.type)
    guard field.type == expected else {
      let isPacked = field.type == .bytes && known.label == PROTOBUF_C_LABEL_REPEATED
      guard isPacked else {
        throw damaged(
          "onnx.wire",
          "field '\(text(known.name))' is written as \(field.type.name), expected \(expected.name)",
          at: field.start)
      }
      // The data of tensors is checked when it is read, so that opening a file does not touch its weights.
      if schema != onnx_tensor_descriptor() || known.id == 1 { try checkPacked(field, expected, known) }
      return
    }
    if known.type == PROTOBUF_C_TYPE_STRING {
      try checkText(field, known)
    } else if known.type == PROTOBUF_C_TYPE_MESSAGE, let inner = known.descriptor {
      let schema = inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
      try check(field.payload, schema, depth: depth + 1)
    }
  }

  private func checkPacked(
    _ field: WireField, _ element: WireType, _ known: ProtobufCFieldDescriptor
  ) throws(Diagnostic) {
    let size = element == .fixed32 ? 4 : 8
    if element == .varint {
      var reader = WireReader(bytes, field.payload)
      while reader.offset < field.payload.end { _ = try reader.varint() }
    } else if field.payload.count % size != 0 {
      throw damaged(
        "onnx.wire",
        "field '\(text(known.name))' has \(field.payload.count) bytes, not a multiple of \(size)",
        at: field.start)
    }
  }

  private func checkText(_ field: WireField, _ known: ProtobufCFieldDescriptor) throws(Diagnostic) {
    let content = UnsafeRawBufferPointer(rebasing: bytes[field.payload.start..<field.payload.end])
    guard String(validating: content, as: UTF8.self) != nil, !content.contains(0) else {
      throw damaged(
        "onnx.text", "field '\(text(known.name))' is not a UTF-8 text without zero bytes",
        at: field.payload.start)
    }
  }

  private func wireType(of type: ProtobufCType) -> WireType {
    switch type {
    case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: .bytes
    case PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32: .fixed32
    case PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64: .fixed64
    default: .varint
    }
  }
}

/// A message about something larger than the reader is willing to take memory for.
func limitExceeded(_ message: String, at place: Location.Place) -> Diagnostic {
  Diagnostic(
    "onnx.limit", message, at: Location(place),
    notes: [
      "the limit guards against files made to exhaust memory; a program that embeds the reader can raise it"
    ])
}
