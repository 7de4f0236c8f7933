import Hardware
import IR
import Support

/// Every block fits a crossbar and is divided into operation units; every layer has drivers and converters.
///
/// Larger blocks are cut, top down and left to right, so that unit borders start anew in every crossbar.
/// Spec: ir-spec.md, `form-units`.
struct FormUnits: Pass {
  typealias L = CrossbarLevel
  static let name = "form-units"
  static let summary =
    "every block fits a crossbar and has operation units; every layer has converters"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = [.partitioned]
  static let guarantee = Guarantee.exact(
    "where the converters are lossless; otherwise conversions saturate at 2^adc - 1 from here on")
  static let options = [
    PassOption("height", .int(0...4096), default: .int(0), "wordlines of a unit; 0 takes the machine's"),
    PassOption("width", .int(0...4096), default: .int(0), "bitlines of a unit; 0 takes the machine's"),
    PassOption(
      "whole", .word(["true", "false"]), default: .word("false"), "a unit is the whole crossbar"),
    PassOption("adc", .int(0...16), default: .int(0), "bits of a converter; 0 takes the machine's"),
    PassOption("dac", .int(0...8), default: .int(0), "bits of a wordline driver; 0 takes the machine's"),
    PassOption(
      "lossless", .word(["true", "false"]), default: .word("false"),
      "converters as wide as a full unit needs, whatever adc says"),
  ]

  private let height: Int
  private let width: Int
  private let isWhole: Bool
  private let adc: Int
  private let dac: Int
  private let isLossless: Bool

  init(_ options: PassOptions) {
    height = options.int("height")
    width = options.int("width")
    isWhole = options.word("whole") == "true"
    adc = options.int("adc")
    dac = options.int("dac")
    isLossless = options.word("lossless") == "true"
  }

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    let array = try module.requiredMachine().array
    let units = UnitForming.fixed(
      height: isWhole ? array.rows : height > 0 ? height : array.unitHeight,
      width: isWhole ? array.columns : width > 0 ? width : array.unitWidth)
    guard units.height <= array.rows, units.width <= array.columns else {
      throw Diagnostic(
        "form-units.size",
        "units of \(units.height)x\(units.width) are larger than the crossbar, "
          + "\(array.rows)x\(array.columns)")
    }
    var layers: [(OpID, LayerView)] = []
    for (id, layer) in module.layers {
      var result = layer
      guard let cellBits = layer.cellBits, cellBits <= array.cellBits else {
        throw Diagnostic(
          "form-units.cell",
          "the cells of @\(layer.name) hold more than the \(array.cellBits) bits of the machine",
          at: module.ops[id].location, notes: ["run slice-bits for this machine"])
      }
      result.dacBits = dac > 0 ? dac : array.dacBits
      let needed = losslessBits(
        units.height, cell: cellBits, dac: result.dacBits ?? 1)
      result.adcBits = isLossless ? needed : adc > 0 ? adc : array.adcBits
      guard (result.adcBits ?? 0) <= 16 else {
        throw Diagnostic(
          "form-units.adc", "a lossless converter would need \(needed) bits, 16 are the most",
          notes: ["use smaller units or fewer bits a cell or a driver"])
      }
      result.blocks = layer.blocks.flatMap { $0.cut(rows: array.rows, columns: array.columns) }
      for index in result.blocks.indices { result.blocks[index].units = units }
      layers.append((id, result))
    }
    module.replaceLayers(layers)
    context.count("blocks", layers.reduce(0) { $0 + $1.1.blocks.count })
  }
}

/// The bits of a converter that no unit of `height` wordlines can saturate:
/// `ceil(log2(height * (2^cell - 1) * (2^dac - 1) + 1))`.
public func losslessBits(_ height: Int, cell: Int, dac: Int) -> Int {
  bitWidth(of: height * (1 << cell - 1) * (1 << dac - 1))
}

extension BlockView {
  /// The pieces of at most `rows` wordlines and `columns` bitlines, top down, each row of pieces left to right.
  func cut(rows height: Int, columns width: Int) -> [BlockView] {
    if rows.count <= height && columns.count <= width { return [self] }
    var pieces: [BlockView] = []
    for top in stride(from: 0, to: rows.count, by: height) {
      for left in stride(from: 0, to: columns.count, by: width) {
        pieces.append(piece(top..<min(top + height, rows.count), left..<min(left + width, columns.count)))
      }
    }
    return pieces
  }

  private func piece(_ lines: Range<Int>, _ bitlines: Range<Int>) -> BlockView {
    var part: [UInt8] = []
    part.reserveCapacity(lines.count * bitlines.count)
    for row in lines {
      let start = row * columns.count
      part.append(contentsOf: cells[(start + bitlines.lowerBound)..<(start + bitlines.upperBound)])
    }
    return BlockView(rows: Array(rows[lines]), columns: Array(columns[bitlines]), cells: part)
  }
}
