import Hardware
import IR
import Mapping
import Support

/// Every block fits a crossbar and is divided into operation units; every layer has drivers and converters.
///
/// Larger blocks are cut, top down and left to right, so that unit borders start anew in every crossbar. Units are
/// fixed; or fixed ones that are skipped for digits that are all 0; or formed at run time of the wordlines whose digit
/// is not 0 (DOF of SRE, ISCA 2019). Spec: ir-spec.md, `form-units`.
struct FormUnits: LayerPass {
  typealias L = CrossbarLevel
  static let name = "form-units"
  static let summary =
    "every block fits a crossbar and has operation units; every layer has converters"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = [.partitioned]
  static let guarantee = Guarantee.exact(
    "where the converters are lossless; otherwise conversions saturate at 2^adc - 1, or round to steps of the full scale, "
      + "from here on")

  private static let heightOption = PassOption.int(
    "height", 0...4096, default: 0, "wordlines of a unit; 0 means the machine's")
  private static let widthOption = PassOption.int(
    "width", 0...4096, default: 0, "bitlines of a unit; 0 means the machine's")
  private static let unitsOption = PassOption.choice(
    "units", default: Units.fixed,
    "fixed units; fixed units that are skipped if all their input digits are 0; or units formed at run time from active wordlines"
  )
  private static let cutOption = PassOption.choice(
    "cut", default: Cut.full,
    "blocks that are too high fill one crossbar after the other, or divide their wordlines evenly")
  private static let wholeOption = PassOption.flag("whole", "a unit is the whole crossbar")
  private static let adcOption = PassOption.int(
    "adc", 0...16, default: 0, "bits of a converter; 0 means the machine's")
  private static let fullScaleOption = PassOption.number(
    "full-scale", 1...Converter.fullScales.upperBound, orDefault: FullScaleWord.codes,
    "the full scale of the converters: as many steps of 1 as there are codes, so that larger sums saturate; "
      + "or the largest sum that a unit of the layer can reach, in larger steps")
  private static let dacOption = PassOption.int(
    "dac", 0...8, default: 0, "bits of a wordline driver; 0 means the machine's")
  private static let losslessOption = PassOption.flag(
    "lossless", "converters as wide as a full unit needs, regardless of adc")
  static let options = [
    heightOption.spec, widthOption.spec, unitsOption.spec, cutOption.spec, wholeOption.spec, adcOption.spec,
    fullScaleOption.spec, dacOption.spec, losslessOption.spec,
  ]

  /// The kinds of units by their keywords in the text.
  private enum Units: String, OptionWord {
    case fixed
    case zeroSkipping = "zero-skipping"
    case dynamic

    static let formerWords: [String: Units] = ["skipping": .zeroSkipping]

    func forming(height: Int, width: Int) -> UnitForming {
      switch self {
      case .fixed: return .fixed(height: height, width: width)
      case .zeroSkipping: return .zeroSkipping(height: height, width: width)
      case .dynamic: return .dynamic(height: height, width: width)
      }
    }
  }

  private enum Cut: String, OptionWord { case full, even }
  private enum FullScaleWord: String, OptionWord { case codes, auto }

  private let height: Int
  private let width: Int
  private let units: Units
  private let isEven: Bool
  private let isWhole: Bool
  private let adc: Int
  private let dac: Int
  private let isLossless: Bool
  private let fullScale: FullScale

  private enum FullScale {
    /// The largest code.
    case codes
    /// What the cells can reach.
    case reached
    case given(Int)
  }

  init(_ options: PassOptions) throws(Diagnostic) {
    height = options[Self.heightOption]
    width = options[Self.widthOption]
    units = options[Self.unitsOption]
    isEven = options[Self.cutOption] == .even
    isWhole = options[Self.wholeOption]
    adc = options[Self.adcOption]
    dac = options[Self.dacOption]
    isLossless = options[Self.losslessOption]
    switch options[Self.fullScaleOption] {
    case .word(.codes): fullScale = .codes
    case .word(.auto): fullScale = .reached
    case .number(let sum): fullScale = .given(sum)
    }
    if case .codes = fullScale { return }
    guard !isLossless else {
      throw Diagnostic(
        "form-units.full-scale", "lossless converters have no full scale to choose",
        notes: ["leave out lossless or full-scale"])
    }
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let array = try setting.requiredMachine().array
    let units = units(array)
    guard units.height <= array.rows, units.width <= array.columns else {
      throw Diagnostic(
        "form-units.size",
        "units of \(units.height)x\(units.width) are larger than the crossbar, "
          + "\(array.rows)x\(array.columns)")
    }
    do throws(Diagnostic) {
      try form(&layer, units, array)
      try requireAccumulators(layer)
    } catch {
      throw Diagnostic(error.id, error.message, at: setting.location, notes: error.notes)
    }
    return [("blocks", layer.blocks.count)]
  }

  /// Gives the layer drivers, converters and units, and cuts its blocks to crossbars.
  private func form(_ layer: inout Layer, _ units: UnitForming, _ array: ArrayDescription)
    throws(Diagnostic)
  {
    if units.isDynamic { try requireFreeWordlines(layer) }
    let (dac, adc) = try converters(layer, units, array)
    layer.readout = Readout(dacBits: dac, adcBits: adc)
    layer.blocks = pieces(&layer.blocks, array, unit: units.height, layer.numbering)
    for index in layer.blocks.indices { layer.blocks[index].units = units }
    switch fullScale {
    case .codes: break
    case .reached:
      let reached = layer.largestSum
      layer.readout?.fullScale = reached
    case .given(let sum): layer.readout?.fullScale = sum
    }
  }

  /// The blocks cut to crossbars. Each block is given up as soon as it is cut, since its pieces take as much memory.
  private func pieces(
    _ blocks: inout [Block], _ array: ArrayDescription, unit: Int, _ numbering: ColumnNumbering?
  ) -> [Block] {
    var pieces: [Block] = []
    for index in blocks.indices {
      var block = Block(rows: [], columns: [], cells: [])
      swap(&block, &blocks[index])
      let height = isEven ? evenHeight(block.rows.count, array.rows, unit: unit) : array.rows
      pieces += block.cutUp(rows: height, columns: array.columns, numbering)
    }
    return pieces
  }

  /// Bits of a layer's wordline drivers and of its converters.
  private func converters(_ layer: Layer, _ units: UnitForming, _ array: ArrayDescription)
    throws(Diagnostic)
    -> (dac: Int, adc: Int)
  {
    guard let cellBits = layer.coding.cellBits, cellBits <= array.cellBits else {
      throw Diagnostic(
        "form-units.cell",
        "the cells of @\(layer.name) hold more than the \(array.cellBits) bits of the machine",
        notes: ["run slice-bits for this machine"])
    }
    let drivers = dac > 0 ? dac : array.dacBits
    if !isLossless { return (drivers, adc > 0 ? adc : array.adcBits) }
    let needed = losslessBits(units.height, cell: cellBits, dac: drivers)
    guard needed <= 16 else {
      throw Diagnostic(
        "form-units.adc", "a lossless converter would need \(needed) bits, 16 are the most",
        notes: ["use smaller units or fewer bits a cell or a driver"])
    }
    return (drivers, needed)
  }

  private func units(_ array: ArrayDescription) -> UnitForming {
    let rows = isWhole ? array.rows : height > 0 ? height : array.unitHeight
    let columns = isWhole ? array.columns : width > 0 ? width : array.unitWidth
    return units.forming(height: rows, width: columns)
  }

  /// Throws where units are given to blocks already: by `compress-columns`, or by this pass.
  private func requireFreeWordlines(_ layer: Layer) throws(Diagnostic) {
    guard layer.readout == nil else {
      throw Diagnostic(
        "pass.units", "@\(layer.name) has operation units already",
        notes: ["form dynamic units in the first place"])
    }
    guard layer.blocks.allSatisfy({ $0.units == nil }) else {
      throw Diagnostic(
        "form-units.gathered",
        "wordlines of @\(layer.name) cannot be gathered at run time: compress-columns gave every strip of wordlines "
          + "bitlines of its own, so two wordlines of different strips would add to different outputs on the same "
          + "bitline", notes: ["use compress-rows, or fixed or zero-skipping units"])
    }
  }

  /// The wordlines of each piece where a block of `count` is cut to crossbars of `side`: whole units, nearly equal.
  private func evenHeight(_ count: Int, _ side: Int, unit: Int) -> Int {
    let share = ceilDivide(count, ceilDivide(count, side))
    return min(side, ceilDivide(share, unit) * unit)
  }
}
