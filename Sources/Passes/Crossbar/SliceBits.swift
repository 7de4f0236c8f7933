import Hardware
import IR
import Mapping
import Support
import Tensors

/// Every layer is realized by blocks whose cells decode to its weights; a cell holds at most `cell` bits.
///
/// Sign encodings (reference: ISAAC, ISCA 2016, for the offset; PRIME, ISCA 2016, for the differential pair):
/// `differential` writes magnitudes into columns that add or subtract, `twos-complement` gives the sign bit a column
/// that subtracts, `offset` adds 2^(bits - 1) to every weight and subtracts `offset * sum(x)` digitally.
/// Spec: ir-spec.md, `slice-bits`.
struct SliceBits: LayerPass {
  typealias L = CrossbarLevel
  static let name = "slice-bits"
  static let summary = "every layer is realized by blocks whose cells decode to its weights"
  static let requires: Set<Fact> = [.shaped]
  static let establishes: Set<Fact> = [.sliced]
  static let guarantee = Guarantee.exact("")

  private static let cellOption = PassOption.int(
    "cell", 0...8, default: 0, "bits of a cell; 0 means the machine's")
  private static let signsOption = PassOption.choice(
    "signs", default: SignCoding.differential, "how signed weights become cell levels")
  private static let orderOption = PassOption.choice(
    "order", default: Order.weightMajor, "columns of one weight side by side, or columns of one slice")
  private static let placementOption = PassOption.choice(
    "placement", default: Placement.intra,
    "all slices in one block, or the slices of each weight in a block of their own: a bit plane")
  private static let offsetOption = PassOption.choice(
    "offset", default: Offset.layer,
    "with signs: offset, the offset added to weights: half the range for the whole layer; or, for each output, the offset that makes its smallest "
      + "weight 0, so that cells hold no more bits than the outputs need")
  static let options = [
    cellOption.spec, signsOption.spec, orderOption.spec, placementOption.spec, offsetOption.spec,
  ]

  private enum Order: String, OptionWord {
    case weightMajor = "weight-major"
    case sliceMajor = "slice-major"
  }

  private enum Placement: String, OptionWord { case intra, inter }

  private enum Offset: String, OptionWord { case layer, output }

  private let cellBits: Int
  private let encoding: SignCoding
  private let isSliceMajor: Bool
  private let isInter: Bool
  private let offset: Offset

  init(_ options: PassOptions) throws(Diagnostic) {
    cellBits = options[Self.cellOption]
    encoding = options[Self.signsOption]
    isSliceMajor = options[Self.orderOption] == .sliceMajor
    isInter = options[Self.placementOption] == .inter
    offset = options[Self.offsetOption]
    guard encoding == .offset || offset == .layer else {
      throw Diagnostic(
        "slice-bits.offset", "offset: output adds to weights, but signs are \(encoding.rawValue)",
        notes: ["use slice-bits(signs: offset, offset: output)"])
    }
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let bits = try cellBits > 0 ? cellBits : setting.requiredMachine().array.cellBits
    if let machine = setting.machine, bits > machine.array.cellBits {
      throw Diagnostic(
        "slice-bits.cell",
        "slices of \(bits) bits do not fit the \(machine.array.cellBits)-bit cells of \(machine.name)",
        notes: ["use fewer bits, or a target with such cells"])
    }
    guard layer.blocks.isEmpty else {
      throw Diagnostic("slice-bits.blocks", "@\(layer.name) is sliced already", at: setting.location)
    }
    guard let weights = layer.weights else {
      throw Diagnostic("slice-bits.weights", "@\(layer.name) has no weights", at: setting.location)
    }
    switch weights.data {
    case .i8(let values): slice(&layer, values, bits)
    case .i16(let values): slice(&layer, values, bits)
    case .f32, .u8, .u16, .i32, .i64: slice(&layer, weights.integers, bits)
    }
    return [("layers-sliced", 1)]
  }

  private func slice<T: FixedWidthInteger>(_ layer: inout Layer, _ weights: [T], _ bits: Int) {
    layer.coding.signs = encoding
    layer.coding.cellBits = bits
    switch (encoding, offset) {
    case (.offset, .layer): layer.coding.offset = 1 << Int64(layer.weightBits - 1)
    case (.offset, .output):
      layer.coding.offsets = (0..<layer.columns).map { output in
        0
          - (stride(from: output, to: weights.count, by: layer.columns).lazy.map { Int64(weights[$0]) }.min()
            ?? 0)
      }
    case (.differential, _), (.twosComplement, _): break
    }
    let digits = digits(layer, weights, bits)
    let groups = isInter ? planes(digits) : [digits]
    layer.blocks = groups.map { block($0, layer, weights) }
    layer.coding.columnLayout = layer.blocks.flatMap(\.columns)
  }

  /// The slices of one weight: those that add and those that subtract are in one block.
  private func planes(_ digits: [Digit]) -> [[Digit]] {
    Set(digits.map(\.shift)).sorted().map { shift in digits.filter { $0.shift == shift } }
  }

  /// A slice of every weight: which bits, at which weight, and of which sign.
  private struct Digit {
    var shift: Int
    var bits: Int
    var negative: Bool
    /// What of a weight the digit is cut from.
    var part: Part

    enum Part { case positive, negative, lower, sign, shifted }

    func level(_ weight: Int64, offset: Int64) -> UInt8 {
      let value: Int64
      switch part {
      case .positive: value = max(weight, 0)
      case .negative: value = max(-weight, 0)
      case .lower, .sign: value = weight
      case .shifted: value = weight + offset
      }
      return UInt8(truncatingIfNeeded: (value >> Int64(shift)) & (1 << Int64(bits) - 1))
    }
  }

  private func digits<T: FixedWidthInteger>(_ layer: Layer, _ weights: [T], _ bits: Int) -> [Digit] {
    let width = layer.weightBits
    func cut(_ total: Int, _ part: Digit.Part, negative: Bool = false) -> [Digit] {
      stride(from: 0, to: total, by: bits).map {
        Digit(shift: $0, bits: min(bits, total - $0), negative: negative, part: part)
      }
    }
    switch encoding {
    case .differential:
      // The one weight whose magnitude needs the sign's bit as well is -2^(width - 1).
      let magnitude = weights.contains { Int64($0) == -(1 << Int64(width - 1)) } ? width : width - 1
      return cut(magnitude, .positive) + cut(magnitude, .negative, negative: true)
    case .twosComplement:
      return cut(width - 1, .lower) + [Digit(shift: width - 1, bits: 1, negative: true, part: .sign)]
    case .offset: return cut(offset == .layer ? width : bitsOfShifted(layer, weights), .shifted)
    }
  }

  /// Bits that the largest weight takes when the offset of its output is added; at least 1.
  private func bitsOfShifted<T: FixedWidthInteger>(_ layer: Layer, _ weights: [T]) -> Int {
    let largest =
      weights.indices.lazy.map { Int64(weights[$0]) + layer.coding.excess(of: $0 % layer.columns) }.max() ?? 0
    return max(1, Int64.bitWidth - largest.leadingZeroBitCount)
  }

  private func block<T: FixedWidthInteger>(_ digits: [Digit], _ layer: Layer, _ weights: [T]) -> Block {
    var columns: [(output: Int, digit: Digit)] = []
    if isSliceMajor {
      for digit in digits { for output in 0..<layer.columns { columns.append((output, digit)) } }
    } else {
      for output in 0..<layer.columns { for digit in digits { columns.append((output, digit)) } }
    }
    return Block(
      rows: (0..<layer.rows).map { RowEntry(input: $0) },
      columns: columns.map {
        ColumnEntry(output: $0.output, shift: $0.digit.shift, negative: $0.digit.negative)
      },
      cells: cells(columns, layer, weights))
  }

  private func cells<T: FixedWidthInteger>(
    _ columns: [(output: Int, digit: Digit)], _ layer: Layer, _ weights: [T]
  ) -> [UInt8] {
    let lanes = columns.map { ($0.output, $0.digit, layer.coding.excess(of: $0.output)) }
    return [UInt8](unsafeUninitializedCapacity: layer.rows * columns.count) { cells, used in
      weights.withUnsafeBufferPointer { weights in
        var place = 0
        for row in 0..<layer.rows {
          for (output, digit, offset) in lanes {
            cells[place] = digit.level(Int64(weights[row * layer.columns + output]), offset: offset)
            place += 1
          }
        }
        used = place
      }
    }
  }
}

extension SignCoding: OptionWord {}
