import Hardware
import IR
import Mapping
import Support
import Tensors
import Testing

/// Builders, arenas, constants and resources.
@Suite struct ModuleTests {
  private func sample() -> Builder<TensorLevel> {
    var builder = Builder(Module<TensorLevel>(name: "m"))
    let x = builder.emit(
      .input, [], [NamedAttribute("name", .string("x"))], type: ValueType(.float32, [2]), name: "x",
      origin: nil)
    _ = builder.emit(.unary(.relu), [x], type: ValueType(.float32, [2]), name: "x", origin: nil)
    return builder
  }

  @Test func buildersKeepNamesApart() {
    var builder = sample()
    let third = builder.value("x", ValueType(.float32, nil))
    let odd = builder.value("a/b..", ValueType(.float32, nil))
    let again = builder.value("x.2", ValueType(.float32, nil))
    let names = builder.module.values.elements.map(\.name)
    #expect(names == ["x", "x.2", "x.3", "a_b__", "x.2.2"])
    #expect([third, odd, again].map(\.index) == [2, 3, 4])
  }

  @Test func digitalOperatorsAreSpelledAndReadBack() {
    let window = Window.rows(2, 3)
    let rule = Requantization(multipliers: [1, 2], shifts: [3, 4], zero: 1, low: 0, high: 9, axis: 1)
    let unary = UnaryFunction.Kind.allCases.compactMap { kind in
      UnaryFunction(kind, OperatorCatalog.entry(of: kind).parameters.map { _ in 0.5 })
    }
    #expect(unary.count == UnaryFunction.Kind.allCases.count)
    let operators: [DigitalOperator] =
      unary.map { .unary($0) } + BinaryFunction.allCases.map { .binary($0) } + [
        .softmax(axis: 1), .matmul, .maxPool(window), .averagePool(window, countPadding: true),
        .mean(axes: [0, 2]), .argMax(axis: 2, last: true), .argMax(axis: 0, last: false),
        .reshape([3, 2]), .transpose([1, 0]), .concat(axis: 2), .pad(before: [1], after: [2], value: -1),
        .slice(start: [0, 1], end: [2, 2]), .gather(indices: [2, 0, 0], axis: 1),
        .quantize(scale: 0.5, zero: 1, low: 0, high: 3), .dequantize(scale: 2, zero: -1), .requantize(rule),
        .addBias(values: [1, -2], axis: 0), .lookup(table: [5, 6], first: -1),
      ]
    var module = Module<TensorLevel>(name: "m")
    for digital in operators {
      let (opcode, attributes) = module.encoding(of: digital, name: "a")
      #expect(module.digitalOperator(of: Op(opcode, attributes: attributes)) == digital)
      #expect(opcode.spec.attributes.map(\.name) == attributes.map(\.name))
      #expect(opcode.spec.levels == Set(LevelName.allCases))
    }
    #expect(module.digitalOperator(of: Op(.conv)) == nil && module.digitalOperator(of: Op(.maxPool)) == nil)
  }

  @Test func longListsBecomeResources() {
    var module = Module<TensorLevel>(name: "m")
    let short = module.constant(
      Tensor([8, 8], [Float](repeating: 1, count: 64)), element: .float32, name: "w")
    let long = module.constant(Tensor([65], [Float](repeating: 1, count: 65)), element: .float32, name: "a b")
    let same = module.constant(Tensor([65], [Float](repeating: 1, count: 65)), element: .float32, name: "a b")
    let other = module.constant(
      Tensor([65], [Float](repeating: 2, count: 65)), element: .float32, name: "a b")
    #expect(short.description.hasPrefix("[[1.0, 1.0"))
    #expect([long, same, other] == [.resource("a_b"), .resource("a_b"), .resource("a_b.2")])
    #expect(module.tensor(long, element: .float32, shape: [5, 13])?.shape == [5, 13])
    #expect(module.tensor(long, element: .float32, shape: [64]) == nil)
    #expect(module.tensor(long, element: .integer(bits: 8, signed: true), shape: [65]) == nil)
    #expect(module.tensor(.resource("none"), element: .float32, shape: [65]) == nil)
    module.keepResources(["a_b.2"])
    #expect(module.resources.map(\.name) == ["a_b.2"] && module.resource("a_b") == nil)
    #expect(module.resource("a_b.2")?.tensor.floats.first == 2)
  }

  @Test func resourcesTakeTheContainerOfTheirElements() throws {
    // Numbers that came from a wider or narrower computation must print the checksum that their type has.
    for element in [
      ElementType.integer(bits: 4, signed: false), .integer(bits: 12, signed: true), .accumulator,
    ] {
      var builder = Builder(Module<TensorLevel>(name: "m"))
      for data in [TensorData.i64([Int64](repeating: 7, count: 70)), .u8([UInt8](repeating: 7, count: 70))] {
        _ = builder.constant(Tensor([70], data), element: element, name: "c")
      }
      expectRoundTrip(builder.module)
    }
  }

  @Test func numbersOfAnotherTypeGiveNothing() {
    let module = Module<TensorLevel>(name: "m")
    let u4 = ElementType.integer(bits: 4, signed: false)
    #expect(module.tensor(.ints([0, 15]), element: u4, shape: [2])?.data == .u8([0, 15]))
    #expect(module.tensor(.ints([0, 16]), element: u4, shape: [2]) == nil)
    #expect(module.tensor(.ints([0, -1]), element: u4, shape: [2]) == nil)
    #expect(module.tensor(.floats([0, 1]), element: u4, shape: [2]) == nil)
    #expect(module.tensor(.ints([0, 1]), element: .float32, shape: [2]) == nil)
    #expect(module.tensor(.ints([0, 1]), element: u4, shape: [-2]) == nil)
    #expect(module.tensor(.ints([0, 1]), element: u4, shape: [Int.max, 2]) == nil)
    #expect(
      module.tensor(.word("a"), element: u4, shape: [1]) == nil
        && module.tensor(nil, element: u4, shape: []) == nil)
    #expect(module.tensor(.list([.ints([1]), .ints([2])]), element: u4, shape: [2])?.integers == [1, 2])
  }

  @Test func emptyAndScalarConstantsStand() {
    for shape in [[], [0], [2, 0, 3], [0, 4], [1, 1, 1]] {
      var builder = Builder(Module<TensorLevel>(name: "m"))
      let tensor = Tensor(shape, [Float](repeating: 2, count: shape.reduce(1, *)))
      _ = builder.constant(tensor, element: .float32, name: "c")
      #expect(verify(builder.module) == [])
      expectRoundTrip(builder.module)
    }
  }

  @Test func compactingDropsWhatTheBodyDoesNotReach() {
    var module = sample().module
    _ = module.add(Op(.relu))
    _ = module.values.add(Value(name: "unused", type: ValueType(.float32, nil)))
    module.setResource(Resource(name: "w", element: .float32, tensor: Tensor([1], [Float(1)])))
    let small = module.compacted()
    #expect(small.ops.count == 2 && small.values.count == 2 && small.resources.isEmpty)
    #expect(small.compacted() == small)
    #expect(verify(small) == [] && small.bodyOps.map(\.opcode) == [.input, .relu])
  }

  @Test func usesAndSymbolsAreFound() {
    var module = sample().module
    let uses = Uses(of: module)
    #expect(uses[ValueID(0)] == [OpID(1)] && uses[ValueID(1)] == [])
    module.append(Op(.layer, symbol: "a"))
    #expect(module.symbol("a") == OpID(2) && module.symbol("b") == nil)
    let empty = module.emptied(at: CrossbarLevel.self)
    #expect(empty.name == "m" && empty.body.isEmpty && empty.facts.isEmpty)
  }

  @Test func aModuleOfAnyLevelKnowsItsLevel() {
    let tensor = AnyModule(Module<TensorLevel>(name: "m", facts: [.shaped]))
    let program = AnyModule(Module<ProgramLevel>(name: "m"))
    #expect(tensor.level == .tensor && tensor.facts == [.shaped] && tensor.resources.isEmpty)
    #expect(tensor.module(at: TensorLevel.self) != nil && tensor.module(at: CrossbarLevel.self) == nil)
    #expect(AnyModule(Module<CrossbarLevel>(name: "m")).module(at: CrossbarLevel.self) != nil)
    #expect(program.level == .program && program.text == "xir 2\nmodule @m level program facts [] {\n}\n")
  }

  @Test func placesOfOperations() {
    let position = TextPosition(line: 3, column: 4)
    let origin = NodeOrigin(index: 1, name: "a", op: "Relu")
    #expect(Op(.relu, origin: origin, position: position).location == Location(.text(position)))
    #expect(Op(.relu, origin: origin).location == Location(.node(origin)))
    #expect(Op(.layer, symbol: "a").location == Location(.item("@a")))
    #expect(Op(.relu).location == Location(.item("relu")))
  }

  @Test func replacingOneLayerKeepsTheConstantsOfOthers() throws {
    // Two layers share a resource; only one of them is replaced.
    var module = Module<CrossbarLevel>(name: "m")
    let cells = Tensor([10, 10], .u8([UInt8](repeating: 0, count: 100)))
    module.setResource(Resource(name: "shared", element: .integer(bits: 8, signed: false), tensor: cells))
    for name in ["a", "b"] {
      let zeros = Tensor([10, 10], [Int64](repeating: 0, count: 100), as: .integer(bits: 4, signed: true))
      var op = module.encode(
        Layer(
          name: name, rows: 10, columns: 10, inputs: .unsigned(bits: 4), weightBits: 4,
          weights: zeros),
        origin: nil)
      var block = Op(.block)
      block["rows"] = .rows((0..<10).map { RowEntry(input: $0) })
      block["columns"] = .columns((0..<10).map { ColumnEntry(output: $0, shift: 0) })
      block["cells"] = .resource("shared")
      op.body = [module.add(block)]
      module.append(op)
    }
    #expect(verify(module) == [])
    module.replaceLayers([try #require(module.layers.first)])
    #expect(verify(module) == [])
  }
}
