import CKernels
import Support
import Testing

/// Suites that switch the kernels' level, which all tests of the process share: one after the other.
@Suite(.serialized) struct LevelTests {}

/// Calls `body` with every level that this processor has, in use.
func atEveryLevel(_ body: (Int32) -> Void) {
  for level in Int32(0)...xbar_best_level() {
    xbar_use_level(level)
    #expect(xbar_level() == level)
    body(level)
  }
  xbar_use_level(xbar_best_level())
}

extension LevelTests {
  /// Each kernel against a plain loop, at every level that this processor has.
  @Suite(.serialized) struct KernelTests {
    @Test func levelsAreClamped() {
      xbar_use_level(99)
      #expect(xbar_level() == xbar_best_level())
      xbar_use_level(-5)
      #expect(xbar_level() == 0)
      xbar_use_level(xbar_best_level())
    }

    // MARK: - Digits

    @Test func splitsNibbles() {
      var random = SeededGenerator(seed: 1)
      for _ in 0..<100 {
        let (inputs, windows) = (random.inside(1...20), random.inside(1...5))
        let unitNibbles = random.inside(1...5)
        let units = random.inside(1...70)
        let digits = random.inside(1...32)
        let slots = (units * unitNibbles * 4 + 7) / 8 * 8
        let indices = (0..<slots).map { _ in UInt32(random.below(inputs)) }
        let masks = (0..<slots).map { slot in
          slot < units * unitNibbles * 4 && random.chance(0.8) ? UInt32.max : 0
        }
        let largestShift = digits > 4 ? 4 : 0
        let shifts = (0..<slots).map { _ in UInt8(random.below(largestShift + 1)) }
        let values = (0..<windows * inputs).map { _ in
          UInt32(truncatingIfNeeded: random.next()) >> UInt32(32 - (digits - largestShift))
        }
        atEveryLevel { _ in
          check(units, unitNibbles, digits, indices, masks, shifts, values, inputs, windows)
        }
      }
    }

    private func check(
      _ units: Int, _ unitNibbles: Int, _ digits: Int, _ indices: [UInt32], _ masks: [UInt32],
      _ shifts: [UInt8],
      _ values: [UInt32], _ inputs: Int, _ windows: Int
    ) {
      let (slots, words) = (indices.count, (units + 63) / 64)
      var nibbles = [UInt8](repeating: 0xEE, count: windows * digits * slots / 4)
      var active = [UInt64](repeating: .max, count: windows * digits * words)
      var map = xbar_nibble_map()
      indices.withUnsafeBufferPointer { indices in
        masks.withUnsafeBufferPointer { masks in
          shifts.withUnsafeBufferPointer { shifts in
            map.inputs = indices.baseAddress
            map.masks = masks.baseAddress
            map.shifts = shifts.baseAddress
            map.slots = UInt32(slots)
            map.digits = UInt32(digits)
            map.units = UInt32(units)
            map.unit_nibbles = UInt32(unitNibbles)
            map.active_words = UInt32(words)
            xbar_split_nibbles(&map, values, inputs, windows, &nibbles, &active)
          }
        }
      }
      for w in 0..<windows {
        for t in 0..<digits {
          var expected = [UInt8](repeating: 0, count: slots / 4)
          for s in 0..<slots {
            let value = UInt64(values[w * inputs + Int(indices[s])] & masks[s]) << UInt64(shifts[s])
            let bit = UInt8(value >> UInt64(t) & 1)
            expected[s / 4] |= bit << UInt8(s % 4)
          }
          let row = (w * digits + t) * slots / 4
          #expect(Array(nibbles[row..<row + slots / 4]) == expected)
          for u in 0..<64 * words {
            let isActive = u < units && expected[u * unitNibbles..<(u + 1) * unitNibbles].contains { $0 != 0 }
            let bit = active[(w * digits + t) * words + u / 64] >> UInt64(u % 64) & 1
            #expect(bit == (isActive ? 1 : 0))
          }
        }
      }
    }

    @Test func listsDigits() {
      var random = SeededGenerator(seed: 2)
      for _ in 0..<200 {
        let (rows, inputs, windows) = (random.inside(1...40), random.inside(1...10), random.inside(1...4))
        let (digits, digitBits) = (random.inside(1...10), random.inside(1...6))
        let (height, dynamic) = (random.inside(1...45), random.chance(0.5))
        let indices = (0..<rows).map { _ in UInt32(random.below(inputs)) }
        let shifts = (0..<rows).map { _ in UInt8(random.below(20)) }
        let values = (0..<windows * inputs).map { _ in
          random.chance(0.3) ? 0 : UInt32(truncatingIfNeeded: random.next() >> 40)
        }
        let list = listed(indices, shifts, digits, digitBits, height, dynamic, values, inputs, windows)
        for w in 0..<windows {
          for t in 0..<digits {
            let digit = (0..<rows).map { r -> Int in
              let shifted = UInt64(values[w * inputs + Int(indices[r])]) << UInt64(shifts[r])
              return Int(shifted >> UInt64(t * digitBits)) & ((1 << digitBits) - 1)
            }
            let active = (0..<rows).filter { digit[$0] != 0 }
            var expected: [[Int]] = []
            for (place, row) in active.enumerated() {
              let isNew =
                dynamic ? place % height == 0 : place == 0 || row / height != active[place - 1] / height
              if isNew { expected.append([]) }
              expected[expected.count - 1].append(row | digit[row] << 16)
            }
            #expect(list[w * digits + t] == expected)
          }
        }
      }
    }

    /// Entries by window and digit and unit.
    private func listed(
      _ indices: [UInt32], _ shifts: [UInt8], _ digits: Int, _ digitBits: Int, _ height: Int, _ dynamic: Bool,
      _ values: [UInt32], _ inputs: Int, _ windows: Int
    ) -> [[[Int]]] {
      let most = windows * digits * indices.count
      var entries = [UInt32](repeating: 0, count: most)
      var unitStarts = [UInt32](repeating: 0, count: most + 1)
      var digitStarts = [UInt32](repeating: 0, count: windows * digits + 1)
      indices.withUnsafeBufferPointer { indices in
        shifts.withUnsafeBufferPointer { shifts in
          var map = xbar_row_map()
          map.inputs = indices.baseAddress
          map.shifts = shifts.baseAddress
          map.rows = UInt32(indices.count)
          map.digits = UInt32(digits)
          map.digit_bits = UInt32(digitBits)
          map.unit_height = UInt32(height)
          map.dynamic = dynamic ? 1 : 0
          xbar_list_digits(&map, values, inputs, windows, &entries, &unitStarts, &digitStarts)
        }
      }
      return (0..<windows * digits).map { k in
        (digitStarts[k]..<digitStarts[k + 1]).map { unit in
          (unitStarts[Int(unit)]..<unitStarts[Int(unit) + 1]).map { Int(entries[Int($0)]) }
        }
      }
    }

    // MARK: - Conversions

    @Test func convertsComposedLevels() {
      var random = SeededGenerator(seed: 6)
      for round in 0..<100 {
        let (rows, windows, columns) = (random.inside(1...30), random.inside(1...4), random.inside(1...64))
        let (digits, digitBits) = (random.inside(1...6), random.inside(1...4))
        let indices = (0..<rows).map { UInt32($0) }
        let values = (0..<windows * rows).map { _ in UInt32(random.below(1 << (digits * digitBits))) }
        let levels = (0..<rows * columns).map { _ in UInt32(random.below(1 << random.inside(1...25))) }
        let step = round % 3 == 0 ? 1 : random.inside(1...1 << 16)
        let (height, largest) = (random.inside(1...30), (1 << random.inside(1...16)) - 1)
        let list = listed(
          indices, [UInt8](repeating: 0, count: rows), digits, digitBits, height, round % 2 == 0, values,
          rows, windows)
        var expected = [Int](repeating: 0, count: windows * columns)
        var saturated = 0
        for (place, units) in list.enumerated() {
          let (window, digit) = (place / digits, place % digits)
          for unit in units {
            for c in 0..<columns {
              let sum = unit.reduce(0) { $0 + ($1 >> 16) * Int(levels[($1 & 0xFFFF) * columns + c]) }
              // The nearest code, halves upwards.
              let code = sum / step + (2 * (sum % step) >= step ? 1 : 0)
              if code > largest { saturated += 1 }
              expected[window * columns + c] += min(code, largest) * step << (digit * digitBits)
            }
          }
        }
        atEveryLevel { level in
          let (sums, count) = convertComposed(
            list, digits, digitBits, levels, columns, step, largest, windows)
          #expect(sums == expected && count == saturated, "round \(round) level \(level)")
        }
      }
    }

    private func convertComposed(
      _ list: [[[Int]]], _ digits: Int, _ digitBits: Int, _ levels: [UInt32], _ columns: Int, _ step: Int,
      _ largest: Int, _ windows: Int
    ) -> (sums: [Int], saturated: Int) {
      let entries = list.joined().joined().map { UInt32($0) }
      var (unitStarts, digitStarts): ([UInt32], [UInt32]) = ([0], [0])
      for units in list {
        for unit in units { unitStarts.append(unitStarts[unitStarts.count - 1] + UInt32(unit.count)) }
        digitStarts.append(UInt32(unitStarts.count - 1))
      }
      var sums = [UInt64](repeating: 99, count: windows * Int(XBAR_STRIP))
      let saturated = levels.withUnsafeBufferPointer { levels in
        var strip = xbar_composed_strip(
          levels: levels.baseAddress, columns: UInt32(columns), digits: UInt32(digits),
          digit_bits: UInt32(digitBits), largest_code: UInt64(largest), step: UInt64(step))
        return xbar_convert_composed(&strip, entries, unitStarts, digitStarts, windows, &sums)
      }
      let found = (0..<windows).flatMap { w in (0..<columns).map { Int(sums[w * Int(XBAR_STRIP) + $0]) } }
      return (found, Int(saturated))
    }

    // MARK: - Tables

    @Test func fillsTables() {
      var random = SeededGenerator(seed: 3)
      for _ in 0..<50 {
        let (rows, stride) = (random.inside(1...30), random.inside(64...80))
        let columns = random.inside(1...64)
        let cells = (0..<rows * stride).map { _ in UInt8(random.below(64)) }
        let slots = random.inside(1...6) * 8
        let slotRows = (0..<slots).map { _ in random.chance(0.2) ? Int32(-1) : Int32(random.below(rows)) }
        atEveryLevel { _ in
          for wide in [false, true] {
            let table = filled(cells, stride, columns, slotRows, wide: wide)
            for nibble in 0..<slots / 4 {
              for pattern in 0..<16 {
                for lane in 0..<64 {
                  let expected = (0..<4).reduce(0) { sum, k in
                    let row = Int(slotRows[4 * nibble + k])
                    return pattern >> k & 1 == 1 && row >= 0 && lane < columns
                      ? sum + Int(cells[row * stride + lane]) : sum
                  }
                  let found = table[(nibble * 16 + pattern) * 64 + lane]
                  if found != expected { Issue.record("nibble \(nibble) pattern \(pattern) lane \(lane)") }
                }
              }
            }
          }
        }
      }
    }

    private func filled(
      _ cells: [UInt8], _ stride: Int, _ columns: Int, _ slotRows: [Int32], wide: Bool
    ) -> [Int] {
      let count = slotRows.count / 4 * 16 * 64
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 2 * count, alignment: 128)
      defer { memory.deallocate() }
      xbar_fill_tables(cells, stride, UInt32(columns), slotRows, UInt32(slotRows.count), wide ? 1 : 0, memory)
      if wide {
        let lanes = memory.assumingMemoryBound(to: UInt16.self)
        return (0..<count).map { Int(lanes[$0]) }
      }
      let lanes = memory.assumingMemoryBound(to: UInt8.self)
      return (0..<count).map { Int(lanes[$0]) }
    }

    // MARK: - Sums

    @Test func addsColumns() {
      var random = SeededGenerator(seed: 4)
      for _ in 0..<50 {
        let (windows, columns, stride) = (random.inside(1...4), random.inside(1...64), random.inside(1...9))
        let sums = (0..<windows * 64).map { _ in UInt32(random.below(1 << 20)) }
        let outputs = (0..<columns).map { _ in UInt32(random.below(stride)) }
        let weights = (0..<columns).map { _ in Int64(random.chance(0.5) ? -1 : 1) << Int64(random.below(20)) }
        for subtract in [false, true] {
          var narrow = [Int64](repeating: 7, count: windows * stride)
          var wide = narrow
          var expected = narrow
          xbar_add_columns32(
            sums, windows, UInt32(columns), outputs, weights, subtract ? 1 : 0, &narrow, stride)
          xbar_add_columns64(
            sums.map { UInt64($0) }, windows, UInt32(columns), outputs, weights, subtract ? 1 : 0, &wide,
            stride
          )
          for w in 0..<windows {
            for c in 0..<columns {
              let term = weights[c] * Int64(sums[w * 64 + c])
              expected[w * stride + Int(outputs[c])] += subtract ? -term : term
            }
          }
          #expect(narrow == expected && wide == expected)
        }
      }
    }

    @Test func multiplies() {
      var random = SeededGenerator(seed: 5)
      for _ in 0..<60 {
        let (inputs, outputs, windows) = (random.inside(1...40), random.inside(1...200), random.inside(1...4))
        let padded = (outputs + 15) / 16 * 16
        let weights = (0..<inputs * padded).map { k in
          k % padded < outputs ? Int32(random.inside(-1000...1000)) : 0
        }
        let values = (0..<inputs * windows).map { _ in
          random.chance(0.3) ? 0 : Int32(random.inside(-5000...5000))
        }
        var expected = [Int64](repeating: 3, count: windows * outputs)
        for w in 0..<windows {
          for i in 0..<inputs {
            for o in 0..<outputs {
              expected[w * outputs + o] += Int64(values[w * inputs + i]) * Int64(weights[i * padded + o])
            }
          }
        }
        atEveryLevel { level in
          for narrow in [Int32(0), 1] {
            var results = [Int64](repeating: 3, count: windows * outputs)
            xbar_multiply(values, inputs, windows, weights, outputs, padded, narrow, &results, outputs)
            #expect(results == expected, "level \(level) narrow \(narrow)")
          }
        }
      }
    }

    @Test func wideProductsNeedWideSums() {
      let (values, weights) = ([Int32.max], [Int32](repeating: .min, count: 16))
      atEveryLevel { _ in
        var results: [Int64] = [0]
        xbar_multiply(values, 1, 1, weights, 1, 16, 0, &results, 1)
        #expect(results == [Int64(Int32.max) * Int64(Int32.min)])
      }
    }

    @Test func splitsSigns() {
      let values: [Int32] = [0, 5, -7, .max, -1, .min, 3, -300, 12]
      atEveryLevel { _ in
        var (positive, negative) = ([UInt32](repeating: 9, count: 9), [UInt32](repeating: 9, count: 9))
        #expect(xbar_split_signs(values, 9, &positive, &negative) == 1 << 31)
        #expect(positive == [0, 5, 0, UInt32(Int32.max), 0, 0, 3, 0, 12])
        #expect(negative == [0, 0, 7, 0, 1, 1 << 31, 0, 300, 0])
        #expect(xbar_split_signs(values, 0, &positive, &negative) == 0)
      }
    }
  }
}
