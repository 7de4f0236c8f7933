import CKernels
import NaiveTwin
import Support
import Tensors
import Testing

extension LevelTests {
  /// The kernels of byte panels against plain loops, at every level that this processor has.
  @Suite(.serialized) struct ByteKernelTests {
    /// Random windows in a panel.
    private struct Case {
      let inputs: Int
      let windows: Int
      let lanes: Int
      /// `[inputs][pitch]`.
      let rows: [UInt8]
      let pitch: Int

      var groups: Int { (inputs + 3) / 4 }

      init(_ random: inout SeededGenerator) {
        inputs = random.inside(1...90)
        windows = random.inside(1...200)
        lanes = (windows + 15) / 16 * 16
        pitch = lanes + 16
        let density = random.unit()
        rows = (0..<inputs * pitch).map { _ in
          random.chance(density) ? UInt8(truncatingIfNeeded: random.next()) : 0
        }
      }

      func value(_ input: Int, _ window: Int, signed: Bool) -> Int {
        let byte = rows[input * pitch + window]
        return signed ? Int(Int8(bitPattern: byte)) : Int(byte)
      }

      var panel: [UInt8] {
        var panel = [UInt8](repeating: 0xEE, count: 4 * groups * lanes)
        xbar_interleave_rows(rows, pitch, inputs, windows, lanes, &panel)
        return panel
      }
    }

    private func cases(_ seed: UInt64, _ count: Int, _ body: (Case, inout SeededGenerator) -> Void) {
      var random = SeededGenerator(seed: seed)
      for _ in 0..<count {
        let sample = Case(&random)
        atEveryLevel { _ in
          var own = random
          body(sample, &own)
        }
        _ = random.next()
      }
    }

    @Test func panelsHoldFourInputsOfAWindowSideBySide() {
      cases(1, 60) { sample, _ in
        let panel = sample.panel
        var expected = [UInt8](repeating: 0, count: panel.count)
        for input in 0..<sample.inputs {
          for window in 0..<sample.windows {
            expected[4 * (input / 4 * sample.lanes + window) + input % 4] =
              sample.rows[input * sample.pitch + window]
          }
        }
        #expect(panel == expected)
        var filled = [UInt8](repeating: 0, count: panel.count)
        for window in 0..<sample.windows {
          let values = (0..<sample.inputs).map { sample.rows[$0 * sample.pitch + window] }
          xbar_fill_lane(values, sample.inputs, window, sample.lanes, &filled)
        }
        #expect(filled == expected)
      }
    }

    @Test func productsAreThoseOfIntegers() {
      cases(2, 60) { sample, random in
        let (outputs, signed) = (random.inside(1...11), random.chance(0.5))
        let weights = (0..<outputs * 4 * sample.groups).map { k in
          k % (4 * sample.groups) < sample.inputs ? Int8(truncatingIfNeeded: random.next()) : 0
        }
        func weight(_ output: Int, _ input: Int) -> Int { Int(weights[output * 4 * sample.groups + input]) }
        let bias = (0..<outputs).map { _ in random.inside(-9999...9999) }
        let starts = (0..<outputs).map { output in
          let excess = (0..<sample.inputs).reduce(0) { $0 + 128 * weight(output, $1) }
          return Int32(bias[output] - (signed ? excess : 0))
        }
        var sums = [Int32](repeating: -1, count: outputs * sample.lanes)
        xbar_multiply_panel(
          sample.panel, sample.groups, sample.lanes, weights, outputs, starts, signed ? 1 : 0, &sums)
        var wrong = 0
        for output in 0..<outputs {
          for window in 0..<sample.windows {
            let expected = (0..<sample.inputs).reduce(bias[output]) {
              $0 + weight(output, $1) * sample.value($1, window, signed: signed)
            }
            if Int(sums[output * sample.lanes + window]) != expected { wrong += 1 }
          }
        }
        #expect(wrong == 0)
      }
    }

    @Test func digitsAreCounted() {
      cases(3, 60) { sample, random in
        let (bits, signed) = (random.inside(1...8), random.chance(0.5))
        var counts = [UInt32](repeating: 5, count: 4 * sample.groups)
        let set = xbar_count_panel(
          sample.panel, sample.groups, sample.lanes, UInt32(bits), signed ? 1 : 0, &counts)
        var (expected, all) = ([UInt32](repeating: 5, count: 4 * sample.groups), 0)
        for input in 0..<sample.inputs {
          for window in 0..<sample.windows {
            let magnitude = abs(sample.value(input, window, signed: signed))
            all |= magnitude
            for digit in stride(from: 0, to: 8, by: bits) where magnitude >> digit & ((1 << bits) - 1) != 0 {
              expected[input] += 1
            }
          }
        }
        #expect(counts == expected && Int(set) == all)
      }
    }

    @Test func panelsAreWidened() {
      cases(4, 60) { sample, random in
        let (first, signed) = (random.below(sample.lanes / 32 + 1) * 32, random.chance(0.5))
        var values = [Int32](repeating: -7, count: 4 * sample.groups * 32)
        xbar_widen_panel(sample.panel, sample.groups, sample.lanes, first, signed ? 1 : 0, &values)
        let expected = (0..<4 * sample.groups * 32).map { k -> Int32 in
          let (input, window) = (k / 32, first + k % 32)
          guard input < sample.inputs, window < sample.windows else { return 0 }
          return Int32(sample.value(input, window, signed: signed))
        }
        #expect(values == expected)
      }
    }

    @Test func sumsAreScaled() {
      var random = SeededGenerator(seed: 5)
      for _ in 0..<100 {
        let sums = (0..<16 * random.inside(1...9)).map { _ in
          Int32(truncatingIfNeeded: Int64(bitPattern: random.next()) >> Int64(32 + random.below(24)))
        }
        let zero = Int64(random.inside(-3...30))
        var scale = xbar_byte_scale(
          multiplier: Int64(random.below(1 << 31)), shift: Int64(random.inside(1...62)), low: -zero,
          high: 255 - zero,
          zero: zero)
        let expected = sums.map { sum -> UInt8 in
          let value = (Int64(sum) * scale.multiplier + 1 << (scale.shift - 1)) >> scale.shift
          return UInt8(max(0, min(255, value + zero)))
        }
        atEveryLevel { level in
          var bytes = [UInt8](repeating: 0xEE, count: sums.count)
          xbar_scale_sums(sums, sums.count, &scale, &bytes)
          #expect(bytes == expected, "level \(level)")
        }
      }
    }
  }
}

/// Rows of a tap in neighboring windows, against the definition of windows.
@Suite struct GatherRowsTests {
  private func axis(_ random: inout SeededGenerator) -> (
    length: Int, kernel: Int, stride: Int, pad: Int, dilation: Int, positions: Int
  ) {
    let (length, kernel) = (random.inside(1...30), random.inside(1...5))
    let stride = random.chance(0.6) ? 1 : random.inside(1...3)
    return (length, kernel, stride, random.inside(0...4), random.inside(1...3), random.inside(1...40))
  }

  @Test func rowsAreWindows() {
    var random = SeededGenerator(seed: 8)
    for _ in 0..<400 {
      let (y, x, channels) = (axis(&random), axis(&random), random.inside(1...3))
      let window = Window(
        batch: 1, channels: channels, height: y.length, width: x.length, kernelHeight: y.kernel,
        kernelWidth: x.kernel,
        strideHeight: y.stride, strideWidth: x.stride, padTop: y.pad, padLeft: x.pad,
        dilationHeight: y.dilation,
        dilationWidth: x.dilation, outHeight: y.positions, outWidth: x.positions)
      var numbers = xbar_byte_window(
        channels: channels, height: Int32(y.length), width: Int32(x.length), kernel_height: Int32(y.kernel),
        kernel_width: Int32(x.kernel), stride_height: Int32(y.stride), stride_width: Int32(x.stride),
        pad_top: Int32(y.pad), pad_left: Int32(x.pad), dilation_height: Int32(y.dilation),
        dilation_width: Int32(x.dilation), out_width: Int32(x.positions), padding: 77)
      let source = (0..<window.inputCount + Int(XBAR_BYTE_SLACK)).map { _ in
        UInt8(truncatingIfNeeded: random.next())
      }
      let whole = random.chance(0.3)
      let first = whole ? 0 : random.below(window.positions)
      let count = whole ? window.positions : random.inside(1...window.positions - first)
      let pitch = count + Int(XBAR_BYTE_SLACK)
      var rows = [UInt8](repeating: 1, count: window.length * pitch)
      xbar_gather_rows(&numbers, source, first, count, &rows, pitch)
      var wrong = 0
      for k in 0..<count {
        let seen = naiveWindow(window, Array(source.prefix(window.inputCount)), position: first + k)
        for element in 0..<window.length where rows[element * pitch + k] != seen[element] ?? 77 { wrong += 1 }
      }
      #expect(wrong == 0, "\(window)")
    }
  }
}
