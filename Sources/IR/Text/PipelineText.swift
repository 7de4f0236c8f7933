public import Support

/// One pass in a pipeline, with its options as written.
public struct PassCall: Equatable, Sendable {
  /// The name of the pass.
  public var name: String
  /// The options.
  public var options: [NamedAttribute]
  /// Its position in the text of the pipeline.
  public var position: TextPosition

  /// Creates a call.
  public init(
    name: String, options: [NamedAttribute], position: TextPosition = TextPosition(line: 1, column: 1)
  ) {
    self.name = name
    self.options = options
    self.position = position
  }

  /// `name` or `name(option: value, ...)`.
  public var text: String {
    if options.isEmpty { return name }
    return "\(name)(\(options.map { "\($0.name): \($0.value)" }.joined(separator: ", ")))"
  }
}

/// Parses `quantize(weights: 8), slice-bits`; an empty text is an empty pipeline.
public func parsePipeline(_ text: String) throws(Diagnostic) -> [PassCall] {
  var stream = try TokenStream(text)
  var calls: [PassCall] = []
  while stream.current.kind != .end {
    let name = try stream.take(.word, "the name of a pass")
    let options = stream.isSign("(") ? try stream.takeOptions() : []
    calls.append(PassCall(name: name.text, options: options, position: name.position))
    guard try stream.skip(",") else { break }
  }
  guard stream.current.kind == .end else { throw stream.unexpected("',' or the end of the pipeline") }
  return calls
}

extension TokenStream {
  /// `(name: value, ...)`.
  fileprivate mutating func takeOptions() throws(Diagnostic) -> [NamedAttribute] {
    var options: [NamedAttribute] = []
    try expect("(")
    while !isSign(")") {
      let name = try take(.word, "the name of an option")
      guard !options.contains(where: { $0.name == name.text }) else {
        throw Diagnostic(
          "text.option-twice", "option '\(name.text)' is given twice", at: Location(.text(name.position)))
      }
      try expect(":")
      options.append(NamedAttribute(name.text, try takeAttribute(depth: 0)))
      guard try skip(",") else { break }
    }
    try expect(")")
    return options
  }
}
