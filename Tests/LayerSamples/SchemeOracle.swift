import Hardware
import IR
import Mapping
public import Support
import Tensors

// What the schemes of SRE activate, counted from the weights, the inputs and the options alone.

/// A scheme with the options that decide which operation units there are.
public struct SchemeSample: Sendable {
  /// `dense`, `naive-w`, `naive-a`, `occ`, `orc`, `dof` or `sre`.
  public var name: String
  /// Whether lines are left out of each crossbar's share of the matrix, or of all of it.
  public var perCrossbar: Bool
  /// Bits of a gap in index tables; nil for absolute ones.
  public var gapBits: Int?
  /// Whether blocks that are too high are cut evenly.
  public var isEven: Bool
  /// How blocks share crossbars.
  public var packing: String

  /// The schemes of SRE.
  public static let names = ["dense", "naive-w", "naive-a", "occ", "orc", "dof", "sre"]

  /// The scheme `name` with random options.
  public init(_ name: String, _ random: inout SeededGenerator) {
    self.name = name
    perCrossbar = name == "naive-w" || random.chance(0.5)
    gapBits = random.chance(0.3) ? nil : random.inside(1...5)
    isEven = random.chance(0.5)
    packing = ["exclusive", "side-by-side", "stacked", "shelf"][random.below(4)]
  }

  /// The passes from a matrix to the program level, with converters of `adc` bits or lossless ones.
  public func pipeline(_ sample: LayerSample, adc: Int?) -> String {
    let scope = "scope: \(perCrossbar ? "crossbar" : "matrix")"
    let encode = "encode-indices(bits: \(gapBits.map { "\($0)" } ?? "absolute"))"
    var passes = [
      "slice-bits(signs: \(sample.signs.rawValue), order: \(sample.order), placement: \(sample.placement))"
    ]
    switch name {
    case "naive-w": passes.append("remove-zero-lines(\(scope))")
    case "occ": passes += ["compress-columns(\(scope))", encode]
    case "orc", "sre": passes += ["compress-rows(\(scope))", encode]
    default: break
    }
    let units = ["naive-a": "zero-skipping", "dof": "dynamic", "sre": "dynamic"][name] ?? "fixed"
    let converter = adc.map { "adc: \($0)" } ?? "lossless: true"
    passes.append("form-units(units: \(units), cut: \(isEven ? "even" : "full"), \(converter))")
    return (passes + ["place-blocks(packing: \(packing))", "schedule"]).joined(separator: ", ")
  }
}

extension LayerSample {
  /// Activations of operation units over all positions, passes and digits.
  public func activations(_ scheme: SchemeSample) -> Int {
    let matrices = layoutMatrices
    var count = 0
    for position in 0..<positions {
      let vector = Array(x[position * rows..<(position + 1) * rows])
      for sign in isSigned ? [Int64(1), -1] : [1] {
        let magnitudes = vector.map { max(0, sign * $0) }
        var rest = magnitudeBits
        var shift: Int64 = 0
        while rest > 0 {
          let active = magnitudes.map { ($0 >> shift) % (1 << Int64(array.dacBits)) != 0 }
          for matrix in matrices { count += activations(scheme, matrix, active) }
          rest -= array.dacBits
          shift += Int64(array.dacBits)
        }
      }
    }
    return count
  }

  private var magnitudeBits: Int {
    guard case .integer(let bits, let signed) = inputs else { return 0 }
    return signed ? bits - 1 : bits
  }

  /// Which cells are nonzero, bitline by bitline in the order of the column layout; with placement `inter` a matrix for
  /// the slices of each weight.
  private var layoutMatrices: [[[Bool]]] {
    let all = planes
    let groups =
      placement == "inter"
      ? Set(all.map(\.shift)).sorted().map { shift in all.filter { $0.shift == shift } } : [all]
    return groups.map { group in
      let slices = group.map { plane in
        (0..<columns).map { o in (0..<rows).map { plane.cells[$0 * columns + o] != 0 } }
      }
      return order == "slice-major"
        ? slices.flatMap { $0 } : (0..<columns).flatMap { o in slices.map { $0[o] } }
    }
  }

  /// Activations for one digit that is other than 0 on the inputs `active`; `matrix[bitline][wordline]`.
  private func activations(_ scheme: SchemeSample, _ matrix: [[Bool]], _ active: [Bool]) -> Int {
    let tall = parts(0..<rows, array.rows)
    let wide = parts(0..<matrix.count, array.columns)
    func units(_ lines: Int, _ bitlines: Int) -> Int {
      up(lines, array.unitHeight) * up(bitlines, array.unitWidth)
    }
    func each(_ count: (Range<Int>, Range<Int>) -> Int) -> Int {
      tall.reduce(0) { sum, lines in wide.reduce(sum) { $0 + count(lines, $1) } }
    }
    switch scheme.name {
    case "naive-w":
      return each { lines, bitlines in
        units(
          lines.filter { r in bitlines.contains { matrix[$0][r] } }.count,
          bitlines.filter { c in lines.contains { matrix[c][$0] } }.count)
      }
    case "naive-a":
      return segments(Array(0..<rows), scheme).reduce(0) { sum, lines in
        let live = parts(0..<lines.count, array.unitHeight).filter { $0.contains { active[lines[$0]] } }.count
        return wide.reduce(sum) { $0 + live * up($1.count, array.unitWidth) }
      }
    case "occ":
      return tall.flatMap { parts($0, array.unitHeight) }.reduce(0) { $0 + occ(scheme, matrix, $1) }
    case "orc", "sre":
      return wide.flatMap { parts($0, array.unitWidth) }.reduce(0) { $0 + orc(scheme, matrix, $1, active) }
    case "dof":
      // Pieces of equal height end elsewhere than full ones.
      return segments(Array(0..<rows), scheme).reduce(0) { sum, lines in
        wide.reduce(sum) { $0 + units(lines.filter { active[$0] }.count, $1.count) }
      }
    default:
      return segments(Array(0..<rows), scheme).reduce(0) { sum, lines in
        wide.reduce(sum) { $0 + units(lines.count, $1.count) }
      }
    }
  }

  /// A strip of wordlines with its own bitlines.
  private func occ(_ scheme: SchemeSample, _ matrix: [[Bool]], _ lines: Range<Int>) -> Int {
    let scopes = scheme.perCrossbar ? parts(0..<matrix.count, array.columns) : [0..<matrix.count]
    return scopes.reduce(0) { sum, scope in
      let kept = scope.filter { c in lines.contains { matrix[c][$0] } }
      let table = padded(kept, from: scope.lowerBound, scheme.gapBits)
      return parts(0..<table.count, array.columns).reduce(sum) { $0 + up($1.count, array.unitWidth) }
    }
  }

  /// A strip of bitlines with its own wordlines.
  private func orc(_ scheme: SchemeSample, _ matrix: [[Bool]], _ bitlines: Range<Int>, _ active: [Bool])
    -> Int
  {
    let scopes = scheme.perCrossbar ? parts(0..<rows, array.rows) : [0..<rows]
    return scopes.reduce(0) { sum, scope in
      let kept = scope.filter { r in bitlines.contains { matrix[$0][r] } }
      let table = padded(kept, from: scope.lowerBound, scheme.gapBits)
      return segments(table, scheme).reduce(sum) { sum, lines in
        let read = scheme.name == "sre" ? lines.filter { active[$0] }.count : lines.count
        return sum + up(read, array.unitHeight)
      }
    }
  }

  /// `kept` with the numbers that stand in a table of gaps below `2^bits` for gaps that are wider.
  private func padded(_ kept: [Int], from start: Int, _ bits: Int?) -> [Int] {
    guard let bits else { return kept }
    var table: [Int] = []
    var previous = start - 1
    for number in kept {
      while number - previous - 1 > (1 << bits) - 1 {
        previous += 1 << bits
        table.append(previous)
      }
      table.append(number)
      previous = number
    }
    return table
  }

  /// `lines` cut to crossbars: full ones, or as even as whole units allow.
  private func segments(_ lines: [Int], _ scheme: SchemeSample) -> [[Int]] {
    var height = array.rows
    if scheme.isEven && lines.count > array.rows {
      let pieces = up(lines.count, array.rows)
      height = min(array.rows, up(up(lines.count, pieces), array.unitHeight) * array.unitHeight)
    }
    return parts(0..<lines.count, height).map { $0.map { lines[$0] } }
  }

  private func up(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

  private func parts(_ range: Range<Int>, _ size: Int) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: size).map {
      $0..<min($0 + size, range.upperBound)
    }
  }
}
