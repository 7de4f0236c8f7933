/// How the bitlines of a layer are read: the facet that gives `mvm` its meaning (`ReferenceReadout.swift`).
public struct Readout: Hashable, Sendable {
  /// Bits that a wordline driver presents at once: those of a digit.
  public var dacBits: Int
  /// Resolution of the converters, in bits.
  public var adcBits: Int
  /// The largest sum that the converters are made for; nil for the largest code.
  public var fullScale: Int?
  /// Neighboring bitlines that are summed, each with its power of two, before one conversion; 1 where each bitline is
  /// converted by itself.
  public var bitlinesPerConversion: Int

  /// Creates a readout.
  public init(dacBits: Int, adcBits: Int, fullScale: Int? = nil, bitlinesPerConversion: Int = 1) {
    self.dacBits = dacBits
    self.adcBits = adcBits
    self.fullScale = fullScale
    self.bitlinesPerConversion = bitlinesPerConversion
  }

  /// What a conversion makes of a sum; the resolution is a valid one.
  public var converter: Converter { Converter(bits: adcBits, fullScale: fullScale) }
}
