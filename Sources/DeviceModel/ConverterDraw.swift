/// The errors of a converter in a trial.
public struct ConverterDraw: Hashable, Sendable {
  /// Relative error of its references.
  public var reference = 0.0
  /// Offset in codes.
  public var offset = 0.0
  /// Relative error of its gain.
  public var gain = 0.0
  /// Bow in the middle of its range, in codes.
  public var inl = 0.0

  /// No errors.
  public init() {}

  /// The errors for four normal numbers.
  public init(_ device: Device, normals: ArraySlice<Float>) {
    let z = normals.map { Double($0) }
    reference = max(-0.9, device.sensing.referenceError * z[0])
    offset = device.converter.offset * z[1]
    gain = max(-0.9, device.converter.gain * z[2])
    inl = device.converter.inl * z[3]
  }
}

/// The errors of a trial that belong to converters and bitlines.
public struct SenseErrors: Sendable {
  private let device: Device
  private let converters: RandomStream
  private let bitlines: RandomStream

  /// Prepares the errors of a trial.
  public init(_ device: Device, seed: UInt64, trial: Int) {
    self.device = device
    converters = RandomStream(seed: seed, trial: trial, .converters)
    bitlines = RandomStream(seed: seed, trial: trial, .bitlines)
  }

  /// The errors of the first `count` converters of a crossbar.
  public func converters(of crossbar: Int, count: Int) -> [ConverterDraw] {
    guard [.referenceError, .offset, .gain, .inl].contains(where: device.isOn) else {
      return [ConverterDraw](repeating: ConverterDraw(), count: count)
    }
    let normals = converters.draw(first: 0, crossbar, count: count).normals
    return (0..<count).map { ConverterDraw(device, normals: normals[4 * $0..<4 * $0 + 4]) }
  }

  /// The factors of the voltages of a crossbar's first `count` bitlines.
  public func clampFactors(of crossbar: Int, count: Int) -> [Float] {
    guard device.isOn(.clampMismatch) else { return [Float](repeating: 1, count: count) }
    let normals = bitlines.draw(first: 0, crossbar, count: count).normals
    return (0..<count).map { clampFactor(device, normal: normals[4 * $0]) }
  }
}

/// The factor of a bitline's voltage for a normal number.
func clampFactor(_ device: Device, normal: Float) -> Float {
  Float(max(0, 1 + device.sensing.clampError / device.sensing.readVoltage * Double(normal)))
}
