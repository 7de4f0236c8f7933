import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// Builds crossbar modules around layers of few weights.
private struct CrossbarNet {
  var builder = Builder(Module<CrossbarLevel>(name: "net", facts: [.shaped]))
  private var outputs = 0

  var module: Module<CrossbarLevel> { builder.module }

  mutating func input(
    _ shape: [Int], _ element: ElementType = .integer(bits: 8, signed: false), low: Int64? = nil
  ) -> ValueID {
    let name = "x\(builder.module.values.count)"
    let x = builder.emit(
      .input, [], [NamedAttribute("name", .string(name))], type: ValueType(.float32, shape), name: name,
      origin: nil)
    let rule = DigitalOperator.quantize(scale: 1, zero: 0, low: low ?? element.lowest, high: element.highest)
    return builder.emit(rule, [x], type: ValueType(element, shape), name: "q", origin: nil)
  }

  mutating func constant(
    _ shape: [Int], _ values: [Int64], _ element: ElementType = .integer(bits: 8, signed: false)
  ) -> ValueID { builder.constant(Tensor(shape, values), element: element, name: "c") }

  mutating func layer(
    _ name: String, _ rows: [[Int64]], inputs: InputCoding = .unsigned(bits: 8), bits: Int = 8
  ) {
    let element = ElementType.integer(bits: bits, signed: true)
    let weights = Tensor([rows.count, rows[0].count], rows.flatMap { $0 }, as: element)
    let layer = Layer(
      name: name, rows: rows.count, columns: rows[0].count, inputs: inputs, weightBits: bits, weights: weights
    )
    builder.module.append(builder.module.encode(layer, origin: nil))
  }

  /// The rows of a matrix through a layer.
  mutating func mvm(_ x: ValueID, _ name: String) throws -> ValueID {
    let probe = Op(.mvm, operands: [x], attributes: [NamedAttribute("layer", .symbol(name))])
    let type = try #require(try builder.module.resultType(of: probe))
    return builder.emit(.mvm, [x], probe.attributes, type: type, name: "r", origin: nil)
  }

  mutating func col2im(_ parts: [ValueID], _ shape: [Int]) -> ValueID {
    builder.emit(.col2im, parts, type: ValueType(.accumulator, shape), name: "s", origin: nil)
  }

  mutating func digital(_ digital: DigitalOperator, _ x: [ValueID], _ element: ElementType? = nil) throws
    -> ValueID
  {
    let shape = try digital.resultShape(of: x.map { builder.type($0).shape ?? [] })
    let type = ValueType(element ?? builder.type(x[0]).element, shape)
    return builder.emit(digital, x, type: type, name: "d", origin: nil)
  }

  mutating func output(_ value: ValueID) throws {
    let y =
      builder.type(value).element.isFloat
      ? value : try digital(.dequantize(scale: 1, zero: 0), [value], .float32)
    outputs += 1
    builder.module.append(
      Op(.output, operands: [y], attributes: [NamedAttribute("name", .string("y\(outputs)"))]))
  }

  /// Lays one product out `[1, n]` and makes it an output.
  mutating func finish(_ product: ValueID) throws {
    try output(col2im([product], builder.type(product).shape ?? []))
  }
}

@Suite("fold-constant-inputs")
struct FoldConstantInputsTests {
  private func fold(_ module: Module<CrossbarLevel>, _ count: Int? = nil) throws -> Module<CrossbarLevel> {
    #expect(verify(module).isEmpty)
    var context = PassContext()
    let folded = try run("fold-constant-inputs", on: AnyModule(module), in: &context).crossbarModule
    #expect(context.counts.map(\.name) == ["inputs-folded"])
    if let count { #expect(context.counts.first?.value == count) }
    return folded
  }

  /// Random numbers for the graph inputs, some of them far out.
  private func samples<L>(_ module: Module<L>, _ count: Int, seed: UInt64) -> [[Tensor]] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { number in
      let reach: Float = [1, 300, 3, 0.01][number % 4]
      return module.bodyOps.filter { $0.opcode == .input }.map { op in
        let shape = module.values[op.results[0]].type.shape ?? []
        return Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.unit() * 2 - 0.5) * reach })
      }
    }
  }

  private func expectEqual(
    _ a: Module<CrossbarLevel>, _ b: Module<CrossbarLevel>, seed: UInt64 = 1,
    _ place: SourceLocation = #_sourceLocation
  ) throws {
    for sample in samples(a, 4, seed: seed) {
      #expect(try a.outputs(sample) == b.outputs(sample), sourceLocation: place)
    }
  }

  private func matrix(_ module: Module<CrossbarLevel>, _ name: String = "a") throws -> [Int64] {
    try #require(module.layers.first { $0.layer.name == name }?.layer.weights).integers
  }

  /// The biases of the module, in order.
  private func biases(_ module: Module<CrossbarLevel>) -> [[Int64]] {
    module.bodyOps.filter { $0.opcode == .addBias }.compactMap { module.integers($0["values"]) }
  }

  /// A layer `a` of one output over `[unknown, 5, unknown, 0]`.
  private func mixed(_ net: inout CrossbarNet) throws -> ValueID {
    let x = net.input([1, 1])
    let (five, zero) = (net.constant([1, 1], [5]), net.constant([1, 1], [0]))
    return try net.digital(.concat(axis: 1), [x, five, x, zero])
  }

  @Test func knownInputsGoIntoANewBias() throws {
    var net = CrossbarNet()
    let x = try mixed(&net)
    net.layer("a", [[1, 2], [3, -4], [0, 7], [6, 6]])
    try net.finish(try net.mvm(x, "a"))
    let folded = try fold(net.module, 2)
    #expect(try matrix(folded) == [1, 2, 0, 0, 0, 7, 0, 0])
    #expect(biases(folded) == [[15, -20]])
    try expectEqual(net.module, folded)
    #expect(try fold(folded, 0) == folded, "there is nothing left to fold")
  }

  /// An input that is always 0 loses its weights without a trace.
  @Test func zerosNeedNoBias() throws {
    var net = CrossbarNet()
    let x = try net.digital(.concat(axis: 1), [net.constant([1, 1], [0]), net.input([1, 1])])
    net.layer("a", [[9], [1]])
    try net.finish(try net.mvm(x, "a"))
    let folded = try fold(net.module, 1)
    #expect(try matrix(folded) == [0, 1] && biases(folded).isEmpty)
  }

  @Test func knownInputsJoinTheBias() throws {
    for axis in [1, 0] {
      var net = CrossbarNet()
      let x = try mixed(&net)
      net.layer("a", [[1], [3], [0], [6]])
      let sums = net.col2im([try net.mvm(x, "a")], [1, 1])
      try net.output(try net.digital(.addBias(values: [100], axis: axis), [sums]))
      let folded = try fold(net.module, 2)
      // A bias on another axis is one for each image, not for each channel.
      #expect(biases(folded) == (axis == 1 ? [[115]] : [[15], [100]]))
      try expectEqual(net.module, folded)
    }
  }

  @Test func aBiasOfSumsWithOtherUsesStays() throws {
    var net = CrossbarNet()
    let x = try mixed(&net)
    net.layer("a", [[1], [3], [0], [6]])
    let sums = net.col2im([try net.mvm(x, "a")], [1, 1])
    try net.output(try net.digital(.addBias(values: [100], axis: 1), [sums]))
    try net.output(sums)
    let folded = try fold(net.module, 2)
    #expect(biases(folded) == [[15], [100]])
    try expectEqual(net.module, folded)
  }

  /// Large biases are resources; the new numbers have the name of the old ones.
  @Test func largeBiasesKeepTheirName() throws {
    var net = CrossbarNet()
    let x = try mixed(&net)
    let row = (0..<70).map { Int64($0) }
    net.layer("a", [row, row, row, row])
    let sums = net.col2im([try net.mvm(x, "a")], [1, 70])
    try net.output(try net.digital(.addBias(values: row, axis: 1), [sums]))
    let folded = try fold(net.module, 2)
    #expect(biases(folded) == [row.map { 6 * $0 }])
    #expect(folded.resources.map(\.name) == net.module.resources.map(\.name))
    try expectEqual(net.module, folded)
  }

  @Test func groupsOfAConvolutionKeepTheirChannels() throws {
    var net = CrossbarNet()
    let x = try mixed(&net)
    net.layer("a", [[1, 2], [3, 4], [0, 0], [0, 0]])
    net.layer("b", [[0], [0], [1], [1]])
    net.layer("c", [[1, 1, 1], [2, 3, 4], [0, 0, 0], [0, 0, 0]])
    var parts: [ValueID] = []
    for name in ["a", "b", "c"] { parts.append(try net.mvm(x, name)) }
    try net.output(net.col2im(parts, [1, 6]))
    let folded = try fold(net.module, 3)
    #expect(biases(folded) == [[15, 20, 0, 10, 15, 20]])
    try expectEqual(net.module, folded)
  }

  /// Two products share a layer: what both know alike goes, and both get the bias.
  @Test func layersWithSeveralUsersNeedThemToAgree() throws {
    var net = CrossbarNet()
    let x = net.input([1, 1])
    let (five, six) = (net.constant([1, 1], [5]), net.constant([1, 1], [6]))
    let a = try net.digital(.concat(axis: 1), [x, five, five, six])
    let b = try net.digital(.concat(axis: 1), [x, five, six, x])
    net.layer("a", [[1], [2], [3], [4]])
    try net.finish(try net.mvm(a, "a"))
    try net.finish(try net.mvm(b, "a"))
    let folded = try fold(net.module, 1)
    #expect(try matrix(folded) == [1, 0, 3, 4] && biases(folded) == [[10], [10]])
    try expectEqual(net.module, folded)
  }

  @Test func productsThatGoElsewhereAreLeftAlone() throws {
    var net = CrossbarNet()
    let x = try mixed(&net)
    net.layer("a", [[1], [3], [0], [6]])
    let product = try net.mvm(x, "a")
    try net.finish(product)
    try net.output(product)
    #expect(try fold(net.module, 0) == net.module)
    var twice = CrossbarNet()
    let y = try mixed(&twice)
    twice.layer("a", [[1], [3], [0], [6]])
    let sums = try twice.mvm(y, "a")
    try twice.output(twice.col2im([sums, sums], [1, 2]))
    #expect(try fold(twice.module, 0) == twice.module)
    var unused = CrossbarNet()
    unused.layer("a", [[1], [3]])
    #expect(try fold(unused.module, 0) == unused.module)
  }

  /// 2^62 is the bound of biases; one less is still written, and what is over stays with the layer.
  @Test func biasesStayBelowTheBound() throws {
    for (bias, fits) in [
      (Int64(1) << 62 - 16, true), (1 << 62 - 15, false), (-(1 << 62), true), (.max, false),
    ] {
      var net = CrossbarNet()
      let x = try mixed(&net)
      net.layer("a", [[1], [3], [0], [0]])
      let sums = net.col2im([try net.mvm(x, "a")], [1, 1])
      try net.output(try net.digital(.addBias(values: [bias], axis: 1), [sums]))
      #expect(biases(try fold(net.module, fits ? 1 : 0)) == [[fits ? bias + 15 : bias]])
    }
  }

  /// Columns without weights are 0 behind a layer, and so is what follows them.
  @Test func emptyColumnsAreKnown() throws {
    var net = CrossbarNet()
    net.layer("a", [[1, 0], [1, 0]])
    net.layer("b", [[3], [4]])
    let sums = net.col2im([try net.mvm(net.input([1, 2]), "a")], [1, 2])
    let rule = Requantization(multipliers: [1 << 30], shifts: [30], zero: 7, low: 0, high: 255, axis: 1)
    let x = try net.digital(.requantize(rule), [sums], .integer(bits: 8, signed: false))
    try net.finish(try net.mvm(x, "b"))
    let folded = try fold(net.module, 1)
    #expect(try matrix(folded, "b") == [3, 0] && biases(folded) == [[28]])
    try expectEqual(net.module, folded)
  }

  /// A column is known where it has weights for known inputs alone.
  @Test func columnsOfKnownInputsAreKnown() throws {
    var net = CrossbarNet()
    let x = try mixed(&net)
    net.layer("a", [[0, 1], [3, 1], [0, 1], [9, 1]])
    net.layer("b", [[1], [1]])
    let sums = net.col2im([try net.mvm(x, "a")], [1, 2])
    let rule = Requantization(multipliers: [1 << 30], shifts: [30], zero: 0, low: 0, high: 255, axis: 1)
    let y = try net.digital(.requantize(rule), [sums], .integer(bits: 8, signed: false))
    try net.finish(try net.mvm(y, "b"))
    let folded = try fold(net.module, 3)
    #expect(try matrix(folded, "b") == [0, 1])
    #expect(biases(folded) == [[15, 5], [15]])
    try expectEqual(net.module, folded)
  }

  /// The table has no entry for the number that stands in for unknown elements, 0.
  @Test func tablesAreReadOnlyWhereTheyHaveEntries() throws {
    var net = CrossbarNet()
    let x = net.input([1, 1], low: 4)
    let known = net.constant([1, 2], [5, 4])
    let joined = try net.digital(.concat(axis: 1), [x, known, x])
    let table = DigitalOperator.lookup(table: (4...255).map { 259 - $0 }, first: 4)
    net.layer("a", [[1], [2], [1], [1]])
    try net.finish(try net.mvm(try net.digital(table, [joined]), "a"))
    let folded = try fold(net.module, 2)
    #expect(biases(folded) == [[2 * 254 + 255]])
    try expectEqual(net.module, folded)
  }

  /// An operation that is an error for the numbers that stand in, but for no input, stops nothing; nothing is known
  /// behind it.
  @Test func operationsThatRefuseAreUnknown() throws {
    for (bias, count) in [(Int64.max, 0), (.max - 1, 1)] {
      var net = CrossbarNet()
      net.layer("a", [[0, -1]])
      net.layer("b", [[3], [4]])
      var sums = net.col2im([try net.mvm(net.input([1, 1], low: 1), "a")], [1, 2])
      // At most -1, and so at most 2^63 - 1 in the end; 0 in its place would be too large.
      for value in [bias, 1] { sums = try net.digital(.addBias(values: [2, value], axis: 1), [sums]) }
      let rule = Requantization(multipliers: [1 << 30], shifts: [30], zero: 0, low: 0, high: 255, axis: 1)
      let x = try net.digital(.requantize(rule), [sums], .integer(bits: 8, signed: false))
      try net.finish(try net.mvm(x, "b"))
      let folded = try fold(net.module, count)
      try expectEqual(net.module, folded)
    }
  }

  /// The elements that a pad adds can be larger than their type says; such inputs are left alone.
  @Test func numbersOutsideOfTheInputsTypeAreLeftAlone() throws {
    let element = ElementType.integer(bits: 4, signed: false)
    for (value, count) in [(Float(200), 0), (15, 1)] {
      var net = CrossbarNet()
      let x = try net.digital(
        .pad(before: [0, 1], after: [0, 0], value: value), [net.input([1, 1], element)])
      net.layer("a", [[1], [2]], inputs: .unsigned(bits: 4))
      try net.finish(try net.mvm(x, "a"))
      let folded = try fold(net.module, count)
      #expect(biases(folded) == (count == 0 ? [] : [[15]]))
      try expectEqual(net.module, folded)
    }
  }

  /// Negative padding of signed numbers, where nothing else is known.
  @Test func padsAreKnown() throws {
    let element = ElementType.integer(bits: 5, signed: true)
    var net = CrossbarNet()
    let x = try net.digital(.pad(before: [0, 1], after: [0, 1], value: -9), [net.input([1, 1], element)])
    net.layer("a", [[1], [2], [5]], inputs: .twoPass(bits: 5))
    try net.finish(try net.mvm(x, "a"))
    let folded = try fold(net.module, 2)
    #expect(try matrix(folded) == [0, 2, 0] && biases(folded) == [[-54]])
    try expectEqual(net.module, folded)
  }

  /// A pool over what is known and what is not is unknown; padding does not count.
  @Test(arguments: [true, false]) func poolsNeedTheirWholeWindow(isMaximum: Bool) throws {
    var net = CrossbarNet()
    let known = net.constant([1, 1, 1, 3], [7, 7, 7])
    var x = try net.digital(.concat(axis: 3), [known, net.input([1, 1, 1, 2])])
    let window = Window(
      batch: 1, channels: 1, height: 1, width: 5, kernelHeight: 1, kernelWidth: 2, strideWidth: 2, padLeft: 1,
      outHeight: 1, outWidth: 3)
    if isMaximum {
      x = try net.digital(.maxPool(window), [x])
    } else {
      x = try net.digital(.dequantize(scale: 1, zero: 0), [x], .float32)
      x = try net.digital(.averagePool(window, countPadding: false), [x])
      x = try net.digital(
        .quantize(scale: 1, zero: 0, low: 0, high: 255), [x], .integer(bits: 8, signed: false))
    }
    x = try net.digital(.reshape([1, 3]), [x])
    net.layer("a", [[1], [2], [3]])
    try net.finish(try net.mvm(x, "a"))
    // Padding and 7; 7 and 7; two unknown ones.
    let folded = try fold(net.module, 2)
    #expect(try matrix(folded) == [0, 0, 3] && biases(folded) == [[21]])
    try expectEqual(net.module, folded)
  }

  /// A mean or a product of computed values is known only where all of its operands are.
  @Test func meansNeedAllOfTheirOperands() throws {
    for (isKnown, count) in [(true, 2), (false, 0)] {
      var net = CrossbarNet()
      let other =
        isKnown
        ? net.constant([1, 2], [3, 5])
        : try net.digital(
          .concat(axis: 1), [net.input([1, 1]), net.constant([1, 1], [5])])
      var x = try net.digital(.dequantize(scale: 1, zero: 0), [other], .float32)
      x = try net.digital(.mean(axes: [1]), [x])
      x = try net.digital(.concat(axis: 1), [x, x])
      x = try net.digital(
        .quantize(scale: 1, zero: 0, low: 0, high: 255), [x], .integer(bits: 8, signed: false))
      net.layer("a", [[1], [2]])
      try net.finish(try net.mvm(x, "a"))
      let folded = try fold(net.module, count)
      #expect(biases(folded) == (isKnown ? [[12]] : []))
      try expectEqual(net.module, folded)
    }
  }

  @Test func everySpotAndImageMustAgree() throws {
    for (values, count) in [([5, 5, 5, 5], 1), ([5, 5, 5, 6], 0)] as [([Int64], Int)] {
      var net = CrossbarNet()
      let x = try net.digital(
        .concat(axis: 1), [net.input([2, 1, 1, 2]), net.constant([2, 1, 1, 2], values)])
      net.layer("a", [[1], [2]])
      let window = Window(
        batch: 2, channels: 2, height: 1, width: 2, kernelHeight: 1, kernelWidth: 1, outHeight: 1, outWidth: 2
      )
      let rows = net.builder.emit(
        .window, [x], [NamedAttribute("window", .window(window)), NamedAttribute("padding", .int(0))],
        type: ValueType(net.builder.type(x).element, [4, 2]), name: "w", origin: nil)
      try net.output(net.col2im([try net.mvm(rows, "a")], [2, 1, 1, 2]))
      let folded = try fold(net.module, count)
      try expectEqual(net.module, folded)
    }
  }

  @Test func laidOutLayersAreRefused() throws {
    var context = PassContext()
    let sample = LayerSample().module
    expectFailure("fold-constant-inputs.sliced") {
      _ = try run("slice-bits, fold-constant-inputs", on: AnyModule(sample), in: &context)
    }
    // Also where nothing is left of the blocks.
    var net = CrossbarNet()
    net.layer("a", [[0]])
    var module = net.module
    module.machine = testMachine()
    expectFailure("fold-constant-inputs.sliced") {
      _ = try run("slice-bits, remove-zero-lines, fold-constant-inputs", on: AnyModule(module), in: &context)
    }
  }

  // MARK: Random networks

  /// What a random network had.
  private struct Tally {
    var folded = 0
    var deadRows = 0
    var borderRows = 0
    var steadyTaps = 0
  }

  /// Random operations between two layers, which move, combine and compute.
  private func between(_ x: ValueID, _ net: inout Net, _ random: inout SeededGenerator) throws -> ValueID {
    var value = x
    for _ in 0..<random.below(3) {
      let shape = net.builder.type(value).shape ?? []
      switch random.below(9) {
      case 0: value = try net.digital(.unary(.leakyRelu(slope: 0.25)), value)
      case 1: value = try net.digital(.unary(.sigmoid), value)
      case 2: value = try net.digital(.binary(.add), value, value)
      case 3: value = try net.digital(.binary(.multiply), value, net.constant([shape[1], 1, 1]))
      case 4: value = try net.digital(.concat(axis: 1), value, try net.digital(.unary(.abs), value))
      case 5:
        value = try net.digital(
          .pad(before: [0, 0, 1, 0], after: [0, 0, 0, 1], value: random.chance(0.5) ? 0 : 0.5), value)
      case 6: value = try net.digital(.transpose([0, 1, 3, 2]), value)
      case 7 where shape[2] >= 3 && shape[3] >= 3:
        let window = Window(
          batch: 1, channels: shape[1], height: shape[2], width: shape[3], kernelHeight: 3, kernelWidth: 3,
          strideHeight: 2, strideWidth: 2, padTop: 1, padLeft: 1, outHeight: (shape[2] - 1) / 2 + 1,
          outWidth: (shape[3] - 1) / 2 + 1)
        value = try net.digital(.averagePool(window, countPadding: random.chance(0.5)), value)
      default: value = try net.digital(.unary(.relu), value)
      }
    }
    return value
  }

  private func network(_ seed: Int) throws -> Net {
    var net = Net(seed: UInt64(seed))
    var random = SeededGenerator(seed: UInt64(7000 + seed))
    var x = net.input([1, 2, 8, 8])
    for _ in 0..<random.inside(1...3) {
      let shape = net.builder.type(x).shape ?? []
      var geometry = ConvGeometry(filters: 2 * random.inside(1...3))
      geometry.kernel = [random.inside(1...min(3, shape[2])), random.inside(1...min(3, shape[3]))]
      geometry.strides = random.chance(0.2) ? [2, 2] : [1, 1]
      if random.chance(0.4) { geometry.pads = (0..<4).map { _ in random.below(2) } }
      if random.chance(0.3) { geometry.groups = 2 }
      x = try net.digital(.unary(.relu), try net.conv(x, geometry, bias: random.chance(0.8)))
      if seed % 2 == 1 { x = try between(x, &net, &random) }
      let size = net.builder.type(x).shape ?? []
      if size[2] >= 2 && size[3] >= 2 && random.chance(0.4) { x = try net.pool(x) }
    }
    let flat = (net.builder.type(x).shape ?? []).reduce(1, *)
    x = try net.digital(.reshape([1, flat]), x)
    if random.chance(0.5) { x = try net.digital(.unary(.relu), try net.gemm(x, random.inside(2...6))) }
    net.output(try net.gemm(x, 3))
    return net
  }

  private func lowered(_ seed: Int, _ random: inout SeededGenerator) throws -> Module<CrossbarLevel> {
    var net = try network(seed)
    let share = [0.5, 0.7, 1.0][random.below(3)]
    let signed = random.chance(0.5) ? "two-pass" : "zero-point"
    let scale = random.chance(0.5) ? "tensor" : "output"
    let text =
      "prune-groups(filters: \(share)), calibrate, quantize(inputs: 5, signed: \(signed), scale: \(scale)), lower-to-crossbar"
    return try run(text, on: net.module, calibration: net.samples(3, -0.5...1)).crossbarModule
  }

  /// The operand of each `mvm` as the evaluator computes it for each sample, by the layer.
  private func operands(_ module: Module<CrossbarLevel>, _ inputs: [[Tensor]]) throws -> [String: [Tensor]] {
    let layers = Dictionary(
      uniqueKeysWithValues: module.bodyOps.filter { $0.opcode == .mvm }.map {
        ($0.operands[0], $0[.layer])
      })
    var found: [String: [Tensor]] = [:]
    for sample in inputs {
      _ = try Interpreter(module).evaluate(sample) { id, tensor in
        if let layer = layers[id] { found[layer, default: []].append(tensor) }
      }
    }
    return found
  }

  /// The rows of windows that have one number in all positions of all samples.
  private func steadyRows(_ operands: [Tensor]) -> [Bool] {
    let rows = operands[0].shape[1]
    return (0..<rows).map { row in
      let numbers = operands.flatMap { tensor in
        stride(from: row, to: tensor.count, by: rows).map { tensor.integers[$0] }
      }
      return Set(numbers).count == 1
    }
  }

  private func check(_ seed: Int, _ random: inout SeededGenerator, _ tally: inout Tally) throws {
    let before = try lowered(seed, &random)
    var context = PassContext()
    let after = try run("fold-constant-inputs", on: AnyModule(before), in: &context).crossbarModule
    tally.folded += context.counts.first?.value ?? 0
    let inputs = samples(before, 6, seed: UInt64(seed))
    for sample in inputs { #expect(try before.outputs(sample) == after.outputs(sample), "seed \(seed)") }
    let operands = try operands(before, inputs)
    for (old, new) in zip(before.layers.map(\.layer), after.layers.map(\.layer)) {
      let (steady, columns) = (steadyRows(try #require(operands[old.name])), old.columns)
      let (was, has) = (try #require(old.weights).integers, try #require(new.weights).integers)
      for row in 0..<old.rows {
        let range = row * columns..<(row + 1) * columns
        let isZero = has[range].allSatisfy { $0 == 0 }
        #expect(isZero || was[range] == has[range], "seed \(seed): a row goes as a whole")
        // What went was steady; that it was so for every input is what the walk knows and samples can only affirm.
        if was[range] != has[range] { #expect(steady[row], "seed \(seed), @\(old.name), row \(row)") }
      }
    }
  }

  @Test func randomNetworksKeepEveryBit() throws {
    var random = SeededGenerator(seed: 81)
    var tally = Tally()
    for seed in 0..<240 { try check(seed, &random, &tally) }
    #expect(tally.folded > 3000, "\(tally)")
  }

  /// A convolution whose filter `dead` has no weights, in front of another one: without padding all its rows go. With
  /// padding those taps go that see image everywhere, the others only where the activation is the padding.
  private func deadChannel(_ seed: UInt64, pads: [Int], kernel: Int, bias: Float, _ tally: inout Tally) throws
  {
    var net = Net(seed: seed)
    var random = SeededGenerator(seed: seed)
    let (channels, dead) = (3, random.below(3))
    let x = net.input([1, 2, 5, 6])
    var w = net.floats(channels * 2 * 9)
    for k in dead * 18..<(dead + 1) * 18 { w[k] = 0 }
    var b = net.floats(channels)
    b[dead] = bias
    let conv = try net.op(
      .conv, [x, net.constant([channels, 2, 3, 3], w), net.constant([channels], b)],
      ConvGeometry(pads: [1, 1, 1, 1]).attributes)
    let y = try net.conv(
      try net.digital(.unary(.relu), conv), ConvGeometry(kernel: [kernel, kernel], pads: pads), name: "second"
    )
    net.output(y)
    let before = try run(
      "calibrate, quantize, lower-to-crossbar", on: net.module, calibration: net.samples(3)
    )
    .crossbarModule
    let after = try fold(before)
    try expectEqual(before, after, seed: seed)
    let columns = 4
    let weights = try matrix(after, "second")
    for row in 0..<channels * kernel * kernel {
      let isZero = weights[row * columns..<(row + 1) * columns].allSatisfy { $0 == 0 }
      let (ky, kx) = (row % (kernel * kernel) / kernel, row % kernel)
      // The tap sees padding above, left, below or right of the image.
      let atBorder =
        ky < pads[0] || kx < pads[1] || ky > kernel - 1 - pads[2] || kx > kernel - 1 - pads[3]
      guard row / (kernel * kernel) == dead else {
        #expect(!isZero)
        continue
      }
      #expect(isZero == (!atBorder || bias <= 0), "seed \(seed), row \(row)")
      if pads == [0, 0, 0, 0] { tally.deadRows += 1 }
      if isZero && atBorder { tally.borderRows += 1 }
      if isZero && !atBorder && pads != [0, 0, 0, 0] { tally.steadyTaps += 1 }
    }
  }

  @Test func rowsOfDeadChannels() throws {
    var random = SeededGenerator(seed: 82)
    var tally = Tally()
    for seed in 0..<200 {
      let kernel = random.inside(1...3)
      let pads = random.chance(0.5) ? [0, 0, 0, 0] : (0..<4).map { _ in random.below(kernel) }
      // A negative bias gives 0 behind the relu, which is what stands in the padding.
      let bias: Float = random.chance(0.3) ? -0.4 : 0.6
      try deadChannel(UInt64(seed), pads: pads, kernel: kernel, bias: bias, &tally)
    }
    #expect(tally.deadRows > 200 && tally.borderRows > 50 && tally.steadyTaps > 50, "\(tally)")
  }

  /// Folded rows are wordlines that compaction leaves out, and the remaining pipeline keeps every bit.
  @Test func compactionLeavesTheRowsOut() throws {
    var random = SeededGenerator(seed: 83)
    var fewer = 0
    for seed in 500..<520 {
      var module = try lowered(seed, &random)
      module.machine = testMachine()
      func wordlines(_ pipeline: String) throws -> (Int, Module<CrossbarLevel>) {
        var context = PassContext()
        let result = try run(pipeline, on: AnyModule(module), in: &context).crossbarModule
        return (result.layers.reduce(0) { $0 + $1.layer.blocks.reduce(0) { $0 + $1.rows.count } }, result)
      }
      let rest = "slice-bits, remove-zero-lines(lines: rows), form-units(lossless: true)"
      let (plain, _) = try wordlines(rest)
      let (folded, mapped) = try wordlines("fold-constant-inputs, \(rest)")
      #expect(folded <= plain)
      fewer += plain - folded
      let sample = samples(module, 1, seed: UInt64(seed))[0]
      #expect(try module.outputs(sample) == mapped.outputs(sample))
    }
    #expect(fewer > 200)
  }
}
