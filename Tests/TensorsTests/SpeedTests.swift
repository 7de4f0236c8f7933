import Glibc
import Support
import Tensors
import Testing

/// Prints speeds; runs only with `XBAR_BENCH` set, since speeds are no matter of right or wrong.
@Suite(.enabled(if: getenv("XBAR_BENCH") != nil), .serialized) struct SpeedTests {
  /// The least seconds of a few runs.
  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<7 {
      let time = try ContinuousClock().measure { try body() }
      best = min(best, Double(time.components.attoseconds) * 1e-18 + Double(time.components.seconds))
    }
    return best
  }

  private func report(_ name: String, _ time: Double, operations: Double, _ unit: String) {
    let rate = (operations / time / 1e7).rounded() / 100
    print("speed: \(name): \((time * 1e5).rounded() / 100) ms, \(rate) \(unit)")
  }

  @Test func products() throws {
    var random = SeededGenerator(seed: 1)
    for (rows, inner, columns) in [(256, 576, 1024), (512, 4608, 49), (1, 4096, 1000), (1024, 512, 512)] {
      let (a, b) = (random.floats(rows * inner), random.floats(inner * columns))
      let time = try seconds { _ = try floatProduct(a, b, rows: rows, inner: inner, columns: columns) }
      report(
        "float product \(rows)x\(inner)x\(columns)", time, operations: Double(2 * rows * inner * columns),
        "GFLOP/s")
    }
    for bits in [7, 15, 26] {
      let (a, b) = (
        random.integers(256 * 512, in: 0...1 << bits), random.integers(512 * 256, in: 0...1 << bits)
      )
      let time = try seconds { _ = try integerProduct(a, b, rows: 256, inner: 512, columns: 256) }
      report("integer product 256x512x256, \(bits) bits", time, operations: 2 * 256 * 512 * 256, "GOP/s")
    }
  }

  @Test func convolutions() throws {
    var random = SeededGenerator(seed: 2)
    for (channels, filters, size, groups, kernel) in [
      (64, 64, 56, 1, 3), (512, 512, 7, 1, 3), (256, 64, 56, 1, 1), (96, 96, 56, 96, 3), (3, 64, 112, 1, 7),
    ] {
      let w = Window(
        batch: 1, channels: channels, height: size, width: size, kernelHeight: kernel, kernelWidth: kernel,
        padTop: kernel / 2, padLeft: kernel / 2, outHeight: size, outWidth: size)
      let x = Tensor(w.inputShape, random.floats(w.inputCount))
      let shape = [filters, channels / groups, kernel, kernel]
      let weights = Tensor(shape, random.floats(shape.reduce(1, *)))
      let time = try seconds { _ = try convolve(x, weights: weights, bias: nil, window: w, groups: groups) }
      report(
        "convolution \(shape) on \(size)x\(size), \(groups) groups", time,
        operations: 2 * Double(weights.count * size * size), "GFLOP/s")
      let gathering = try seconds { _ = try windows(of: x, w) }
      report("windows", gathering, operations: Double(w.positions * w.length), "Gelements/s")
    }
  }

  @Test func operators() throws {
    var random = SeededGenerator(seed: 3)
    let shape = [1, 64, 128, 128]
    let count = shape.reduce(1, *)
    let sums = Tensor(shape, random.integers(count, in: -1_000_000...1_000_000))
    let bytes = Tensor(shape, random.integers(count, in: 0...255), as: .integer(bits: 8, signed: false))
    let floats = Tensor(shape, random.floats(count))
    let rule = Requantization(
      multipliers: (0..<64).map { _ in Int64(random.below(1 << 31)) },
      shifts: .init(repeating: 40, count: 64),
      zero: 128, low: 0, high: 255, axis: 1)
    let pool = Window(
      batch: 1, channels: 64, height: 128, width: 128, kernelHeight: 2, kernelWidth: 2, strideHeight: 2,
      strideWidth: 2, outHeight: 64, outWidth: 64)
    let cases: [(DigitalOperator, [Tensor])] = [
      (.requantize(rule), [sums]), (.addBias(values: random.integers(64, in: -9...9), axis: 1), [sums]),
      (.lookup(table: (0..<256).map { 255 - $0 }, first: 0), [bytes]),
      (.quantize(scale: 0.01, zero: 128, low: 0, high: 255), [floats]),
      (.dequantize(scale: 0.01, zero: 128), [bytes]),
      (.maxPool(pool), [bytes]), (.maxPool(pool), [floats]),
      (.averagePool(pool, countPadding: false), [floats]),
      (.transpose([0, 2, 3, 1]), [bytes]), (.transpose([0, 2, 3, 1]), [floats]),
      (.reshape([count]), [floats]),
      (.unary(.relu), [floats]), (.unary(.sigmoid), [floats]), (.binary(.add), [floats, floats]),
      (.binary(.add), [sums, sums]), (.softmax(axis: 3), [floats]), (.mean(axes: [2, 3]), [floats]),
      (.concat(axis: 1), [bytes, bytes]),
      (.pad(before: [0, 0, 1, 1], after: [0, 0, 1, 1], value: 0), [bytes]),
    ]
    for (op, arguments) in cases {
      let time = try seconds { _ = try op.apply(to: arguments) }
      report("\(op.name) of \(arguments[0].data.container)", time, operations: Double(count), "Gelements/s")
    }
  }
}
