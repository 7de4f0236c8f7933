import Tensors
import Testing

/// The catalog of digital operators: complete, in order, and with the codes that programs have.
struct CatalogTests {
  @Test func functionsStandInTheOrderOfTheirCodes() {
    for kind in UnaryFunction.Kind.allCases {
      let entry = OperatorCatalog.entry(of: kind)
      #expect(entry.code == .unary && entry.function == kind.rawValue, "\(kind)")
    }
    #expect(OperatorCatalog.entries.filter { $0.code == .unary }.count == UnaryFunction.Kind.allCases.count)
    for function in BinaryFunction.allCases {
      let entry = OperatorCatalog.entry(of: function)
      #expect(entry.code == .binary && entry.function == function.rawValue && entry.name == "\(function)")
    }
    #expect(OperatorCatalog.entries.filter { $0.code == .binary }.count == BinaryFunction.allCases.count)
  }

  @Test func everyCodeHasOneRow() {
    let entries = OperatorCatalog.entries
    #expect(Set(entries.map(\.name)).count == entries.count)
    #expect(Set(entries.map { [$0.code.rawValue, $0.function ?? 0] }).count == entries.count)
    #expect(Set(entries.map(\.code)) == Set(OperatorCode.allCases))
    for entry in entries {
      #expect(OperatorCatalog.entry(entry.code, function: entry.function)?.name == entry.name)
      #expect(OperatorCatalog.entry(named: entry.name)?.code == entry.code)
      #expect((entry.function == nil) == (entry.code != .unary && entry.code != .binary), "\(entry.name)")
    }
    #expect(OperatorCatalog.entry(.unary) == nil && OperatorCatalog.entry(.softmax, function: 1) == nil)
    #expect(OperatorCatalog.entry(named: "unary") == nil)
  }

  /// Files hold these numbers, so they never change.
  @Test func codesAreThoseOfPrograms() {
    let unary = [
      "relu", "leaky-relu", "clip", "sigmoid", "tanh", "hard-sigmoid", "hard-swish", "elu", "softplus", "exp",
      "log", "sqrt", "abs", "negate", "erf", "floor", "round", "sign", "ceil",
    ]
    for (place, name) in unary.enumerated() {
      #expect(OperatorCatalog.entry(named: name)?.function == UInt32(place + 1), "\(name)")
    }
    let binary = [
      "add", "subtract", "multiply", "divide", "maximum", "minimum", "greater", "equal", "power",
    ]
    for (place, name) in binary.enumerated() {
      #expect(OperatorCatalog.entry(named: name)?.function == UInt32(place + 1), "\(name)")
    }
    let codes: [(String, UInt32)] = [
      ("relu", 1), ("add", 2), ("softmax", 3), ("matmul", 4), ("max-pool", 5), ("average-pool", 6),
      ("mean", 7), ("reshape", 8), ("transpose", 9), ("concat", 10), ("pad", 11), ("quantize", 12),
      ("dequantize", 13), ("requantize", 14), ("add-bias", 15), ("lookup", 16), ("slice", 17), ("gather", 18),
      ("arg-max", 19), ("select", 20), ("reduce-max", 21),
    ]
    for (name, code) in codes { #expect(OperatorCatalog.entry(named: name)?.code.rawValue == code) }
  }

  @Test func operatorsAreTakenApartAndMadeAgain() throws {
    for entry in OperatorCatalog.entries {
      let values = entry.parameters.map(\.kind).map(sample)
      let digital = try #require(entry.makeOperator(values), "\(entry.name)")
      #expect(digital.values == values && digital.entry.name == entry.name && digital.code == entry.code)
      #expect(entry.makeOperator(values + [.flag(true)]) == nil)
      if !values.isEmpty {
        let wrong: OperatorValue = values[0] == .flag(true) ? .float(1) : .flag(true)
        #expect(entry.makeOperator([wrong] + values.dropFirst()) == nil, "\(entry.name)")
      }
    }
    #expect(UnaryFunction(.clip, [1]) == nil && UnaryFunction(.relu, [1]) == nil)
    #expect(UnaryFunction(.clip, [1, 2]) == .clip(low: 1, high: 2) && UnaryFunction(.sign) == .sign)
  }

  /// What a row says of the shape is what `resultShape` computes.
  @Test func shapeRulesHold() throws {
    for entry in OperatorCatalog.entries {
      let digital = try #require(entry.makeOperator(entry.parameters.map(\.kind).map(sample)))
      let first = entry.shape == .window ? [1, 3, 2, 1] : entry.shape == .product ? [2, 3] : [2, 3, 2]
      var shapes = [first]
      if entry.arguments != .one { shapes.append(entry.shape == .product ? [3, 2] : first) }
      if entry.arguments == .three { shapes.append(first) }
      let shape: [Int]
      switch entry.shape {
      case .argument, .broadcast: shape = first
      case .product: shape = [2, 2]
      case .window: shape = [1, 3, 2, 1]
      case .reduced: shape = [2, 1, 2]
      case .joined: shape = [2, 6, 2]
      case .parameters: continue
      }
      #expect(try digital.resultShape(of: shapes) == shape, "\(entry.name)")
    }
  }

  private func sample(_ kind: OperatorParameter.Kind) -> OperatorValue {
    switch kind {
    case .float: return .float(0.5)
    case .integer: return .integer(7)
    case .axis: return .axis(1)
    case .flag: return .flag(true)
    case .window:
      return .window(
        Window(
          batch: 1, channels: 3, height: 2, width: 1, kernelHeight: 1, kernelWidth: 1, outHeight: 2,
          outWidth: 1))
    case .axes: return .list([1])
    case .lengths, .moreLengths: return .list([2, 1])
    case .constants: return .constants([5, 6, 7])
    }
  }
}
