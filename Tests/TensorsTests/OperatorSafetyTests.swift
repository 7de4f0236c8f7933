import Support
import Tensors
import Testing

/// No operator, however strange, may do anything but give a result of the promised shape or throw.
@Suite struct OperatorSafetyTests {
  private static let numbers = [
    Int.min, -(1 << 40), -1, 0, 1, 2, 3, 4, 7, 1 << 20, 1 << 31, 1 << 40, Int.max,
  ]

  private func number(_ random: inout SeededGenerator) -> Int {
    random.chance(0.85) ? random.below(4) : Self.numbers[random.below(Self.numbers.count)]
  }

  private func list(_ random: inout SeededGenerator) -> [Int] {
    (0..<random.below(5)).map { _ in number(&random) }
  }

  private func float(_ random: inout SeededGenerator) -> Float {
    let ends: [Float] = [
      0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    ]
    return random.chance(0.7) ? Float(random.unit() * 4 - 2) : ends[random.below(ends.count)]
  }

  private func window(_ random: inout SeededGenerator) -> Window {
    var w = random.window()
    if random.chance(0.5) { return w }
    let fields: [WritableKeyPath<Window, Int>] = [
      \.batch, \.channels, \.height, \.width, \.channelStart, \.channelCount, \.kernelHeight, \.kernelWidth,
      \.strideHeight, \.strideWidth, \.padTop, \.padLeft, \.dilationHeight, \.dilationWidth, \.outHeight,
      \.outWidth,
    ]
    for _ in 0...random.below(2) { w[keyPath: fields[random.below(fields.count)]] = number(&random) }
    return w
  }

  private func tensor(_ random: inout SeededGenerator, shape: [Int]? = nil) -> Tensor {
    let shape = shape ?? (0..<random.below(5)).map { _ in random.below(4) }
    let count = shape.reduce(1, *)
    if random.chance(0.4) { return Tensor(shape, (0..<count).map { _ in float(&random) }) }
    let bits = [3, 8, 16, 32, 64][random.below(5)]
    let element = ElementType.integer(bits: bits, signed: random.chance(0.5) || bits == 64)
    let values = (0..<count).map { _ in
      let value = Int64(truncatingIfNeeded: random.next())
      return max(element.lowest, min(element.highest, value >> Int64(random.below(64))))
    }
    return Tensor(shape, values, as: element)
  }

  private func integers(_ random: inout SeededGenerator) -> [Int64] { list(&random).map { Int64($0) } }

  private func operation(_ random: inout SeededGenerator) -> (DigitalOperator, [Int]?) {
    switch random.below(17) {
    case 0: return (.unary(.hardSigmoid(slope: float(&random), shift: float(&random))), nil)
    case 1: return (.binary(BinaryFunction.allCases[random.below(BinaryFunction.allCases.count)]), nil)
    case 2: return (.softmax(axis: number(&random)), nil)
    case 3: return (.matmul, nil)
    case 4, 5:
      let w = window(&random)
      let shape = w.inputShape.allSatisfy { 0...20 ~= $0 } ? w.inputShape : nil
      return (random.chance(0.5) ? .maxPool(w) : .averagePool(w, countPadding: random.chance(0.5)), shape)
    case 6: return (.mean(axes: list(&random)), nil)
    case 7: return (.reshape(list(&random)), nil)
    case 8: return (.transpose(list(&random)), nil)
    case 9: return (.concat(axis: number(&random)), nil)
    case 10: return (.pad(before: list(&random), after: list(&random), value: float(&random)), nil)
    case 11:
      let (a, b, c) = (Int64(number(&random)), Int64(number(&random)), Int64(number(&random)))
      return (.quantize(scale: float(&random), zero: a, low: b, high: c), nil)
    case 12: return (.dequantize(scale: float(&random), zero: Int64(number(&random))), nil)
    case 13:
      let shifts = integers(&random)
      let factors = random.chance(0.5) ? shifts : integers(&random)
      let rule = Requantization(
        multipliers: factors, shifts: shifts, zero: Int64(number(&random)), low: Int64(number(&random)),
        high: Int64(number(&random)), axis: number(&random))
      return (.requantize(rule), nil)
    case 15: return (.argMax(axis: number(&random), last: random.chance(0.5)), nil)
    case 14: return (.addBias(values: integers(&random), axis: number(&random)), nil)
    default: return (.lookup(table: integers(&random), first: Int64(number(&random))), nil)
    }
  }

  @Test func nothingTraps() {
    var random = SeededGenerator(seed: 99)
    var (results, errors) = (0, Set<String>())
    for _ in 0..<40_000 {
      let (op, shape) = operation(&random)
      var arguments: [Tensor] = []
      for _ in 0...(random.chance(0.4) ? 1 : 0) { arguments.append(tensor(&random, shape: shape)) }
      do throws(Diagnostic) {
        let promised = try op.resultShape(of: arguments.map(\.shape))
        guard promised.reduce(1, *) < 1 << 22 else { continue }
        let result = try op.apply(to: arguments)
        #expect(result.shape == promised)
        results += 1
      } catch {
        errors.insert(error.id)
      }
    }
    #expect(results > 3000)
    #expect(
      errors.isSuperset(of: ["operator.arguments", "operator.axis", "operator.kind", "operator.parameter"]))
    #expect(errors.allSatisfy { $0.hasPrefix("operator.") })
  }

  @Test func strangeShapesAreRefused() {
    let ops: [DigitalOperator] = [
      .unary(.relu), .softmax(axis: 0), .mean(axes: [0]), .transpose([0, 1, 2]), .reshape([0]),
      .pad(before: [0, 0, 0], after: [0, 0, 0], value: 0), .concat(axis: 0), .addBias(values: [], axis: 0),
    ]
    for op in ops {
      for shape in [[0, 1 << 40, 1 << 40], [-1, -1, 1], [.max, .max, .max], [1 << 31, 1, 1]] {
        expectFailure("operator.size") { () throws(Diagnostic) in _ = try op.resultShape(of: [shape]) }
      }
    }
  }
}
