/// A non-ideality of a device, with a switch of its own.
public enum Nonideality: String, CaseIterable, Hashable, Sendable {
  case offCurrent = "off-current"
  case levelSpacing = "level-spacing"
  case variation
  case readNoise = "read-noise"
  case stuckCells = "stuck-cells"
  case drift
  case irDrop = "ir-drop"
  case clampMismatch = "clamp-mismatch"
  case referenceError = "reference-error"
  case offset, gain, inl
  case noise
  case analogPairs = "analog-pairs"

  /// The former word of a switch that was renamed; nil for all others.
  public var formerName: String? {
    switch self {
    case .irDrop: "wires"
    case .clampMismatch: "clamp-error"
    case .offCurrent, .levelSpacing, .variation, .readNoise, .stuckCells, .drift, .referenceError, .offset,
      .gain, .inl,
      .noise, .analogPairs:
      nil
    }
  }

  /// What it is, in a few words.
  public var summary: String {
    switch self {
    case .offCurrent: "cells of level 0 pass current (finite on/off ratio)"
    case .levelSpacing: "levels are not at equal steps of conductance"
    case .variation: "programmed conductances differ from their levels"
    case .readNoise: "a cell's current differs at every access"
    case .stuckCells: "cells hold the highest level or level 0 whatever is programmed (rates or a map)"
    case .drift: "conductances fall with time"
    case .irDrop: "IR drop along wires, drivers and sense circuits"
    case .clampMismatch: "bitlines are clamped at slightly different voltages (clamp mismatch)"
    case .referenceError: "references of a converter are off by a factor"
    case .offset: "converters have an offset"
    case .gain: "converters have a gain error"
    case .inl: "converters are nonlinear (integral nonlinearity, INL)"
    case .noise: "every conversion has noise of its own"
    case .analogPairs: "currents of positive and negative bitlines are subtracted before one conversion"
    }
  }
}

extension Device {
  /// Whether a non-ideality is on.
  public func isOn(_ nonideality: Nonideality) -> Bool {
    switch nonideality {
    case .offCurrent: cell.offResistance.isFinite
    case .levelSpacing: cell.spacing != .conductance
    case .variation: variation.on > 0 || variation.off > 0
    case .readNoise: readNoise.cell > 0
    case .stuckCells: stuckCells.on > 0 || stuckCells.off > 0
    case .drift: drift.logarithm > 0 && (drift.on > 0 || drift.off > 0 || drift.spread > 0)
    case .irDrop: !wires.isIdeal
    case .clampMismatch: sensing.clampError > 0
    case .referenceError: sensing.referenceError > 0
    case .offset: converter.offset > 0
    case .gain: converter.gain > 0
    case .inl: converter.inl > 0
    case .noise: converter.noise > 0
    case .analogPairs: sensing.pairs == .analog
    }
  }

  /// The same device with a non-ideality switched off.
  public func without(_ nonideality: Nonideality) -> Device {
    var device = self
    switch nonideality {
    case .offCurrent: device.cell.offResistance = .infinity
    case .levelSpacing: device.cell.spacing = .conductance
    case .variation: (device.variation.on, device.variation.off) = (0, 0)
    case .readNoise: device.readNoise.cell = 0
    case .stuckCells: device.stuckCells = StuckCells()
    case .drift: device.drift.seconds = 0
    case .irDrop: device.wires = Wires()
    case .clampMismatch: device.sensing.clampError = 0
    case .referenceError: device.sensing.referenceError = 0
    case .offset: device.converter.offset = 0
    case .gain: device.converter.gain = 0
    case .inl: device.converter.inl = 0
    case .noise: device.converter.noise = 0
    case .analogPairs: device.sensing.pairs = .digital
    }
    return device
  }
}
