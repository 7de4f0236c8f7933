import Hardware
public import Support
public import Tensors

/// Finds the numbers of a resource by name; nil where there is no such resource.
public typealias ResourceLookup = (String) throws(Diagnostic) -> Tensor?

/// Parses one module of any level.
///
/// Throws the first error, with its place in the text. What parses, prints to a text that parses to the same.
public func parseModule(_ text: String, file: String = "", resources: ResourceLookup = { _ in nil })
  throws(Diagnostic) -> AnyModule
{
  do {
    var stream = try TokenStream(text)
    let header = try stream.takeHeader()
    switch header.level {
    case .tensor: return .tensor(try parseBody(&stream, header, resources))
    case .crossbar: return .crossbar(try parseBody(&stream, header, resources))
    case .program: return .program(try parseBody(&stream, header, resources))
    }
  } catch {
    throw error.inFile(file)
  }
}

private func parseBody<L: Level>(
  _ stream: inout TokenStream, _ header: ModuleHeader, _ resources: ResourceLookup
) throws(Diagnostic) -> Module<L> {
  var parser = BodyParser<L>(header)
  try parser.parse(&stream, resources)
  guard stream.current.kind == .end else { throw stream.unexpected("the end of the text") }
  return parser.module
}

private struct ModuleHeader {
  var name: String
  var position: TextPosition
  var level: LevelName
  var facts: Set<Fact>
}

extension TokenStream {
  /// The quoted text behind the given word, with its place, if the word comes next.
  fileprivate mutating func takeText(after word: String, _ what: String) throws(Diagnostic) -> (
    text: String, place: Location
  )? {
    guard isWord(word) else { return nil }
    _ = try take()
    let token = try take(.string, what)
    return (token.text, Location(.text(token.position)))
  }

  fileprivate mutating func takeHeader() throws(Diagnostic) -> ModuleHeader {
    try takeVersion()
    let position = current.position
    try expectWord("module")
    let name = try take(.symbol, "the module's name, such as @net").text
    try expectWord("level")
    let levelToken = try take(.word, "tensor, crossbar or program")
    guard let level = LevelName(rawValue: levelToken.text) else {
      throw Diagnostic(
        "text.level", "unknown level '\(levelToken.text)', expected tensor, crossbar or program",
        at: Location(.text(levelToken.position)))
    }
    try expectWord("facts")
    return ModuleHeader(name: name, position: position, level: level, facts: try takeFacts())
  }

  /// `xir 2`.
  private mutating func takeVersion() throws(Diagnostic) {
    let place = Location(.text(current.position))
    guard isWord("xir") else {
      throw Diagnostic(
        "text.version", "a text begins with its version, 'xir \(textVersion)'", at: place,
        notes: isWord("module") ? ["a text without a version was written by xbar 0.1"] : [])
    }
    _ = try take()
    let version = try takeCount(limit: Int(Int32.max))
    guard version == textVersion else {
      throw Diagnostic(
        "text.version", "the text is of version \(version), this reader knows version \(textVersion)",
        at: place)
    }
  }

  private mutating func takeFacts() throws(Diagnostic) -> Set<Fact> {
    var facts: Set<Fact> = []
    try expect("[")
    while !isSign("]") {
      let token = try take(.word, "a fact")
      guard let fact = Fact(rawValue: token.text) else {
        let known = Fact.allCases.map(\.rawValue).joined(separator: ", ")
        throw Diagnostic(
          "text.fact", "unknown fact '\(token.text)', known are \(known)", at: Location(.text(token.position))
        )
      }
      facts.insert(fact)
      guard try skip(",") else { break }
    }
    try expect("]")
    return facts
  }

  /// `loc(12, "conv1", "Conv")`, if it comes next.
  fileprivate mutating func takeOrigin() throws(Diagnostic) -> NodeOrigin? {
    guard isWord("loc") else { return nil }
    _ = try take()
    try expect("(")
    let index = try takeCount(limit: Int(Int32.max))
    try expect(",")
    let name = try take(.string, "the node's name").text
    try expect(",")
    let op = try take(.string, "the node's operator").text
    try expect(")")
    return NodeOrigin(index: index, name: name, op: op)
  }
}

/// Parses the text between the braces of a module.
private struct BodyParser<L: Level> {
  var module: Module<L>
  private var names: [String: ValueID] = [:]

  init(_ header: ModuleHeader) {
    module = Module(name: header.name, facts: header.facts)
    module.position = header.position
  }

  mutating func parse(_ stream: inout TokenStream, _ resources: ResourceLookup) throws(Diagnostic) {
    try stream.expect("{")
    while !stream.isSign("}") {
      if stream.isWord("resource") {
        try parseResource(&stream, resources)
      } else if stream.isWord("machine") {
        let place = stream.current.position
        guard module.machine == nil else {
          throw Diagnostic(
            "text.machine-twice", "the module names its machine twice", at: Location(.text(place)))
        }
        module.machine = try stream.takeMachine()
      } else if stream.isWord("info") {
        _ = try stream.take()
        let place = stream.current.position
        let key = try stream.take(.string, "a key in quotes").text
        guard !module.info.contains(where: { $0.key == key }) else {
          throw Diagnostic("text.info-twice", "the key '\(key)' is given twice", at: Location(.text(place)))
        }
        try stream.expect(":")
        module.info.append(InfoLine(key: key, text: try stream.take(.string, "a text in quotes").text))
      } else {
        module.body.append(try parseOp(&stream, depth: 0))
      }
    }
    try stream.expect("}")
  }

  private mutating func parseResource(_ stream: inout TokenStream, _ resources: ResourceLookup)
    throws(Diagnostic)
  {
    _ = try stream.take()
    let token = try stream.take(.resource, "the resource's name, such as #w0")
    let place = Location(.text(token.position))
    guard module.resource(token.text) == nil else {
      throw Diagnostic("text.resource-twice", "resource #\(token.text) is declared twice", at: place)
    }
    try stream.expect(":")
    let type = try stream.takeType()
    let crc = try stream.takeText(after: "crc", "a checksum such as \"9ad3c1f0\"")
    let bytes = try stream.takeText(after: "bytes", "numbers in base64")
    let inPlace: Tensor? = if let bytes { try numbers(bytes.text, of: type, at: bytes.place) } else { nil }
    let found = if let inPlace { Optional(inPlace) } else { try resources(token.text) }
    guard let found else {
      throw Diagnostic(
        "text.resource-missing", "resource #\(token.text) is not in the side file", at: place,
        notes: ["large constants live in a file of the same name plus .npz; keep both together"])
    }
    let tensor = try fit(found, type, name: token.text, at: place)
    let sum = checksumText(tensor)
    guard crc == nil || crc?.text == sum else {
      throw Diagnostic(
        "text.resource-crc", "resource #\(token.text) has checksum \(sum), expected \(crc?.text ?? "")",
        at: crc?.place ?? place,
        notes: [
          bytes == nil
            ? "the side file does not belong to this text" : "the numbers are not those of the checksum",
          "after a change on purpose write crc \"\(sum)\", or leave crc out",
        ])
    }
    module.setResource(Resource(name: token.text, element: type.element, tensor: tensor))
  }

  /// The numbers that stand in the text.
  private func numbers(_ text: String, of type: ValueType, at place: Location) throws(Diagnostic) -> Tensor {
    guard let bytes = Base64.decode(text), let shape = type.shape,
      let tensor = Tensor(shape, bytes: bytes, as: type.element)
    else {
      throw Diagnostic(
        "text.resource-bytes", "these are not the numbers of \(type), little-endian, in base64", at: place)
    }
    return tensor
  }

  private func fit(_ found: Tensor, _ type: ValueType, name: String, at place: Location) throws(Diagnostic)
    -> Tensor
  {
    guard found.shape == type.shape, found.data.isFloat == type.element.isFloat else {
      throw Diagnostic(
        "text.resource-type", "resource #\(name) has another shape or kind in the side file than \(type)",
        at: place)
    }
    if type.element.isFloat { return found }
    let values = found.integers
    guard values.allSatisfy({ $0 >= type.element.lowest && $0 <= type.element.highest }) else {
      throw Diagnostic(
        "text.resource-type", "resource #\(name) holds numbers that do not fit \(type.element)", at: place)
    }
    return Tensor(found.shape, values, as: type.element)
  }

  private mutating func parseOp(_ stream: inout TokenStream, depth: Int) throws(Diagnostic) -> OpID {
    let start = stream.current.position
    let resultNames = try parseResults(&stream)
    let word = try stream.take(.word, "an operation")
    guard let opcode = Opcode(rawValue: word.text) else {
      throw Diagnostic(
        "text.opcode", "unknown operation '\(word.text)'", at: Location(.text(word.position)),
        notes: nearest(word.text, in: Opcode.allCases.map(\.rawValue)).map { ["did you mean '\($0)'?"] } ?? []
      )
    }
    var op = Op(opcode, position: start)
    let spec = opcode.spec
    if stream.current.kind == .symbol { op.symbol = try stream.take().text }
    if spec.operands.upperBound > 0 { op.operands = try parseOperands(&stream) }
    if stream.isSign("[") { op.attributes = try stream.takeAttributes() }
    op.results = try define(resultNames, opcode, &stream)
    op.origin = try stream.takeOrigin()
    if stream.isSign("{") { op.body = try parseNested(&stream, opcode, depth: depth) }
    return module.add(op)
  }

  private func parseResults(_ stream: inout TokenStream) throws(Diagnostic) -> [Token] {
    guard stream.current.kind == .value else { return [] }
    var names: [Token] = []
    repeat {
      names.append(try stream.take(.value, "a value such as %x"))
    } while try stream.skip(",")
    try stream.expect("=")
    return names
  }

  private mutating func parseOperands(_ stream: inout TokenStream) throws(Diagnostic) -> [ValueID] {
    guard stream.current.kind == .value else { return [] }
    var operands: [ValueID] = []
    repeat {
      let token = try stream.take(.value, "a value such as %x")
      guard let value = names[token.text] else {
        throw Diagnostic(
          "text.undefined", "value %\(token.text) is not defined before it is used",
          at: Location(.text(token.position)))
      }
      operands.append(value)
    } while try stream.skip(",")
    return operands
  }

  /// New values with their types; at program level only buffers are new and all others name buffers.
  private mutating func define(_ tokens: [Token], _ opcode: Opcode, _ stream: inout TokenStream)
    throws(Diagnostic) -> [ValueID]
  {
    if tokens.isEmpty { return [] }
    if L.name == .program && opcode != .buffer { return try written(tokens) }
    try stream.expect(":")
    var ids: [ValueID] = []
    for (at, token) in tokens.enumerated() {
      if at > 0 { try stream.expect(",") }
      let type = try stream.takeType()
      guard names[token.text] == nil else {
        throw Diagnostic(
          "text.value-twice", "value %\(token.text) is defined twice", at: Location(.text(token.position)))
      }
      let id = module.values.add(Value(name: token.text, type: type))
      names[token.text] = id
      ids.append(id)
    }
    return ids
  }

  private func written(_ tokens: [Token]) throws(Diagnostic) -> [ValueID] {
    var ids: [ValueID] = []
    for token in tokens {
      guard let id = names[token.text] else {
        throw Diagnostic(
          "text.undefined", "buffer %\(token.text) is not declared", at: Location(.text(token.position)))
      }
      ids.append(id)
    }
    return ids
  }

  private mutating func parseNested(_ stream: inout TokenStream, _ opcode: Opcode, depth: Int)
    throws(Diagnostic) -> [OpID]
  {
    guard opcode.spec.body != nil, depth < TextLimits.bodyDepth else {
      throw Diagnostic(
        "text.depth", "'\(opcode.rawValue)' may not have a body here",
        at: Location(.text(stream.current.position)))
    }
    var body: [OpID] = []
    try stream.expect("{")
    while !stream.isSign("}") { body.append(try parseOp(&stream, depth: depth + 1)) }
    try stream.expect("}")
    return body
  }
}

/// The CRC-32C of the tensor's numbers in their container, little-endian, as eight hexadecimal digits.
func checksumText(_ tensor: Tensor) -> String {
  let crc: UInt32
  switch tensor.data {
  case .f32(let v): crc = v.withUnsafeBytes { CRC32C.checksum($0) }
  case .i8(let v): crc = v.withUnsafeBytes { CRC32C.checksum($0) }
  case .u8(let v): crc = v.withUnsafeBytes { CRC32C.checksum($0) }
  case .i16(let v): crc = v.withUnsafeBytes { CRC32C.checksum($0) }
  case .u16(let v): crc = v.withUnsafeBytes { CRC32C.checksum($0) }
  case .i32(let v): crc = v.withUnsafeBytes { CRC32C.checksum($0) }
  case .i64(let v): crc = v.withUnsafeBytes { CRC32C.checksum($0) }
  }
  let digits = String(crc, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
