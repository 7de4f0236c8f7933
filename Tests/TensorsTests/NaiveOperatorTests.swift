import NaiveTwin
import Support
import Tensors
import Testing

/// Every operator on random arguments beside its naive twin, which shares no function with it.
@Suite struct NaiveOperatorTests {
  static let families = [
    "unary", "binary", "softmax", "matmul", "max-pool", "average-pool", "mean", "arg-max", "select",
    "reduce-max", "reshape",
    "transpose", "concat", "pad", "slice", "gather", "quantize", "dequantize", "requantize", "add-bias",
    "lookup",
  ]

  @Test(arguments: families) func computesTheSame(family: String) throws {
    var random = SeededGenerator(seed: 77)
    for number in 0..<300 {
      let (op, arguments) = random.operation(family)
      #expect(op.name == family || family == "binary")
      let (found, expected) = (try op.apply(to: arguments), naive(op, arguments))
      #expect(found.shape == expected.shape && found.data.container == expected.data.container)
      let isSame =
        found.data.isFloat
        ? zip(found.floats, expected.floats).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
        : found.integers == expected.integers
      #expect(isSame, "case \(number): \(op) of \(arguments.map(\.shape))")
    }
  }
}

extension SeededGenerator {
  /// An operator of a family with arguments that it takes.
  fileprivate mutating func operation(_ family: String) -> (DigitalOperator, [Tensor]) {
    let shape = self.shape()
    let axis = below(shape.count)
    switch family {
    case "unary": return (.unary(unaryFunction()), [floatTensor(shape)])
    case "binary": return binary()
    case "select":
      let shapes = (0..<3).map { _ in
        Array(shape.map { chance(0.3) ? 1 : $0 }.dropFirst(chance(0.3) ? below(shape.count + 1) : 0))
      }
      let condition = integers(count(shapes[0]), in: -1...1).map { chance(0.1) ? Float.nan : Float($0) }
      return (.select, [Tensor(shapes[0], condition), floatTensor(shapes[1]), floatTensor(shapes[2])])
    case "reduce-max":
      return (.reduceMax(axes: shape.indices.filter { _ in chance(0.5) }), [tensor(shape)])
    case "softmax": return (.softmax(axis: axis), [Tensor(shape, floats(count(shape)))])
    case "matmul": return matmul()
    case "max-pool", "average-pool": return pool(family)
    case "mean":
      return (.mean(axes: shape.indices.filter { _ in chance(0.5) }), [Tensor(shape, floats(count(shape)))])
    case "arg-max":
      let values = integers(count(shape), in: -2...2).map { chance(0.1) ? Float.nan : Float($0) }
      return (.argMax(axis: axis, last: chance(0.5)), [Tensor(shape, values)])
    case "quantize", "dequantize", "requantize", "add-bias", "lookup": return fixedPoint(family, shape, axis)
    default: return move(family, shape, axis)
    }
  }

  private func count(_ shape: [Int]) -> Int { shape.reduce(1, *) }

  private mutating func shape() -> [Int] { (0..<inside(1...4)).map { _ in inside(1...5) } }

  /// Floats of many magnitudes, some infinite or no number.
  private mutating func floatTensor(_ shape: [Int]) -> Tensor {
    let special: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 0.5, -0.5, 1.5, 2.5, 1e30, -1e30]
    return Tensor(
      shape,
      (0..<count(shape)).map { _ in
        chance(0.1)
          ? special[below(special.count)] : Float((unit() * 4 - 2) * (chance(0.3) ? 1000 : 1))
      })
  }

  /// Integers in one of the containers.
  private mutating func integerTensor(_ shape: [Int], in range: ClosedRange<Int> = -9...9) -> Tensor {
    let isSigned = chance(0.5)
    let bits = [8, 16, 32, 64][below(4)]
    let low = isSigned ? max(range.lowerBound, bits == 8 ? -128 : -32_768) : 0
    let high = min(range.upperBound, bits == 8 ? 127 : 32_767)
    return Tensor(
      shape, integers(count(shape), in: min(low, high)...high),
      as: .integer(bits: isSigned ? bits : min(bits, 63), signed: isSigned))
  }

  private mutating func tensor(_ shape: [Int]) -> Tensor {
    chance(0.5) ? floatTensor(shape) : integerTensor(shape)
  }

  private mutating func unaryFunction() -> UnaryFunction {
    let (a, b) = (Float(unit()), Float(unit() * 2 - 1))
    let all: [UnaryFunction] = [
      .relu, .leakyRelu(slope: a), .clip(low: b, high: a), .sigmoid, .tanh, .hardSigmoid(slope: a, shift: b),
      .hardSwish, .elu(alpha: a), .softplus, .exp, .log, .sqrt, .abs, .negate, .erf, .floor, .round, .sign,
    ]
    return all[below(all.count)]
  }

  private mutating func binary() -> (DigitalOperator, [Tensor]) {
    let function = BinaryFunction.allCases[below(BinaryFunction.allCases.count)]
    let shape = self.shape()
    // Each argument lacks leading axes or has some of length 1.
    let shapes = (0..<2).map { _ in
      Array(shape.map { chance(0.3) ? 1 : $0 }.dropFirst(chance(0.3) ? below(shape.count + 1) : 0))
    }
    if chance(0.5) { return (.binary(function), shapes.map { floatTensor($0) }) }
    var arguments = shapes.map { integerTensor($0) }
    if function == .divide || function == .power {
      let base = function == .divide ? 1 : 0
      // Nothing is divided by 0.
      arguments[1 - base] = base == 1 ? arguments[0] : integerTensor(shapes[1], in: -5...5)
      arguments[base] = Tensor(shapes[base], arguments[base].integers.map { $0 == 0 ? 3 : $0 })
    }
    return (.binary(function), arguments)
  }

  private mutating func matmul() -> (DigitalOperator, [Tensor]) {
    let (rows, inner, columns) = (inside(1...9), inside(1...9), inside(1...9))
    let lead = (0..<below(3)).map { _ in inside(1...3) }
    func batch(_ random: inout SeededGenerator) -> [Int] {
      Array(lead.map { random.chance(0.3) ? 1 : $0 }.dropFirst(random.below(lead.count + 1)))
    }
    let left = chance(0.2) ? [inner] : batch(&self) + [rows, inner]
    let right = chance(0.2) ? [inner] : batch(&self) + [inner, columns]
    return (.matmul, [Tensor(left, floats(count(left))), Tensor(right, floats(count(right)))])
  }

  private mutating func pool(_ family: String) -> (DigitalOperator, [Tensor]) {
    var w = window()
    var shape = w.inputShape
    if chance(0.3) {
      w = Window(
        batch: w.batch, channels: w.channels, height: 1, width: w.width, kernelHeight: 1,
        kernelWidth: w.kernelWidth, strideWidth: w.strideWidth, padLeft: w.padLeft,
        dilationWidth: w.dilationWidth, outHeight: 1, outWidth: w.outWidth)
      shape = [w.batch, w.channels, w.width]
    }
    if family == "average-pool" {
      return (.averagePool(w, countPadding: chance(0.5)), [Tensor(shape, floats(count(shape)))])
    }
    return (.maxPool(w), [tensor(shape)])
  }

  private mutating func move(_ family: String, _ shape: [Int], _ axis: Int) -> (DigitalOperator, [Tensor]) {
    switch family {
    case "reshape": return (.reshape([1, count(shape)]), [tensor(shape)])
    case "transpose": return (.transpose(Array(shape.indices).shuffled(using: &self)), [tensor(shape)])
    case "concat":
      let isFloat = chance(0.5)
      let parts = (0..<inside(1...3)).map { _ in
        var part = shape
        part[axis] = inside(1...4)
        return isFloat ? floatTensor(part) : integerTensor(part)
      }
      return (.concat(axis: axis), parts)
    case "pad":
      let (before, after) = (shape.map { _ in below(3) }, shape.map { _ in below(3) })
      return (.pad(before: before, after: after, value: Float(below(9))), [tensor(shape)])
    case "slice":
      let start = shape.map { below($0) }
      return (.slice(start: start, end: zip(shape, start).map { inside($1 + 1...$0) }), [tensor(shape)])
    default:
      let indices = (0..<inside(1...6)).map { _ in Int64(below(shape[axis])) }
      return (.gather(indices: indices, axis: axis), [tensor(shape)])
    }
  }

  private mutating func fixedPoint(_ family: String, _ shape: [Int], _ axis: Int)
    -> (DigitalOperator, [Tensor])
  {
    let limit = 1 << [7, 8, 15, 16, 31, 40][below(6)]
    let low = chance(0.5) ? 0 : -Int64(below(limit))
    let high = low + Int64(below(limit))
    let zero = Int64(inside(-200...200))
    switch family {
    case "quantize":
      let scale = Float(unit() * 4 + 1e-3) / (chance(0.5) ? 1 : 64)
      return (.quantize(scale: scale, zero: zero, low: low, high: high), [floatTensor(shape)])
    case "dequantize":
      return (.dequantize(scale: Float(unit() * 4 - 2), zero: zero), [integerTensor(shape, in: -9000...9000)])
    case "requantize":
      let channels = chance(0.5) ? 1 : shape[axis]
      let largest = 1 << inside(1...61)
      let rule = Requantization(
        multipliers: (0..<channels).map { _ in Int64(below(1 << 31)) },
        shifts: (0..<channels).map { _ in Int64(inside(1...62)) }, zero: zero, low: low, high: high,
        axis: axis)
      return (.requantize(rule), [Tensor(shape, integers(count(shape), in: -largest...largest))])
    case "add-bias":
      return (
        .addBias(values: integers(shape[axis], in: -99...99), axis: axis),
        [integerTensor(shape, in: -9000...9000)]
      )
    default:
      let first = Int64(inside(-20...0))
      let range = Int(low)...Int(high)
      return (
        .lookup(table: integers(40, in: range), first: first),
        [Tensor(shape, integers(count(shape), in: Int(first)...Int(first) + 39))]
      )
    }
  }
}
