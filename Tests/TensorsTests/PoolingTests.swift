import Support
import Tensors
import Testing

@Suite struct PoolingTests {
  @Test func poolsLikeTheDefinition() throws {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<300 {
      let w = random.window()
      let values = random.floats(w.inputCount)
      let x = Tensor(w.inputShape, values)
      let maxima = try DigitalOperator.maxPool(w).apply(to: [x])
      let means = try DigitalOperator.averagePool(w, countPadding: false).apply(to: [x]).floats
      let padded = try DigitalOperator.averagePool(w, countPadding: true).apply(to: [x]).floats
      #expect(maxima.shape == [w.batch, w.channels, w.outHeight, w.outWidth])
      let spots = w.outHeight * w.outWidth
      for at in 0..<maxima.count {
        let (image, channel, spot) = (at / spots / w.channels, at / spots % w.channels, at % spots)
        let taps = w.onChannel(channel).taps(values, image * spots + spot)
        let inside = taps.compactMap { $0 }
        let sum = inside.reduce(0.0) { $0 + Double($1) }
        #expect(maxima.floats[at] == inside.max())
        #expect(means[at] == Float(sum / Double(inside.count)))
        #expect(padded[at] == Float(sum / Double(taps.count)))
      }
    }
  }

  @Test func keepsIntegerContainers() throws {
    let w = Window(
      batch: 1, channels: 1, height: 2, width: 2, kernelHeight: 2, kernelWidth: 2, padTop: 1, padLeft: 1,
      outHeight: 2, outWidth: 2)
    let values: [Int64] = [-5, -7, -9, -128]
    let pool = DigitalOperator.maxPool(w)
    let result: [Int64] = [-5, -5, -5, -5]
    for bits in [8, 16, 32, 64] {
      let x = Tensor([1, 1, 2, 2], values, as: .integer(bits: bits, signed: true))
      let y = try pool.apply(to: [x])
      #expect(y.integers == result && y.data.container == x.data.container)
    }
    #expect(try pool.apply(to: [Tensor([1, 1, 2, 2], .u8([0, 3, 255, 1]))]).data == .u8([0, 3, 255, 255]))
    #expect(
      try pool.apply(to: [Tensor([1, 1, 2, 2], .u16([0, 3, 255, 1]))]).data == .u16([0, 3, 255, 255]))
  }

  @Test func letsNaNLose() throws {
    let pool = DigitalOperator.maxPool(.rows(1, 3))
    #expect(try pool.apply(to: [Tensor([1, 1, 1, 3], [.nan, -2, .nan] as [Float])]).floats == [-2])
    #expect(
      try pool.apply(to: [Tensor([1, 1, 1, 3], [.nan, .nan, .nan] as [Float])]).floats == [-.infinity])
  }

  @Test func poolsOneDimension() throws {
    let w = Window(
      batch: 2, channels: 1, height: 1, width: 4, kernelHeight: 1, kernelWidth: 2, strideWidth: 2,
      outHeight: 1,
      outWidth: 2)
    let result = try DigitalOperator.maxPool(w).apply(to: [Tensor([2, 1, 4], .u8([1, 2, 3, 4, 8, 7, 6, 5]))])
    #expect(result == Tensor([2, 1, 2], .u8([2, 4, 8, 6])))
  }

  @Test func refusesBadWindows() {
    let x = Tensor([1, 1, 2, 2], [0, 0, 0, 0] as [Float])
    let good = Window(
      batch: 1, channels: 1, height: 2, width: 2, kernelHeight: 2, kernelWidth: 2, outHeight: 1, outWidth: 1)
    expectFailure(
      "operator.kind", .averagePool(good, countPadding: true), [Tensor([1, 1, 2, 2], .u8([1, 2, 3, 4]))])
    expectFailure("operator.window", .maxPool(good), [Tensor([4], [0, 0, 0, 0] as [Float])])
    let changes: [(inout Window) -> Void] = [
      { $0.strideWidth = 0 }, { $0.outHeight = -1 }, { $0.kernelWidth = .max }, { $0.padTop = .min },
      { $0.padTop = 2 }, { $0.padLeft = 1 << 30 }, { $0.outWidth = 4 }, { $0.batch = 2 },
      { $0.channelCount = 2 },
      { $0.dilationHeight = .max }, { $0.kernelHeight = 1 << 21 }, { $0.height = 1 << 30 },
    ]
    for (index, change) in changes.enumerated() {
      var w = good
      change(&w)
      for op in [DigitalOperator.maxPool(w), .averagePool(w, countPadding: true)] {
        #expect(throws: Diagnostic.self, "change \(index)") { try op.apply(to: [x]) }
      }
    }
  }

  @Test func refusesWindowsInThePadding() {
    // Two taps, two apart, around a single row: neither meets it.
    let w = Window(
      batch: 1, channels: 1, height: 1, width: 1, kernelHeight: 2, kernelWidth: 1, padTop: 1,
      dilationHeight: 2,
      outHeight: 1, outWidth: 1)
    expectFailure("operator.window", .maxPool(w), [Tensor([1, 1, 1, 1], [1 as Float])])
  }
}
