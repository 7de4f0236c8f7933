import IR
import NaiveTwin
import Support
import Tensors

/// Builds tensor modules with random weights.
struct Net {
  var builder = Builder(Module<TensorLevel>(name: "net", facts: [.shaped]))
  var random: SeededGenerator
  private var inputs: [[Int]] = []
  private var nodes = 0

  init(seed: UInt64 = 1) { random = SeededGenerator(seed: seed) }

  var module: Module<TensorLevel> { builder.module }

  /// Random numbers in `range` for every graph input.
  mutating func sample(_ range: ClosedRange<Float> = 0...1) -> [Tensor] {
    inputs.map { shape in Tensor(shape, floats(shape.reduce(1, *), in: range)) }
  }

  mutating func samples(_ count: Int, _ range: ClosedRange<Float> = 0...1) -> [[Tensor]] {
    (0..<count).map { _ in sample(range) }
  }

  mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in range.lowerBound + Float(random.unit()) * (range.upperBound - range.lowerBound) }
  }

  mutating func input(_ shape: [Int]) -> ValueID {
    let name = "x\(inputs.count)"
    inputs.append(shape)
    return builder.emit(
      .input, [], [NamedAttribute("name", .string(name))], type: ValueType(.float32, shape), name: name,
      origin: nil)
  }

  mutating func constant(_ shape: [Int], _ values: [Float]? = nil, name: String = "w") -> ValueID {
    let tensor = Tensor(shape, values ?? floats(shape.reduce(1, *)))
    return builder.constant(tensor, element: .float32, name: name)
  }

  /// An operation with the type that follows from its operands.
  mutating func op(
    _ opcode: Opcode, _ operands: [ValueID], _ attributes: [NamedAttribute] = [], name: String? = nil
  ) throws -> ValueID {
    let origin = NodeOrigin(index: nodes, name: name ?? "\(opcode.rawValue)\(nodes)", op: opcode.rawValue)
    nodes += 1
    let probe = Op(opcode, operands: operands, attributes: attributes)
    let type = try builder.module.resultType(of: probe) ?? ValueType(.float32, nil)
    return builder.emit(opcode, operands, attributes, type: type, name: origin.name, origin: origin)
  }

  mutating func digital(_ digital: DigitalOperator, _ operands: ValueID...) throws -> ValueID {
    let (opcode, attributes) = builder.module.encoding(of: digital, name: "digital")
    return try op(opcode, operands, attributes)
  }

  mutating func conv(_ x: ValueID, _ geometry: ConvGeometry, bias: Bool = true, name: String? = nil) throws
    -> ValueID
  {
    let channels = builder.type(x).shape?[1] ?? 1
    let w = constant([geometry.filters, channels / geometry.groups] + geometry.kernel)
    let b = bias ? [constant([geometry.filters], name: "b")] : []
    return try op(.conv, [x, w] + b, geometry.attributes, name: name)
  }

  mutating func gemm(_ x: ValueID, _ outputs: Int, bias: Bool = true, name: String? = nil) throws -> ValueID {
    let w = constant([builder.type(x).shape?.last ?? 1, outputs])
    let b = bias ? [constant([outputs], name: "b")] : []
    return try op(.gemm, [x, w] + b, name: name)
  }

  mutating func batchNorm(_ x: ValueID) throws -> ValueID {
    let channels = builder.type(x).shape?[1] ?? 1
    let scale = constant([channels], floats(channels, in: 0.5...2), name: "scale")
    let bias = constant([channels], name: "bias")
    let mean = constant([channels], name: "mean")
    let variance = constant([channels], floats(channels, in: 0.1...3), name: "variance")
    return try op(.batchNorm, [x, scale, bias, mean, variance], [NamedAttribute("epsilon", .float(1e-5))])
  }

  mutating func output(_ value: ValueID, name: String = "y") {
    builder.module.append(Op(.output, operands: [value], attributes: [NamedAttribute("name", .string(name))]))
  }

  /// A 2x2 max-pool without overlap.
  mutating func pool(_ x: ValueID) throws -> ValueID {
    let shape = builder.type(x).shape ?? []
    return try digital(
      .maxPool(
        Window(
          batch: shape[0], channels: shape[1], height: shape[2], width: shape[3], kernelHeight: 2,
          kernelWidth: 2,
          strideHeight: 2, strideWidth: 2, outHeight: shape[2] / 2, outWidth: shape[3] / 2)), x)
  }
}

/// How a convolution of `Net` walks.
struct ConvGeometry {
  var filters = 4
  var kernel = [3, 3]
  var strides = [1, 1]
  var pads = [0, 0, 0, 0]
  var dilations = [1, 1]
  var groups = 1

  var attributes: [NamedAttribute] {
    [
      NamedAttribute("strides", .ints(strides)), NamedAttribute("pads", .ints(pads)),
      NamedAttribute("dilations", .ints(dilations)), NamedAttribute("groups", .int(Int64(groups))),
    ]
  }

  /// The same by its definition.
  var naive: NaiveConvolution {
    NaiveConvolution(strides: strides, pads: pads, dilations: dilations, groups: groups)
  }

  /// A strided, padded, dilated, grouped or one-dimensional convolution of an image of `8x9`.
  static func random(channels: Int, spatial: Int, _ random: inout SeededGenerator) -> ConvGeometry {
    func list(_ range: ClosedRange<Int>, _ count: Int) -> [Int] {
      (0..<count).map { _ in random.inside(range) }
    }
    let groups = random.chance(0.3) ? channels : random.chance(0.3) ? 2 : 1
    return ConvGeometry(
      filters: groups * random.inside(1...3), kernel: list(1...3, spatial), strides: list(1...2, spatial),
      pads: list(0...2, 2 * spatial), dilations: list(1...2, spatial), groups: groups)
  }
}
