import IR
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// Levels of a file behind operations that move, choose, pad and join them: they reach the products as they are.
@Suite("Moves of prequantized values")
struct PrequantizedMoveTests {
  /// A network of levels, moved at random, before a product with integer weights.
  private struct MovedNet {
    var net: Net
    let element: ElementType
    let scale: Float
    let zero: Int64
    private(set) var value: ValueID
    private(set) var joins = 0

    init(seed: UInt64, element: ElementType? = nil, zero: Int64? = nil) throws {
      var net = Net(seed: seed)
      let signed = net.random.chance(0.5)
      self.element = element ?? .integer(bits: [4, 8][net.random.below(2)], signed: signed)
      scale = [0.25, 0.037, 0.5][net.random.below(3)]
      let range = Int(self.element.lowest)...Int(self.element.highest)
      self.zero = zero ?? (net.random.chance(0.4) ? 0 : Int64(net.random.inside(range)))
      let (built, start) = try Self.branch(net, self.element, scale, self.zero)
      (self.net, value) = (built, start)
    }

    var shape: [Int] { net.builder.type(value).shape ?? [] }

    /// An input on the levels.
    mutating func branch() throws -> ValueID {
      let (built, id) = try Self.branch(net, element, scale, zero)
      net = built
      return id
    }

    private static func branch(_ start: Net, _ element: ElementType, _ scale: Float, _ zero: Int64) throws
      -> (
        Net, ValueID
      )
    {
      var net = start
      let x = net.input([1, 2, 4, 4])
      let digital = DigitalOperator.quantize(
        scale: scale, zero: zero, low: element.lowest, high: element.highest)
      let (opcode, attributes) = net.builder.module.encoding(of: digital, name: "q")
      let type = ValueType(element, [1, 2, 4, 4], Quantization(scale: scale, zero: zero))
      let levels = net.builder.emit(opcode, [x], attributes, type: type, name: "q", origin: nil)
      let reals = try net.digital(.dequantize(scale: scale, zero: zero), levels)
      return (net, reals)
    }

    mutating func apply(_ digital: DigitalOperator) throws { value = try net.digital(digital, value) }

    mutating func pool() throws { value = try net.pool(value) }

    /// Joined with a new input, moved as far, that a ReLU may have cut.
    mutating func join() throws {
      var other = try branch()
      if net.random.chance(0.5) { other = try net.digital(.unary(.relu), other) }
      let size = shape.reduce(1, *)
      let flat = try net.digital(.reshape([1, size]), value)
      value = try net.digital(.concat(axis: 1), flat, try net.digital(.reshape([1, 32]), other))
      value = try net.digital(.reshape([1, 1, 1, size + 32]), value)
      joins += 1
    }

    mutating func grow() throws {
      let shape = shape
      switch net.random.below(7) {
      case 0: try apply(.unary(.relu))
      case 1: if shape[2] > 1 && shape[3] > 1 { try pool() }
      case 2: try apply(.transpose([0, 1, 3, 2]))
      case 3:
        let axis = net.random.inside(1...3)
        var (start, end) = (shape.map { _ in 0 }, shape)
        start[axis] = net.random.below(shape[axis])
        end[axis] = net.random.inside(start[axis] + 1...shape[axis])
        try apply(.slice(start: start, end: end))
      case 4:
        let axis = net.random.inside(1...3)
        let indices = (0..<net.random.inside(1...4)).map { _ in Int64(net.random.below(shape[axis])) }
        try apply(.gather(indices: indices, axis: axis))
      case 5: try apply(.pad(before: [0, 0, 1, 0], after: [0, 1, 0, 2], value: 0))
      default: try join()
      }
    }

    /// Joined with `other`, as it is.
    mutating func join(_ other: ValueID) throws { value = try net.digital(.concat(axis: 1), value, other) }

    /// A product with weights that the file gives.
    mutating func finish() throws {
      let size = shape.reduce(1, *)
      let levels = (0..<size * 3).map { _ in Int64(net.random.inside(-7...7)) }
      let four = ElementType.integer(bits: 4, signed: true)
      let constant = net.builder.constant(Tensor([size, 3], levels, as: four), element: four, name: "w")
      let weights = try net.digital(.dequantize(scale: 0.125, zero: 0), constant)
      net.output(try net.op(.gemm, [try net.digital(.reshape([1, size]), value), weights], name: "fc"))
    }
  }

  private func quantized(_ net: MovedNet, _ options: String = "") throws -> Module<TensorLevel> {
    var context = PassContext()
    let module = try run(
      "fold-constants, calibrate, quantize\(options)", on: AnyModule(net.net.module), in: &context
    ).tensorModule
    #expect(context.warnings.isEmpty, "the file gives all levels: no samples are asked for")
    #expect(verify(module).isEmpty)
    return module
  }

  /// Levels and weights are exact, so that products are those of the float network but for the rounding of its sums.
  @Test func productsAreThoseOfTheFile() throws {
    var joins = 0
    for seed in 0..<200 as Range<UInt64> {
      var chain = try MovedNet(seed: 900 + seed)
      for _ in 0..<chain.net.random.inside(1...5) { try chain.grow() }
      try chain.finish()
      joins += chain.joins
      let options = ["(inputs: 3)", "(signed: zero-point)", ""][Int(seed % 3)]
      let module = try quantized(chain, options)
      for sample in chain.net.samples(3, -4...4) {
        let (x, y) = (try chain.net.module.outputs(sample)[0], try module.outputs(sample)[0])
        let size = x.floats.reduce(1) { max($0, abs($1)) }
        #expect(distance(x, y) <= size * 1e-5, "seed \(seed)")
      }
    }
    #expect(joins > 80)
  }

  /// Joined levels with the same parameters stay in integers: no floats stand between the inputs and the product.
  @Test func joinedLevelsAreNotQuantizedAnew() throws {
    var chain = try MovedNet(seed: 5, element: .integer(bits: 8, signed: false), zero: 7)
    let other = try chain.branch()
    try chain.join(other)
    try chain.finish()
    let module = try quantized(chain)
    #expect(module.count(.quantize) == 2 && module.count(.dequantize) == 1 && module.count(.lookup) == 0)
    let joined = module.values[try module.first(.concat).results[0]].type
    #expect(joined.element == .integer(bits: 8, signed: false) && joined.quantization?.zero == 7)
  }

  /// A side that a ReLU cut has a narrower type; a table brings it to the type of the whole.
  @Test func narrowerSidesGetTheTypeOfTheWhole() throws {
    var chain = try MovedNet(seed: 6, element: .integer(bits: 8, signed: true), zero: 0)
    let other = try chain.branch()
    try chain.join(try chain.net.digital(.unary(.relu), other))
    try chain.finish()
    let module = try quantized(chain)
    let joined = module.values[try module.first(.concat).results[0]].type
    #expect(module.count(.lookup) <= 1 && joined.element == .integer(bits: 9, signed: true))
    let sample = chain.net.sample(-20...20)
    #expect(try distance(chain.net.module.outputs(sample)[0], module.outputs(sample)[0]) < 1e-3)
  }

  /// Sides with other parameters are joined as floats, and the product asks for a calibrated range.
  @Test func otherGridsAreFloats() throws {
    var chain = try MovedNet(seed: 7, element: .integer(bits: 8, signed: false), zero: 7)
    var other = try MovedNet(seed: 8, element: .integer(bits: 8, signed: false), zero: 9)
    other.net = chain.net
    let second = try other.branch()
    chain.net = other.net
    try chain.join(second)
    try chain.finish()
    #expect(!chain.net.module.hasPrequantizedInputs)
    let samples = chain.net.samples(5, 0...1)
    let module = try run(
      "fold-constants, calibrate, quantize(inputs: 12)", on: chain.net.module, calibration: samples
    )
    .tensorModule
    #expect(try distance(chain.net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < 0.05)
  }

  /// Pads of levels add levels; those outside of the type are refused.
  @Test func levelsArePaddedWithLevels() throws {
    for (element, zero, level) in [
      (ElementType.integer(bits: 8, signed: false), 7, 7), (.integer(bits: 8, signed: true), -3, 100),
      (.integer(bits: 8, signed: true), 0, -128), (.integer(bits: 4, signed: true), 2, 9),
    ] as [(ElementType, Int64, Int64)] {
      var net = Net(seed: 9)
      let digital = DigitalOperator.quantize(
        scale: 0.5, zero: zero, low: element.lowest, high: element.highest)
      let (opcode, attributes) = net.builder.module.encoding(of: digital, name: "q")
      let levels = net.builder.emit(
        opcode, [net.input([1, 3])], attributes,
        type: ValueType(element, [1, 3], Quantization(scale: 0.5, zero: zero)), name: "q", origin: nil)
      let wide = try net.digital(.pad(before: [0, 1], after: [0, 0], value: Float(level)), levels)
      net.output(try net.digital(.dequantize(scale: 0.5, zero: zero), wide))
      guard element.highest >= level else {
        #expect(throws: Diagnostic.self) { try run("calibrate, quantize", on: net.module) }
        continue
      }
      let module = try run("calibrate, quantize", on: net.module).tensorModule
      let sample = net.sample(-3...3)
      #expect(try module.outputs(sample) == net.module.outputs(sample))
      #expect(try module.outputs(sample)[0].floats[0] == Float(level - zero) * 0.5)
    }
  }

  // MARK: Constants

  /// Weights whose integers are chosen, padded and joined, each with its scale.
  @Test func weightsKeepTheirLevels() throws {
    for seed in 0..<80 as Range<UInt64> {
      var net = Net(seed: 950 + seed)
      let byte = ElementType.integer(bits: 8, signed: net.random.chance(0.5))
      let perSlice = net.random.chance(0.5)
      let (rows, columns) = (net.random.inside(1...4), net.random.inside(1...4))
      func part(_ net: inout Net, zero: Int64) throws -> ValueID {
        let values = (0..<rows * columns).map { _ in
          byte.lowest + Int64(net.random.inside(0...Int(byte.highest - byte.lowest)))
        }
        let constant = net.builder.constant(
          Tensor([rows, columns], values, as: byte), element: byte, name: "q")
        let centered = try net.digital(
          .dequantize(scale: perSlice ? 1 : 0.37, zero: zero), constant)
        guard perSlice else { return centered }
        return try net.digital(
          .binary(.multiply), centered, net.constant([columns], net.floats(columns, in: 0.25...2)))
      }
      var weights = try part(&net, zero: Int64(net.random.inside(0...3)))
      var inner = rows
      switch seed % 4 {
      case 0:
        let indices = (0..<net.random.inside(1...5)).map { _ in Int64(net.random.below(columns)) }
        weights = try net.digital(.gather(indices: indices, axis: 1), weights)
      case 1:
        let indices = (0..<net.random.inside(1...5)).map { _ in Int64(net.random.below(rows)) }
        weights = try net.digital(.gather(indices: indices, axis: 0), weights)
        inner = indices.count
      case 2:
        weights = try net.digital(.pad(before: [1, 0], after: [0, 2], value: 0), weights)
        inner += 1
      default:
        weights = try net.digital(
          .concat(axis: 1), weights, try part(&net, zero: Int64(net.random.inside(0...3))))
      }
      let x = net.input([1, inner])
      net.output(try net.op(.gemm, [x, weights], name: "fc"))
      let folded = try run("fold-constants", on: net.module).tensorModule
      #expect(verify(folded).isEmpty)
      #expect(
        folded.count(.dequantize) == 1
          && folded.count(.gather) + folded.count(.pad) + folded.count(.concat) == 0)
      let sample = net.sample(-1...1)
      let (before, after) = (try net.module.outputs(sample)[0], try folded.outputs(sample)[0])
      #expect(distance(before, after) <= before.floats.reduce(1) { max($0, abs($1)) } * 1e-6, "seed \(seed)")
    }
  }

  /// Parts whose scales differ along the inputs of a layer have no column of one scale: they become floats.
  @Test func slicesOfSeveralScalesAreFloats() throws {
    var net = Net(seed: 970)
    let byte = ElementType.integer(bits: 8, signed: true)
    let parts = try [0.5, 0.25].map { (scale: Float) in
      let constant = net.builder.constant(
        Tensor([2, 3], [1, 2, 3, 4, 5, 6], as: byte), element: byte, name: "q")
      return try net.digital(.dequantize(scale: scale, zero: 0), constant)
    }
    let scales = net.constant([1, 3], [1, 2, 3])
    let scaled = try parts.map { try net.digital(.binary(.multiply), $0, scales) }
    net.output(
      try net.op(.gemm, [net.input([1, 4]), try net.digital(.concat(axis: 0), scaled[0], scaled[1])]))
    let folded = try run("fold-constants", on: net.module).tensorModule
    #expect(folded.count(.dequantize) == 0 && folded.count(.concat) == 0)
    let sample = net.sample(-1...1)
    #expect(try distance(net.module.outputs(sample)[0], folded.outputs(sample)[0]) < 1e-5)
  }
}
