public import DeviceModel
import Hardware
import Mapping
import Support

/// What conversions of random units gave: how often each true sum was sensed as each code.
public struct SensedCounts: Equatable, Sendable {
  /// The largest true sum, and the largest code.
  public let largest: Int
  /// `[true sum][code]`.
  public private(set) var counts: [Int]

  /// Nothing sensed.
  public init(largest: Int) {
    self.largest = largest
    counts = [Int](repeating: 0, count: (largest + 1) * (largest + 1))
  }

  /// How often `sum` was sensed as `code`.
  public subscript(sum: Int, code: Int) -> Int {
    get { counts[sum * (largest + 1) + code] }
    set { counts[sum * (largest + 1) + code] = newValue }
  }

  /// How many conversions there were.
  public var samples: Int { counts.reduce(0, +) }

  /// The share of conversions with another code than the true sum.
  public var errorRate: Double {
    let right = (0...largest).reduce(0) { $0 + self[$1, $1] }
    return Double(samples - right) / Double(max(1, samples))
  }
}

/// Conversions of single bitlines in units of `height` wordlines, whose levels and digits are uniformly random, through
/// the cells and references of a device. The converter is as wide as the largest sum.
public struct UnitSampler: Sendable {
  /// The device.
  public let device: Device
  /// Wordlines of a unit.
  public let height: Int
  /// Bits of a cell.
  public let cellBits: Int
  /// Bits of a digit.
  public let dacBits: Int

  /// Creates a sampler.
  public init(_ device: Device, height: Int, cellBits: Int = 1, dacBits: Int = 1) {
    self.device = device
    self.height = height
    self.cellBits = cellBits
    self.dacBits = dacBits
  }

  /// What `samples` conversions give.
  public func sense(_ samples: Int, seed: UInt64) -> SensedCounts {
    let (levels, digits) = (1 << cellBits, 1 << dacBits)
    let largest = height * (levels - 1) * (digits - 1)
    let programmer = CellProgrammer(device, levels: levels, seed: seed, trial: 0)
    let line = SenseLine(
      device, levels: levels, weight: 1, height: height * (digits - 1),
      converter: Converter(bits: losslessBits(height, cell: cellBits, dac: dacBits)), paired: false,
      errors: ConverterDraw())
    var random = SeededGenerator(seed: seed)
    var counts = SensedCounts(largest: largest)
    for first in stride(from: 0, to: samples, by: 1000) {
      let units = min(1000, samples - first)
      let cells = (0..<units * height).map { _ in UInt8(random.below(levels)) }
      let currents = programmer.conductances(cells, crossbar: first / 1000)
      for unit in 0..<units {
        var (sum, active, current) = (0, 0, Float(0))
        for row in unit * height..<(unit + 1) * height {
          let digit = random.below(digits)
          sum += digit * Int(cells[row])
          active += digit
          current += Float(digit) * currents[row]
        }
        counts[sum, min(line.code(current: current, active: Float(active)), largest)] += 1
      }
    }
    return counts
  }
}
