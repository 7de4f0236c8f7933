import Hardware
import IR
import Mapping
import Support

// What a layer computes, from its weights and options alone: no block, no cell of the library plays a part.

extension LayerSample {
  /// The integer product, row-major over positions and columns.
  public var product: [Int64] {
    var sums = [Int64](repeating: 0, count: positions * columns)
    for p in 0..<positions {
      for i in 0..<rows {
        let value = x[p * rows + i]
        for o in 0..<columns { sums[p * columns + o] += value * weights[i * columns + o] }
      }
    }
    return sums
  }

  /// A bit slice of the whole matrix.
  struct Plane {
    var cells: [Int64]
    var shift: Int
    var sign: Int64
  }

  /// The slices of the matrix: every column of cells of every crossbar is a part of one of them.
  var planes: [Plane] {
    let half = Int64(1) << Int64(weightBits - 1)
    switch signs {
    case .differential:
      let bits = weights.contains(-half) ? weightBits : weightBits - 1
      return cut(weights.map { max($0, 0) }, bits, 1) + cut(weights.map { max(-$0, 0) }, bits, -1)
    case .twosComplement:
      let sign = Plane(cells: weights.map { $0 < 0 ? 1 : 0 }, shift: weightBits - 1, sign: -1)
      return cut(weights.map { $0 < 0 ? $0 + half : $0 }, weightBits - 1, 1) + [sign]
    case .offset:
      return cut(weights.map { $0 + half }, weightBits, 1)
    }
  }

  private func cut(_ values: [Int64], _ bits: Int, _ sign: Int64) -> [Plane] {
    let radix = Int64(1) << Int64(array.cellBits)
    return stride(from: 0, to: bits, by: array.cellBits).map { shift in
      Plane(cells: values.map { $0 / (Int64(1) << Int64(shift)) % radix }, shift: shift, sign: sign)
    }
  }

  /// The outputs with converters of `adc` bits, and how many conversions saturated.
  public func convert(adc: Int, step: Int64 = 1) -> (sums: [Int64], saturations: Int) {
    convert(planes, adc: adc, step: step)
  }

  /// The same with all digits of a weight and sign in one conversion, to multiples of `step`.
  public func convertComposed(adc: Int, step: Int64) -> (sums: [Int64], saturations: Int) {
    convert(composedPlanes, adc: adc, step: step)
  }

  /// What the bitlines of a weight and sign hold together.
  private var composedPlanes: [Plane] {
    switch signs {
    case .differential:
      return [
        Plane(cells: weights.map { max($0, 0) }, shift: 0, sign: 1),
        Plane(cells: weights.map { max(-$0, 0) }, shift: 0, sign: -1),
      ]
    case .twosComplement: return []
    case .offset: return [Plane(cells: weights.map { $0 + 1 << Int64(weightBits - 1) }, shift: 0, sign: 1)]
    }
  }

  /// The largest sum of a conversion of composed bitlines in a unit of neighboring wordlines, all digits largest.
  public var largestComposedSum: Int64 {
    let digit = Int64(1) << Int64(array.dacBits) - 1
    var largest: Int64 = 0
    for plane in composedPlanes {
      for unit in units {
        for o in 0..<columns {
          largest = max(largest, digit * unit.reduce(0) { $0 + plane.cells[$1 * columns + o] })
        }
      }
    }
    return largest
  }

  /// The rows of each unit of neighboring wordlines: it ends at its height, at the crossbar's last wordline, and at the
  /// matrix's last row.
  public var units: [Range<Int>] {
    var units: [Range<Int>] = []
    var top = 0
    while top < rows {
      let bottom = min(top + array.unitHeight, (top / array.rows + 1) * array.rows, rows)
      units.append(top..<bottom)
      top = bottom
    }
    return units
  }

  private func convert(_ planes: [Plane], adc: Int, step: Int64) -> (sums: [Int64], saturations: Int) {
    var sums = [Int64](repeating: 0, count: positions * columns)
    var saturations = 0
    for plane in planes {
      for p in 0..<positions {
        let vector = Array(x[p * rows..<(p + 1) * rows])
        add(plane, vector.map { max($0, 0) }, plane.sign, adc, step, p, &sums, &saturations)
        if isSigned { add(plane, vector.map { max(-$0, 0) }, -plane.sign, adc, step, p, &sums, &saturations) }
      }
    }
    guard signs == .offset else { return (sums, saturations) }
    for p in 0..<positions {
      let total = x[p * rows..<(p + 1) * rows].reduce(0, +)
      for o in 0..<columns { sums[p * columns + o] -= total << Int64(weightBits - 1) }
    }
    return (sums, saturations)
  }

  private func add(
    _ plane: Plane, _ vector: [Int64], _ sign: Int64, _ adc: Int, _ step: Int64, _ position: Int,
    _ sums: inout [Int64], _ saturations: inout Int
  ) {
    let limit = Int64(1) << Int64(adc) - 1
    for unit in units {
      for weight in stride(from: 0, to: 16, by: array.dacBits) {
        let digits = vector[unit].map {
          $0 / (Int64(1) << Int64(weight)) % (Int64(1) << Int64(array.dacBits))
        }
        for o in 0..<columns {
          var current: Int64 = 0
          for r in unit { current += plane.cells[r * columns + o] * digits[r - unit.lowerBound] }
          // The nearest code, halves upwards.
          let code = current / step + (2 * (current % step) >= step ? 1 : 0)
          if code > limit { saturations += 1 }
          sums[position * columns + o] += sign * (min(code, limit) * step << Int64(plane.shift + weight))
        }
      }
    }
  }
}
