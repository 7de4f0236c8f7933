import Support
import Tensors
import Testing

@Suite struct ConvolutionTests {
  @Test func gathersLikeTheDefinition() throws {
    var random = SeededGenerator(seed: 41)
    for _ in 0..<300 {
      let w = random.window()
      let values = random.integers(w.inputCount, in: 0...99)
      let expected = (0..<w.positions).flatMap { w.taps(values, $0).map { $0 ?? 7 } }
      for bits in [8, 16, 32, 64] {
        let element = ElementType.integer(bits: bits, signed: true)
        let result = try windows(of: Tensor(w.inputShape, values, as: element), w, padding: 7)
        #expect(result == Tensor([w.positions, w.length], expected, as: element))
      }
      let floats = try windows(of: Tensor(w.inputShape, values.map { Float($0) }), w, padding: 7)
      #expect(floats.integers == expected)
      let (first, last) = (random.below(w.positions), w.positions)
      let part = try values.withUnsafeBufferPointer {
        try im2col(window: w, positions: first..<last, from: $0, padding: 7)
      }
      #expect(part == Array(expected[(first * w.length)...]))
    }
  }

  @Test func rowsAreTheMatrixItself() throws {
    let x = Tensor([3, 4], (0..<12).map { Int64($0) })
    #expect(try windows(of: x, .rows(3, 4)) == x)
  }

  @Test func refusesForeignWindows() {
    let x = Tensor([3, 4], .u8([UInt8](repeating: 0, count: 12)))
    expectFailure("operator.window") { () throws(Diagnostic) in _ = try windows(of: x, .rows(4, 4)) }
    expectFailure("operator.window") { () throws(Diagnostic) in _ = try windows(of: x, .rows(-3, -4)) }
    expectFailure("operator.parameter") { () throws(Diagnostic) in
      _ = try windows(of: x, .rows(3, 4), padding: 256)
    }
    for positions in [0..<4, -1..<2, 3..<5] {
      expectFailure("operator.window") { () throws(Diagnostic) in
        _ = try [Int](repeating: 0, count: 12).withUnsafeBufferPointer { (b) throws(Diagnostic) in
          try im2col(window: .rows(3, 4), positions: positions, from: b, padding: 0)
        }
      }
    }
    var bomb = Window.rows(3, 4)
    (bomb.outHeight, bomb.kernelWidth) = (1 << 20, 1 << 20)
    expectFailure("operator.size") { () throws(Diagnostic) in _ = try windows(of: x, bomb) }
  }

  @Test func col2imJoinsRowsToImages() throws {
    let rows = Tensor([4, 3], .i16((0..<12).map { Int16($0) }))
    let images = try col2im(rows, batch: 2)
    #expect(images == Tensor([2, 3, 2], .i16([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])))
    for batch in [0, -1, 3, 5] {
      expectFailure("operator.shape") { () throws(Diagnostic) in _ = try col2im(rows, batch: batch) }
    }
  }

  /// The definition: for each filter the products in window order, the bias last.
  private func expected(
    _ x: [Float], _ weights: [Float], _ bias: [Float]?, _ w: Window, _ groups: Int, _ filters: Int
  )
    -> [Float]
  {
    let (channels, share, spots) = (w.channels / groups, filters / groups, w.outHeight * w.outWidth)
    var result: [Float] = []
    for line in 0..<w.batch * filters {
      let (image, filter) = (line / filters, line % filters)
      var group = w
      (group.channelStart, group.channelCount) = (filter / share * channels, channels)
      for spot in 0..<spots {
        var sum: Float = 0
        for (r, tap) in group.taps(x, image * spots + spot).enumerated() {
          sum += weights[filter * group.length + r] * (tap ?? 0)
        }
        result.append(bias.map { sum + $0[filter] } ?? sum)
      }
    }
    return result
  }

  @Test func convolvesLikeTheDefinition() throws {
    var random = SeededGenerator(seed: 42)
    for round in 0..<300 {
      var w = random.window()
      let groups = random.inside(1...3)
      w.channels = groups * random.inside(1...3)
      (w.channelStart, w.channelCount) = (0, w.channels)
      if round % 3 == 0 { (w.width, w.outWidth, w.strideWidth) = (24, 19, 1) }
      let filters = groups * random.inside(1...6)
      let (x, taps) = (random.floats(w.inputCount), w.channels / groups * w.kernelHeight * w.kernelWidth)
      let weights = random.floats(filters * taps)
      let bias = round % 2 == 0 ? random.floats(filters) : nil
      let shape = [filters, w.channels / groups, w.kernelHeight, w.kernelWidth]
      let result = try convolve(
        Tensor(w.inputShape, x), weights: Tensor(shape, weights), bias: bias, window: w, groups: groups)
      #expect(result.shape == [w.batch, filters, w.outHeight, w.outWidth])
      #expect(result.floats == expected(x, weights, bias, w, groups, filters))
    }
  }

  @Test func agreesWithWindowsAndProducts() throws {
    var random = SeededGenerator(seed: 43)
    let w = Window(
      batch: 2, channels: 3, height: 9, width: 9, kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1,
      outHeight: 9, outWidth: 9)
    let (x, weights) = (Tensor(w.inputShape, random.floats(w.inputCount)), random.floats(5 * 27))
    let rows = try windows(of: x, w)
    let columns = try DigitalOperator.transpose([1, 0]).apply(to: [Tensor([5, 27], weights)])
    let product = try floatProduct(rows.floats, columns.floats, rows: w.positions, inner: 27, columns: 5)
    let images = try col2im(Tensor([w.positions, 5], product), batch: 2)
    let direct = try convolve(x, weights: Tensor([5, 3, 3, 3], weights), bias: nil, window: w)
    #expect(images.floats == direct.floats)
  }

  @Test func refusesWhatDoesNotFit() {
    let w = Window(
      batch: 1, channels: 2, height: 3, width: 3, kernelHeight: 2, kernelWidth: 2, outHeight: 2, outWidth: 2)
    let x = Tensor([1, 2, 3, 3], [Float](repeating: 1, count: 18))
    let weights = Tensor([1, 2, 2, 2], [Float](repeating: 1, count: 8))
    func check(_ id: String, _ x: Tensor, _ weights: Tensor, _ bias: [Float]?, _ w: Window, _ groups: Int) {
      expectFailure(id) { () throws(Diagnostic) in
        _ = try convolve(x, weights: weights, bias: bias, window: w, groups: groups)
      }
    }
    check("operator.shape", x, weights, [1, 2], w, 1)
    check("operator.shape", x, weights, nil, w, 2)
    check("operator.shape", x, weights, nil, w, 0)
    check("operator.shape", x, weights, nil, w, -1)
    check("operator.shape", x, Tensor([], [1 as Float]), nil, w, 1)
    check("operator.window", weights, weights, nil, w, 1)
    check("operator.kind", x, Tensor([1, 2, 2, 2], .u8([UInt8](repeating: 1, count: 8))), nil, w, 1)
    var bad = w
    bad.strideWidth = 0
    check("operator.window", x, weights, nil, bad, 1)
    bad = w
    (bad.outHeight, bad.outWidth) = (1 << 16, 1 << 16)
    check("operator.size", x, weights, nil, bad, 1)
  }
}
