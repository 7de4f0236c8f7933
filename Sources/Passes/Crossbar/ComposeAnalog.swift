import Hardware
import IR
import Mapping
import Support

/// The bitlines that hold the digits of one weight are summed, each with its power of two, before one conversion (Lin
/// et al., ASP-DAC 2019; reference: section 4.5).
///
/// A group has as many bitlines as a weight has digits of one sign. The full scale of a layer's converters is given, or
/// the largest sum that one of its units can reach; their resolution is given, or as high as the full scale needs for a
/// step of 1. Spec: ir-spec.md, `compose-analog`.
struct ComposeAnalog: LayerPass {
  typealias L = CrossbarLevel
  static let name = "compose-analog"
  static let summary = "the digits of a weight are summed with their powers of two before one conversion"
  static let requires: Set<Fact> = [.shaped, .sliced, .partitioned]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.bounded(
    "from the exact sum of its group a conversion is off by at most half a step of ceil(full-scale / (2^adc - 1)), by"
      + " nothing where that is 1, and by what exceeds the largest code")
  static let keepsCells = true

  private static let adcOption = PassOption.int(
    "adc", 0...16, default: 0, "bits of a converter; 0 means as many as give a step of 1")
  private static let fullScaleOption = PassOption.number(
    "full-scale", 1...Int(Converter.fullScales.upperBound), orDefault: Auto.auto,
    "the full scale of the converters; auto means the largest sum that a unit of the layer can reach")
  static let options = [adcOption.spec, fullScaleOption.spec]

  private let adc: Int
  /// Nil takes what the cells can reach.
  private let fullScale: Int?

  init(_ options: PassOptions) {
    adc = options[Self.adcOption]
    fullScale = options[Self.fullScaleOption].number
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    do throws(Diagnostic) {
      layer = try composed(layer)
      try requireAccumulators(layer)
    } catch {
      throw Diagnostic(error.id, error.message, at: setting.location, notes: error.notes)
    }
    return [("layers-composed", layer.bitlinesPerConversion > 1 ? 1 : 0)]
  }

  private func composed(_ layer: Layer) throws(Diagnostic) -> Layer {
    var result = layer
    result.readout?.bitlinesPerConversion = layer.digitsOfWeight
    try checkGroups(result)
    let reached = fullScale ?? result.largestSum
    let needed = bitWidth(of: reached)
    guard adc > 0 || needed <= 16 else {
      throw Diagnostic(
        "compose-analog.adc",
        "a full scale of \(reached) needs converters of \(needed) bits, 16 are the most",
        notes: ["give adc for coarser ones, or use smaller units"])
    }
    result.readout?.fullScale = reached
    result.readout?.adcBits = adc > 0 ? adc : needed
    return result
  }

  private func checkGroups(_ layer: Layer) throws(Diagnostic) {
    let size = layer.bitlinesPerConversion
    for block in layer.blocks {
      guard Composition.sizes.contains(size), block.columns.areGroups(of: size) else {
        throw Diagnostic(
          "compose-analog.groups",
          "the bitlines of a block of @\(layer.name) are no groups of the \(size) digits of a weight",
          notes: [
            "digits must be neighbors: slice-bits with order weight-major, placement intra and signs differential "
              + "or offset, without leaving out or clustering bitlines one by one, and crossbars that cut no weight"
          ])
      }
      guard let units = block.units, units.width % size == 0 else {
        throw Diagnostic(
          "compose-analog.width",
          "the units of @\(layer.name) divide the \(size) digits of a weight",
          notes: ["form units whose width is a multiple of \(size)"])
      }
    }
  }
}

extension Layer {
  /// How many columns of the layout have the output and the sign of the first one: the digits of a weight.
  fileprivate var digitsOfWeight: Int {
    let layout = coding.columnLayout.isEmpty ? Array(Set(blocks.flatMap(\.columns))) : coding.columnLayout
    guard let first = blocks.first?.columns.first else { return 1 }
    return layout.count { $0.output == first.output && $0.negative == first.negative }
  }
}
