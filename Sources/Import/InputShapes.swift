import ONNX
public import Support
import Tensors

/// The lengths that the user gives to inputs whose shapes a file leaves open, in whole or in part.
public struct InputShapes: Hashable, Sendable {
  private struct Given: Hashable {
    let input: String
    let shape: [Int]
  }

  private var given: [Given] = []

  /// Gives none.
  public init() {}

  /// Reads texts such as `image=1x3x48x320`; throws `usage.shape` for other texts and for an input named twice.
  public init(_ texts: [String]) throws(Diagnostic) {
    for text in texts {
      guard let equals = text.lastIndex(of: "="), equals != text.startIndex else {
        throw Self.malformed(text)
      }
      let lengths = text[text.index(after: equals)...].split(separator: "x", omittingEmptySubsequences: false)
      let shape = lengths.compactMap { Int($0) }
      guard shape.count == lengths.count, shape.allSatisfy({ $0 > 0 }), isComputable(shape) else {
        throw Self.malformed(text)
      }
      let name = String(text[..<equals])
      guard self[name] == nil else {
        throw Diagnostic("usage.shape", "--shape names the input '\(name)' twice")
      }
      given.append(Given(input: name, shape: shape))
    }
  }

  /// The shape given to an input, or nil.
  subscript(input: String) -> [Int]? { given.first { $0.input == input }?.shape }

  /// The inputs that are given shapes, in order.
  var inputs: [String] { given.map(\.input) }

  private static func malformed(_ text: String) -> Diagnostic {
    Diagnostic(
      "usage.shape", "--shape takes an input and its lengths, such as image=1x3x48x320, found '\(text)'")
  }
}

/// The shapes of a graph's inputs, as its file and the user give them together.
struct ResolvedShapes {
  private let shapes: InputShapes
  /// What the names of open lengths stand for.
  private var symbols: [String: Int] = [:]

  /// Holds `shapes` against `inputs`: ranks and fixed lengths must agree, and lengths of one name among each other.
  ///
  /// Throws `import.shape-option`.
  init(_ shapes: InputShapes, _ inputs: [ONNXValueInfo]) throws(Diagnostic) {
    self.shapes = shapes
    for name in shapes.inputs {
      guard let input = inputs.first(where: { $0.name == name }), let shape = shapes[name] else {
        let names = inputs.map(\.name)
        let hint = nearest(name, in: names).map { "did you mean '\($0)'? " } ?? ""
        throw optionError(
          "--shape names the input '\(name)', which the model does not have", .whole,
          hint + "its inputs are \(names.map { "'\($0)'" }.joined(separator: ", "))")
      }
      if let dimensions = input.shape { try agree(shape, dimensions, name) }
    }
  }

  private mutating func agree(_ shape: [Int], _ dimensions: [ONNXDimension], _ name: String)
    throws(Diagnostic)
  {
    let place = Location.Place.item("input '\(name)'")
    guard shape.count == dimensions.count else {
      throw optionError(
        "--shape gives \(shape.count) lengths, the input has \(dimensions.count) axes", place,
        "write \(optionText(name, dimensions))")
    }
    for (axis, (length, dimension)) in zip(shape, dimensions).enumerated() {
      switch dimension {
      case .fixed(let size) where size > 0:
        guard size == length else {
          throw optionError(
            "axis \(axis) has the length \(size) in the file, --shape gives \(length)", place,
            "only lengths that the file leaves open can be chosen: \(optionText(name, dimensions))")
        }
      case .named(let symbol):
        if let other = symbols.updateValue(length, forKey: symbol), other != length {
          throw optionError(
            "--shape gives the length '\(symbol)' as \(other) and as \(length)", place,
            "axes of one name have one length")
        }
      case .fixed, .unknown: break
      }
    }
  }

  /// The shape of an input. An open first axis, the batch, is 1 unless the user says otherwise.
  ///
  /// Throws `import.dynamic-shape`, which shows the option to write, and `import.input-size`.
  func shape(of input: ONNXValueInfo) throws(Diagnostic) -> [Int] {
    let place = Location.Place.item("input '\(input.name)'")
    let found = shapes[input.name] == nil ? try known(input, place) : shapes[input.name]
    guard let shape = found else {
      throw Diagnostic(
        "import.dynamic-shape", "the input has no shape", at: Location(place),
        notes: ["give it one: --shape '\(input.name)=1x3x224x224', with the lengths of the input"])
    }
    guard isComputable(shape) else {
      throw Diagnostic(
        "import.input-size", "the input has too many elements", at: Location(place),
        notes: ["at most \(maximumElements) are supported"])
    }
    return shape
  }

  private func known(_ input: ONNXValueInfo, _ place: Location.Place) throws(Diagnostic) -> [Int]? {
    guard let dimensions = input.shape else { return nil }
    var shape: [Int] = []
    for (axis, dimension) in dimensions.enumerated() {
      switch dimension {
      case .fixed(let length) where length > 0: shape.append(length)
      case .named(let symbol) where symbols[symbol] != nil: shape.append(symbols[symbol] ?? 1)
      case .fixed, .named, .unknown:
        guard axis == 0 else {
          throw Diagnostic(
            "import.dynamic-shape", "axis \(axis) of the input has no fixed length", at: Location(place),
            notes: ["fix the open lengths: \(optionText(input.name, dimensions)), with numbers for the words"]
          )
        }
        shape.append(1)
      }
    }
    return shape
  }
}

/// The option that fixes the lengths of an input, with words where it needs numbers: `--shape
/// 'x=1x3x<height>x<width>'`.
private func optionText(_ name: String, _ dimensions: [ONNXDimension]) -> String {
  let lengths = dimensions.enumerated().map { axis, dimension in
    switch dimension {
    case .fixed(let length) where length > 0: "\(length)"
    case _ where axis == 0: "1"
    case .named(let symbol): "<\(symbol)>"
    case .fixed, .unknown: "<axis \(axis)>"
    }
  }
  return "--shape '\(name)=\(lengths.joined(separator: "x"))'"
}

private func optionError(_ message: String, _ place: Location.Place, _ help: String) -> Diagnostic {
  Diagnostic("import.shape-option", message, at: Location(place), notes: [help])
}
