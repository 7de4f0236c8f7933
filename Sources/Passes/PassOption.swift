public import IR
public import Support

/// An option of a pass as lists and texts show it.
public struct PassOptionSpec: Sendable {
  /// The name.
  public let name: String
  /// The kind of value.
  public let kind: AttributeKind
  /// The value where none is given.
  public let fallback: Attribute
  /// What it does.
  public let summary: String
  /// Former keywords with those of today: still accepted on command lines, with a warning; lists do not show them.
  public var formerWords: [String: String] = [:]
}

/// An option of a pass with the Swift type of its value: `options[Self.height]` reads it, so that a misspelt name does
/// not compile.
struct PassOption<Value: Sendable>: Sendable {
  /// What lists and texts show.
  let spec: PassOptionSpec
  /// The value where none is given.
  let fallback: Value
  /// The value that an attribute of the option's kind stands for.
  let read: @Sendable (Attribute) -> Value?

  fileprivate init(
    _ name: String, _ kind: AttributeKind, _ text: Attribute, _ summary: String, fallback: Value,
    formerWords: [String: String] = [:], read: @escaping @Sendable (Attribute) -> Value?
  ) {
    spec = PassOptionSpec(
      name: name, kind: kind, fallback: text, summary: summary, formerWords: formerWords)
    self.fallback = fallback
    self.read = read
  }
}

extension PassOption where Value == Int {
  /// A whole number.
  static func int(_ name: String, _ range: ClosedRange<Int>, default fallback: Int, _ summary: String)
    -> Self
  {
    Self(name, .int(range), .int(Int64(fallback)), summary, fallback: fallback) { $0.asInt }
  }
}

extension PassOption where Value == Float {
  /// A float.
  static func float(_ name: String, default fallback: Float, _ summary: String) -> Self {
    Self(name, .float, .float(fallback), summary, fallback: fallback) {
      if case .float(let number) = $0 { number } else { nil }
    }
  }
}

extension PassOption where Value == Bool {
  /// `true` or `false`, the latter where none is given.
  static func flag(_ name: String, _ summary: String) -> Self {
    Self(name, .word(["true", "false"]), .bool(false), summary, fallback: false) { $0 == .bool(true) }
  }
}

/// The keywords that an option may have, in the order of the texts.
protocol OptionWord: RawRepresentable<String>, CaseIterable, Sendable {
  /// Former keywords that are still accepted on command lines.
  static var formerWords: [String: Self] { get }
}

extension OptionWord {
  static var formerWords: [String: Self] { [:] }

  fileprivate static var words: [String] { allCases.map(\.rawValue) }

  fileprivate init?(_ attribute: Attribute) {
    guard case .word(let word) = attribute else { return nil }
    self.init(rawValue: word)
  }
}

extension PassOption where Value: OptionWord {
  /// One of the keywords of an enumeration.
  static func choice(_ name: String, default fallback: Value, _ summary: String) -> Self {
    Self(
      name, .word(Value.words), .word(fallback.rawValue), summary, fallback: fallback,
      formerWords: Value.formerWords.mapValues(\.rawValue)
    ) { Value($0) }
  }
}

/// A whole number, or a keyword instead.
enum NumberOr<Word: OptionWord>: Sendable {
  case number(Int)
  case word(Word)

  /// The number; nil where a keyword is given instead.
  var number: Int? {
    if case .number(let number) = self { return number }
    return nil
  }
}

/// The keyword of options that a pass sets by itself where no number is given.
enum Auto: String, OptionWord { case auto }

extension PassOption {
  /// A whole number or one of the keywords of an enumeration.
  static func number<Word: OptionWord>(
    _ name: String, _ range: ClosedRange<Int>, orDefault fallback: Word, _ summary: String
  ) -> Self where Value == NumberOr<Word> {
    let kind = AttributeKind.intOrWord(Int64(range.lowerBound)...Int64(range.upperBound), Word.words)
    return Self(name, kind, .word(fallback.rawValue), summary, fallback: .word(fallback)) {
      $0.asInt.map { .number($0) } ?? Word($0).map { .word($0) }
    }
  }
}

/// A size such as `64x32`, or a keyword instead.
enum SizeOr<Word: OptionWord>: Sendable {
  case size(rows: Int, columns: Int)
  case word(Word)
}

extension PassOption {
  /// A size or one of the keywords of an enumeration.
  static func size<Word: OptionWord>(_ name: String, orDefault fallback: Word, _ summary: String) -> Self
  where Value == SizeOr<Word> {
    Self(name, .sizeOrWord(Word.words), .word(fallback.rawValue), summary, fallback: .word(fallback)) {
      $0.asSize.map { .size(rows: $0.rows, columns: $0.columns) } ?? Word($0).map { .word($0) }
    }
  }
}

extension AttributeKind {
  fileprivate static func int(_ range: ClosedRange<Int>) -> AttributeKind {
    .int(Int64(range.lowerBound)...Int64(range.upperBound))
  }
}

/// The options of one use of a pass: those given, and the defaults of the others.
public struct PassOptions: Sendable {
  private let values: [NamedAttribute]

  /// Checks `given` against `specs`.
  public init(_ given: [NamedAttribute], _ specs: [PassOptionSpec], pass: String) throws(Diagnostic) {
    for option in given {
      guard let spec = specs.first(where: { $0.name == option.name }) else {
        let known = specs.isEmpty ? "it has none" : "known are \(specs.map(\.name).joined(separator: ", "))"
        throw Diagnostic("pass.option", "\(pass) has no option '\(option.name)'; \(known)")
      }
      guard spec.kind.admits(option.value) else {
        throw Diagnostic(
          "pass.option", "option '\(option.name)' of \(pass) must be \(spec.kind.name), found \(option.value)"
        )
      }
    }
    values = specs.map { spec in
      given.first { $0.name == spec.name } ?? NamedAttribute(spec.name, spec.fallback)
    }
  }

  /// The value of `option`, which the pass lists among its options.
  subscript<Value>(option: PassOption<Value>) -> Value {
    guard let given = values.first(where: { $0.name == option.spec.name }) else {
      preconditionFailure("the pass does not list its option \(option.spec.name)")
    }
    return option.read(given.value) ?? option.fallback
  }
}
