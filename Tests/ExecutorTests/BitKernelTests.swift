import CKernels
import Support
import Testing

extension LevelTests {
  /// Kernels that take inputs apart into bits, each against a plain loop, at every level that this processor has.
  @Suite(.serialized) struct BitKernelTests {
    @Test func countsDigits() {
      var random = SeededGenerator(seed: 11)
      for _ in 0..<100 {
        let (inputs, windows) = (random.inside(1...40), random.inside(1...5))
        let digitBits = random.inside(1...8)
        let shift = random.below(digitBits)
        let values = (0..<inputs * windows).map { _ in
          UInt32(truncatingIfNeeded: random.next() >> UInt64(random.inside(32...63)))
        }
        var expected = [UInt32](repeating: 5, count: inputs)
        for (k, value) in values.enumerated() {
          var rest = UInt64(value) << UInt64(shift)
          while rest != 0 {
            if rest & (1 << UInt64(digitBits) - 1) != 0 { expected[k % inputs] += 1 }
            rest >>= UInt64(digitBits)
          }
        }
        atEveryLevel { level in
          var counts = [UInt32](repeating: 5, count: inputs)
          xbar_count_digits(values, inputs, windows, UInt32(digitBits), UInt32(shift), &counts)
          #expect(counts == expected, "level \(level)")
        }
      }
    }

    @Test func transposes() {
      var random = SeededGenerator(seed: 12)
      for _ in 0..<100 {
        let (inputs, windows) = (random.inside(1...70), random.inside(1...32))
        let values = (0..<inputs * windows).map { _ in Int32(truncatingIfNeeded: random.next()) }
        let expected = (0..<inputs * 32).map { k in
          k % 32 < windows ? values[k % 32 * inputs + k / 32] : 0
        }
        atEveryLevel { level in
          var panel = [Int32](repeating: 9, count: inputs * 32)
          xbar_transpose(values, inputs, windows, &panel)
          #expect(panel == expected, "level \(level)")
        }
      }
    }

    @Test func multipliesGathered() {
      var random = SeededGenerator(seed: 13)
      for _ in 0..<100 {
        let (inputs, outputs, windows) = (random.inside(1...30), random.inside(1...9), random.inside(1...32))
        let stride = outputs + random.below(3)
        let panel = (0..<inputs * 32).map { _ in Int32(random.inside(-5000...5000)) }
        var starts: [UInt32] = [0]
        for _ in 0..<outputs { starts.append((starts.last ?? 0) + UInt32(random.below(20))) }
        let count = Int(starts[outputs])
        let picked = (0..<count).map { _ in UInt32(random.below(inputs)) }
        let weights = (0..<count).map { _ in Int32(random.inside(-1000...1000)) }
        var expected = [Int64](repeating: 3, count: windows * stride)
        for w in 0..<windows {
          for o in 0..<outputs {
            for k in Int(starts[o])..<Int(starts[o + 1]) {
              expected[w * stride + o] += Int64(panel[Int(picked[k]) * 32 + w]) * Int64(weights[k])
            }
          }
        }
        atEveryLevel { level in
          for narrow in [Int32(0), 1] {
            var results = [Int64](repeating: 3, count: windows * stride)
            xbar_multiply_gathered(
              panel, windows, starts, picked, weights, outputs, narrow, &results, stride)
            #expect(results == expected, "level \(level) narrow \(narrow)")
          }
        }
      }
    }

    @Test func wideGatheredProductsNeedWideSums() {
      let panel = [Int32](repeating: .max, count: 32)
      atEveryLevel { _ in
        var results: [Int64] = [0]
        xbar_multiply_gathered(panel, 1, [0, 2], [0, 0], [.min, .min], 1, 0, &results, 1)
        #expect(results == [2 * Int64(Int32.max) * Int64(Int32.min)])
      }
    }

    @Test func buildsPlanes() {
      var random = SeededGenerator(seed: 14)
      for _ in 0..<60 {
        let inputs = random.inside(1...200)
        let panel = (0..<inputs * 32).map { _ in
          UInt32(truncatingIfNeeded: random.next() >> UInt64(random.inside(32...64)))
        }
        let digitBits = random.inside(1...8)
        let first = random.below(3)
        let digits = random.inside(1...(62 / digitBits - first))
        let words = (0..<random.inside(1...5)).map { _ in
          let word = random.below((inputs + 63) / 64)
          return xbar_plane_word(
            input: UInt32(64 * word), count: UInt32(min(64, inputs - 64 * word)),
            shift: random.chance(0.5) ? 0 : UInt32(random.below(31)))
        }
        atEveryLevel { level in
          var planes = [UInt64](repeating: 7, count: digits * words.count * 32)
          xbar_build_planes(
            panel, words, words.count, UInt32(first), UInt32(digits), UInt32(digitBits), &planes)
          for t in 0..<digits {
            for (n, word) in words.enumerated() {
              for w in 0..<32 {
                let expected = (0..<Int(word.count)).reduce(UInt64(0)) { bits, k in
                  let value = UInt64(panel[(Int(word.input) + k) * 32 + w]) << UInt64(word.shift)
                  let digit = value >> UInt64((first + t) * digitBits) & (1 << UInt64(digitBits) - 1)
                  return bits | (digit != 0 ? 1 : 0) << UInt64(k)
                }
                if planes[(t * words.count + n) * 32 + w] != expected {
                  Issue.record("level \(level) digit \(t) word \(n) window \(w)")
                }
              }
            }
          }
        }
      }
    }

    @Test func countsUnits() {
      var random = SeededGenerator(seed: 15)
      for round in 0..<60 {
        let (words, digits) = (random.inside(1...64), random.inside(1...6))
        let density = random.unit()
        let planes = (0..<words * digits * 32).map { _ in
          random.chance(density) ? random.next() : random.next() & random.next() & random.next()
        }
        let picked = Array(0..<words).filter { _ in random.chance(0.7) }.map { UInt32($0) }
        let masks = picked.map { _ in round == 0 ? UInt64.max : random.next() }
        for height in [1, 2, 3, 7, 9, 16, 128, 1000, 4095, 4096, random.inside(1...4096)] {
          var expected = [UInt32](repeating: 2, count: 32)
          for t in 0..<digits {
            for w in 0..<32 {
              let bits = zip(picked, masks).reduce(0) { sum, mask in
                sum + (planes[(t * words + Int(mask.0)) * 32 + w] & mask.1).nonzeroBitCount
              }
              expected[w] += UInt32((bits + height - 1) / height)
            }
          }
          atEveryLevel { level in
            let units = counted(picked, masks, height, planes, words, digits)
            #expect(units == expected, "level \(level) height \(height)")
          }
        }
      }
    }

    /// The units of 32 windows, begun with 2 for each.
    private func counted(
      _ picked: [UInt32], _ masks: [UInt64], _ height: Int, _ planes: [UInt64], _ words: Int, _ digits: Int
    ) -> [UInt32] {
      var units = [UInt32](repeating: 2, count: 32)
      picked.withUnsafeBufferPointer { picked in
        masks.withUnsafeBufferPointer { masks in
          var wordlines = xbar_wordline_masks(
            words: picked.baseAddress, masks: masks.baseAddress, count: UInt32(picked.count),
            height: UInt32(height))
          xbar_count_units(&wordlines, planes, words, UInt32(digits), &units)
        }
      }
      return units
    }

    @Test func splitsRows() {
      var random = SeededGenerator(seed: 16)
      for _ in 0..<100 {
        let sample = DynamicSample(&random)
        atEveryLevel { level in
          let planes = sample.planes()
          for t in 0..<sample.digits {
            for r in 0..<64 * sample.words {
              for w in 0..<32 {
                let bit = planes[(t * sample.words + r / 64) * 32 + w] >> UInt64(r % 64) & 1 == 1
                if bit != sample.bit(w, t, r) { Issue.record("level \(level) digit \(t) row \(r)") }
              }
            }
          }
        }
      }
    }

    @Test func convertsDynamicUnits() {
      var random = SeededGenerator(seed: 17)
      for _ in 0..<60 {
        let sample = DynamicSample(&random)
        let (columns, windows) = (random.inside(1...64), random.chance(0.5) ? 32 : random.inside(1...32))
        let cells = (0..<sample.rows * columns + 64).map { _ in UInt8(random.below(4)) }
        let (height, maximum) = (random.inside(1...20), random.inside(1...40))
        var expected = [UInt32](repeating: 0, count: windows * columns)
        var saturated: Int64 = 0
        for w in 0..<windows {
          for t in 0..<sample.digits {
            let set = (0..<sample.rows).filter { sample.bit(w, t, $0) }
            for first in stride(from: 0, to: set.count, by: height) {
              for c in 0..<columns {
                let unit = set[first..<min(first + height, set.count)]
                let sum = unit.reduce(0) { $0 + Int(cells[$1 * columns + c]) }
                if sum > maximum { saturated += 1 }
                expected[w * columns + c] &+= UInt32(min(sum, maximum)) << UInt32(t)
              }
            }
          }
        }
        atEveryLevel { level in
          let planes = sample.planes()
          var sums = [UInt32](repeating: 1, count: windows * 64)
          let found = cells.withUnsafeBufferPointer { cells in
            var strip = xbar_dynamic_strip(
              cells: cells.baseAddress, columns: UInt32(columns), digits: UInt32(sample.digits),
              words: UInt32(sample.words), unit_height: UInt32(height), maximum: UInt32(maximum),
              flush: UInt32(255 / maximum))
            return xbar_convert_dynamic(&strip, planes, windows, &sums)
          }
          let used = (0..<windows).flatMap { sums[$0 * 64..<$0 * 64 + columns] }
          #expect(used == expected && found == saturated, "level \(level)")
          let sparse = sample.sparse(cells, columns: columns, height: height, maximum: maximum)
          let lanes = (0..<windows).flatMap { w in (0..<columns).map { sparse.sums[$0 * 32 + w] } }
          #expect(lanes == expected && (windows < 32 || sparse.saturated == saturated), "level \(level)")
        }
      }
    }
  }
}

/// Rows of a block with random inputs, and their bits, by definition and by the kernel.
private struct DynamicSample {
  let rows: Int
  let digits: Int
  let words: Int
  private let inputs: [UInt32]
  private let shifts: [UInt8]
  /// `[inputs][32]`.
  private let panel: [UInt32]

  init(_ random: inout SeededGenerator) {
    rows = random.inside(1...150)
    digits = random.inside(1...32)
    words = (rows + 63) / 64
    let count = random.inside(1...20)
    let largestShift = min(digits - 1, 4)
    let bits = digits - largestShift
    inputs = (0..<rows).map { _ in UInt32(random.below(count)) }
    shifts = (0..<rows).map { _ in UInt8(random.below(largestShift + 1)) }
    panel = (0..<count * 32).map { _ in UInt32(truncatingIfNeeded: random.next() >> UInt64(64 - bits)) }
  }

  func bit(_ window: Int, _ digit: Int, _ row: Int) -> Bool {
    guard row < rows else { return false }
    let shifted = UInt64(panel[Int(inputs[row]) * 32 + window]) << UInt64(shifts[row])
    return shifted >> UInt64(digit) & 1 == 1
  }

  /// What the kernel gives that adds cell by cell, for all 32 windows.
  func sparse(
    _ cells: [UInt8], columns: Int, height: Int, maximum: Int
  ) -> (sums: [UInt32], saturated: Int64) {
    var starts: [UInt32] = [0]
    var (cellRows, levels): ([UInt16], [UInt8]) = ([], [])
    for c in 0..<columns {
      for r in 0..<rows where cells[r * columns + c] != 0 {
        cellRows.append(UInt16(r))
        levels.append(cells[r * columns + c])
      }
      starts.append(UInt32(cellRows.count))
    }
    var units = [UInt8](repeating: 77, count: rows * 128)
    var sums = [UInt32](repeating: 1, count: columns * 32)
    let saturated = inputs.withUnsafeBufferPointer { inputs in
      shifts.withUnsafeBufferPointer { shifts in
        starts.withUnsafeBufferPointer { starts in
          cellRows.withUnsafeBufferPointer { cellRows in
            levels.withUnsafeBufferPointer { levels in
              var strip = xbar_sparse_strip(
                inputs: inputs.baseAddress, shifts: shifts.baseAddress, rows: UInt32(rows),
                digits: UInt32(digits), unit_height: UInt32(height), columns: UInt32(columns),
                starts: starts.baseAddress, cell_rows: cellRows.baseAddress, levels: levels.baseAddress,
                maximum: UInt32(maximum))
              return xbar_convert_sparse(&strip, panel, &units, &sums)
            }
          }
        }
      }
    }
    return (sums, saturated)
  }

  func planes() -> [UInt64] {
    var planes = [UInt64](repeating: 0xABCD, count: digits * words * 32)
    xbar_split_rows(panel, inputs, shifts, UInt32(rows), UInt32(digits), &planes)
    return planes
  }
}
