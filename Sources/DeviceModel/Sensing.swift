public import Mapping

/// How currents are compared with references.
public struct Sensing: Hashable, Sendable {
  /// Where references lie.
  public enum References: String, Hashable, Sendable, CaseIterable {
    /// At fixed currents: reference i halfway between the largest current of sum i, with all wordlines of a unit
    /// active, and the smallest one of sum i + 1, with as few active wordlines as it takes.
    case fixed
    /// Chosen for the number of active wordlines: reference i halfway between the currents of sums i and i + 1, where
    /// no fewer wordlines are taken to be active than the sum needs.
    case inputAware = "input-aware"
  }

  /// How bitlines of positive and negative weights are read.
  public enum Pairs: String, Hashable, Sendable, CaseIterable {
    /// Each by a conversion of its own; codes are subtracted.
    case digital
    /// Their currents are subtracted and converted once, by a converter for both signs.
    case analog
  }

  /// Where references lie.
  public var references = References.inputAware
  /// Voltage of an active wordline in volt.
  public var readVoltage = 0.2
  /// Standard deviation of a bitline's clamped voltage in volt.
  public var clampError = 0.0
  /// Standard deviation of the common factor of a converter's references.
  public var referenceError = 0.0
  /// How bitlines of positive and negative weights are read.
  public var pairs = Pairs.digital

  /// Sensing without errors.
  public init() {}
}

/// A conversion on a device: from the current of a bitline, or of a group, to a code.
///
/// Currents are in steps of a level. With I for the current, n for the sum of the digits that drive the unit, r for the
/// leakage of a cell of level 0, L for the highest level, and h for the largest n of a unit, all references are those
/// of a ladder, so that the code is the number of references that the current reaches:
///
///     fixed        reference i = (i (1 + r/2L)) + (1 + r/L + h r) / 2
///     input-aware  reference i = max(n r + i + 1/2, (i + 1/2) (1 + r/L))
///
/// which for cells of one bit are the references of Lin et al., "DL-RSIM", ICCAD'18, for h wordlines and for n. `y` below is where the current stands on
/// that ladder: the sum that would be sensed without rounding. All arithmetic is in binary32, in the order written.
/// Spec: ir-spec.md, *Devices*.
public struct SenseLine: Hashable, Sendable {
  /// Factor of the current.
  public var first: Float = 1
  /// Subtracted for each unit of n.
  public var leak: Float = 0
  /// Factor of the current on the second branch of input-aware references.
  public var second: Float = 1
  /// Whether there is a second branch.
  public var isNonlinear = false
  /// Gain of the converter.
  public var gain: Float = 1
  /// Offset of the converter and of the ladder.
  public var offset: Float = 0
  /// `4 a / F` for a bow of a in the middle of the range F.
  public var bow: Float = 0
  /// `1 / F`.
  public var inverseRange: Float = 0
  /// Variance of a cell's current relative to its square, on the ladder's scale.
  public var cellVariance: Float = 0
  /// Variance of a conversion.
  public var addedVariance: Float = 0
  /// Codes for each unit of y.
  public var scale: Float = 1
  /// Added to `y * scale` before the whole part is taken.
  public var bias: Float = 0.5
  /// The smallest code: 0, or for both signs the largest one's negative.
  public var minimum: Float = 0
  /// The largest code.
  public var maximum: Float = 1

  /// The line of a bitline with the errors `line` and of its converter with the errors `converter`.
  ///
  /// `weight` is the sum of the bitlines' relative powers of two where they are composed, `height` the largest sum of a
  /// unit's digits. For `paired` bitlines the current is a difference, so that leakage cancels.
  public init(
    _ device: Device, levels: Int, weight: Int, height: Int, converter: Converter, paired: Bool,
    errors: ConverterDraw
  ) {
    let leakage =
      paired || !device.isOn(.offCurrent)
      ? 0 : 1 / (device.cell.offResistance * device.cell.step(levels: levels))
    let bend = leakage / Double(max(1, levels - 1))
    let references = 1 / (1 + errors.reference)
    var base = 0.0
    switch device.sensing.references {
    case _ where paired: first = Float(references)
    case .fixed:
      let slope = 1 / (1 + bend / 2)
      let ends = Double(height) * leakage * Double(weight)
      first = Float(references * slope)
      base = 0.5 - (1 + bend + ends) / 2 * slope
    case .inputAware:
      first = Float(references)
      leak = Float(leakage * Double(weight))
      second = Float(references / (1 + bend))
      isNonlinear = leakage > 0
    }
    let step = Double(converter.step)
    let range = Double(converter.largestCode) * step
    gain = Float(1 + errors.gain)
    offset = Float(base * (1 + errors.gain) + errors.offset * step)
    bow = Float(4 * errors.inl * step / range)
    inverseRange = Float(1 / range)
    let noise = Double(first) * (1 + errors.gain) * device.readNoise.cell
    cellVariance = Float(noise * noise)
    addedVariance = Float(device.converter.noise * step * device.converter.noise * step)
    scale = Float(1 / step)
    bias = Float((Double(converter.step / 2) + 0.5) / step)
    maximum = Float(converter.largestCode)
    minimum = paired ? -maximum : 0
  }

  /// the position of the current on the ladder; `squares` is the sum of the squares of what the cells pass for their
  /// digits, `noise` a normal number.
  public func position(current: Float, active: Float, squares: Float = 0, noise: Float = 0) -> Float {
    var y = current * first - active * leak
    if isNonlinear { y = min(y, current * second) }
    y = y * gain + offset
    if bow != 0 { y += bow * y * (1 - y * inverseRange) }
    if addedVariance > 0 || cellVariance > 0 {
      y += noise * (addedVariance + squares * cellVariance).squareRoot()
    }
    return y
  }

  /// The code at a place of the ladder.
  public func code(at y: Float) -> Int { min(openCode(at: y), Int(maximum)) }

  /// The code at a place of the ladder, one more than the largest one where it would be larger.
  public func openCode(at y: Float) -> Int {
    let bounded = min(max(y * scale + bias, minimum), maximum + 1)
    return Int(bounded - minimum) + Int(minimum)
  }

  /// The code of a current; see `position(current:active:squares:noise:)`.
  public func code(current: Float, active: Float, squares: Float = 0, noise: Float = 0) -> Int {
    code(at: position(current: current, active: active, squares: squares, noise: noise))
  }
}

extension SenseLine {
  /// Whether the conversion of a unit without an active wordline may give another code than 0.
  public var seesEmptyUnits: Bool { addedVariance > 0 || code(at: position(current: 0, active: 0)) != 0 }
}
