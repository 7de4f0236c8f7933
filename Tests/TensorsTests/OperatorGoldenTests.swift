import Support
import Tensors
import Testing

/// Results that NumPy and Python's integers gave; see `Fixtures/make-operators.py`.
@Suite struct OperatorGoldenTests {
  /// Operators whose results must be the same to the bit.
  private static let exact: [(String, DigitalOperator)] = [
    ("relu", .unary(.relu)), ("leaky", .unary(.leakyRelu(slope: 0.01))),
    ("clip", .unary(.clip(low: -1, high: 2.5))),
    ("hard-sigmoid", .unary(.hardSigmoid(slope: 0.2, shift: 0.5))), ("hard-swish", .unary(.hardSwish)),
    ("sqrt", .unary(.sqrt)), ("add-floats", .binary(.add)), ("subtract-floats", .binary(.subtract)),
    ("multiply-floats", .binary(.multiply)), ("divide-floats", .binary(.divide)),
    ("maximum-floats", .binary(.maximum)), ("minimum-floats", .binary(.minimum)),
    ("add-integers", .binary(.add)),
    ("subtract-integers", .binary(.subtract)), ("multiply-integers", .binary(.multiply)),
    ("divide-integers", .binary(.divide)), ("maximum-integers", .binary(.maximum)),
    ("minimum-integers", .binary(.minimum)), ("transpose", .transpose([0, 2, 3, 1])),
    ("transpose-all", .transpose([3, 1, 0, 2])), ("concat", .concat(axis: 1)),
    ("pad", .pad(before: [0, 2, 1], after: [1, 0, 3], value: 7)), ("reshape", .reshape([5, 2])),
    ("quantize", .quantize(scale: 0.5, zero: 3, low: -128, high: 127)),
    ("dequantize", .dequantize(scale: 0.037, zero: 128)),
    ("lookup", .lookup(table: (0..<256).map { ($0 * 37 + 11) % 256 }, first: 0)),
    ("add-bias", .addBias(values: [-1000, 0, 70_000], axis: 0)),
    (
      "requantize",
      .requantize(
        Requantization(
          multipliers: [(1 << 31) - 1, 1_234_567_890, 77], shifts: [50, 41, 7], zero: 13, low: 0, high: 255,
          axis: 0))
    ),
  ]

  /// Operators whose results may differ in the last places: NumPy sums or evaluates them in binary64.
  private static let close: [(String, DigitalOperator)] = [
    ("sigmoid", .unary(.sigmoid)), ("tanh", .unary(.tanh)), ("elu", .unary(.elu(alpha: 1.5))),
    ("softplus", .unary(.softplus)), ("exp", .unary(.exp)), ("log", .unary(.log)),
    ("softmax-0", .softmax(axis: 0)),
    ("softmax-1", .softmax(axis: 1)), ("softmax-2", .softmax(axis: 2)), ("mean", .mean(axes: [0, 2])),
    ("matmul", .matmul), ("matmul-vector", .matmul),
  ]

  private static let pools: [(String, @Sendable (Window) -> DigitalOperator)] = [
    ("max-plain", { .maxPool($0) }), ("max-odd", { .maxPool($0) }), ("max-i8", { .maxPool($0) }),
    ("mean-plain", { .averagePool($0, countPadding: false) }),
    ("mean-odd", { .averagePool($0, countPadding: false) }),
    ("mean-padded", { .averagePool($0, countPadding: true) }),
  ]

  private let arrays: [String: Tensor]

  init() throws {
    let all = try readArrays(path: fixturePath("operators.npz"))
    arrays = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.tensor) })
  }

  private func arguments(_ name: String) -> [Tensor] {
    var list: [Tensor] = []
    while let next = arrays["\(name).x\(list.count)"] { list.append(next) }
    return list
  }

  /// The largest distance relative to the size of the numbers.
  private func distance(_ a: Tensor, _ b: Tensor) -> Float {
    guard a.shape == b.shape else { return .infinity }
    return zip(a.floats, b.floats).reduce(0) { max($0, abs($1.0 - $1.1) / max(1, abs($1.1))) }
  }

  @Test func computesTheSameBits() throws {
    for (name, op) in Self.exact {
      let result = try op.apply(to: arguments(name))
      #expect(isIdentical(result, try #require(arrays["\(name).y"])), "\(name)")
    }
  }

  @Test func computesTheSameUpToRounding() throws {
    for (name, op) in Self.close {
      let result = try op.apply(to: arguments(name))
      #expect(distance(result, try #require(arrays["\(name).y"])) < 1e-6, "\(name)")
    }
  }

  @Test func poolsTheSame() throws {
    let plain = Window(
      batch: 2, channels: 3, height: 7, width: 6, kernelHeight: 2, kernelWidth: 2, strideHeight: 2,
      strideWidth: 2,
      outHeight: 3, outWidth: 3)
    let odd = Window(
      batch: 2, channels: 3, height: 7, width: 6, kernelHeight: 3, kernelWidth: 2, strideHeight: 2,
      strideWidth: 1,
      padTop: 1, padLeft: 1, dilationHeight: 1, dilationWidth: 2, outHeight: 4, outWidth: 6)
    for (name, op) in Self.pools {
      let result = try op(name.hasSuffix("plain") ? plain : odd).apply(to: arguments(name))
      #expect(isIdentical(result, try #require(arrays["\(name).y"])), "\(name)")
    }
  }

  @Test func convolvesTheSame() throws {
    let grouped = Window(
      batch: 2, channels: 4, height: 8, width: 7, kernelHeight: 3, kernelWidth: 3, strideHeight: 2,
      strideWidth: 2,
      padTop: 1, padLeft: 1, outHeight: 4, outWidth: 4)
    let dilated = Window(
      batch: 2, channels: 4, height: 8, width: 7, kernelHeight: 3, kernelWidth: 2, padTop: 2, padLeft: 2,
      dilationHeight: 2, dilationWidth: 2, outHeight: 8, outWidth: 9)
    for (name, window, groups) in [("convolution-groups", grouped, 2), ("convolution-dilated", dilated, 1)] {
      let x = arguments(name)
      let result = try convolve(x[0], weights: x[1], bias: nil, window: window, groups: groups)
      #expect(distance(result, try #require(arrays["\(name).y"])) < 2e-6, "\(name)")
    }
  }

  @Test func coversEveryCase() {
    let names =
      Self.exact.map(\.0) + Self.close.map(\.0) + Self.pools.map(\.0) + [
        "convolution-groups", "convolution-dilated",
      ]
    let cases = arrays.keys.filter { $0.hasSuffix(".y") }.map { String($0.dropLast(2)) }
    #expect(names.sorted() == cases.sorted())
  }
}
