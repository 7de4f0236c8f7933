/// An effect of a device, with a switch of its own.
public enum DeviceEffect: String, CaseIterable, Hashable, Sendable {
  case offCurrent = "off-current"
  case levelSpacing = "level-spacing"
  case variation
  case readNoise = "read-noise"
  case stuckCells = "stuck-cells"
  case drift
  case wires
  case clampError = "clamp-error"
  case referenceError = "reference-error"
  case offset, gain, inl
  case noise
  case analogPairs = "analog-pairs"

  /// What the effect is, in a few words.
  public var summary: String {
    switch self {
    case .offCurrent: "cells of level 0 pass current (finite on/off ratio)"
    case .levelSpacing: "levels are not at equal steps of conductance"
    case .variation: "programmed conductances differ from their levels"
    case .readNoise: "a cell's current differs at every access"
    case .stuckCells: "cells hold the highest level or level 0 whatever is programmed (rates or a map)"
    case .drift: "conductances fall with time"
    case .wires: "wires, drivers and sense circuits have resistance (IR drop)"
    case .clampError: "bitlines are clamped at slightly different voltages"
    case .referenceError: "references of a converter are off by a factor"
    case .offset: "converters have an offset"
    case .gain: "converters have a gain error"
    case .inl: "converters are bent (integral nonlinearity)"
    case .noise: "every conversion has noise of its own"
    case .analogPairs: "currents of positive and negative bitlines are subtracted before one conversion"
    }
  }
}

extension Device {
  /// Whether an effect is on.
  public func isOn(_ effect: DeviceEffect) -> Bool {
    switch effect {
    case .offCurrent: cell.offResistance.isFinite
    case .levelSpacing: cell.spacing != .conductance
    case .variation: variation.on > 0 || variation.off > 0
    case .readNoise: readNoise.cell > 0
    case .stuckCells: stuckCells.on > 0 || stuckCells.off > 0
    case .drift: drift.logarithm > 0 && (drift.on > 0 || drift.off > 0 || drift.spread > 0)
    case .wires: !wires.isIdeal
    case .clampError: sensing.clampError > 0
    case .referenceError: sensing.referenceError > 0
    case .offset: converter.offset > 0
    case .gain: converter.gain > 0
    case .inl: converter.inl > 0
    case .noise: converter.noise > 0
    case .analogPairs: sensing.pairs == .analog
    }
  }

  /// The same device with an effect switched off.
  public func without(_ effect: DeviceEffect) -> Device {
    var device = self
    switch effect {
    case .offCurrent: device.cell.offResistance = .infinity
    case .levelSpacing: device.cell.spacing = .conductance
    case .variation: (device.variation.on, device.variation.off) = (0, 0)
    case .readNoise: device.readNoise.cell = 0
    case .stuckCells: device.stuckCells = StuckCells()
    case .drift: device.drift.seconds = 0
    case .wires: device.wires = Wires()
    case .clampError: device.sensing.clampError = 0
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
