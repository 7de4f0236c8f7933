import CKernels

/// Programs cells: from levels to the conductances of a trial, in steps of a level.
public struct CellProgrammer: Sendable {
  private let table: xbar_cell_table
  private let isExact: Bool
  /// The conductance of each level as it should be, in steps of a level.
  public let nominal: [Float]

  /// Prepares the cells of a trial with `levels` levels.
  public init(_ device: Device, levels: Int, seed: UInt64, trial: Int) {
    let step = device.cell.step(levels: levels)
    nominal = (0..<levels).map { Float(device.cell.conductance(of: $0, levels: levels) / step) }
    isExact = ![.variation, .stuckCells, .drift].contains { device.isOn($0) }
    var table = xbar_cell_table()
    table.key = RandomStream(seed: seed, trial: trial, .cells).key
    table.fill(\.nominal, nominal)
    table.fill(\.sigma, (0..<levels).map { Float(device.variation.sigma(of: $0, levels: levels)) })
    table.fill(\.exponent, (0..<levels).map { Float(device.drift.exponent(of: $0, levels: levels)) })
    table.spread = Float(device.drift.spread)
    table.time = device.isOn(.drift) ? Float(device.drift.logarithm) : 0
    table.highest = nominal.last ?? 0
    let on = share(device.stuckCells.on)
    table.stuck_on = on
    table.stuck_off = min(share(device.stuckCells.off), .max - on)
    table.lognormal = device.variation.distribution == .lognormal ? 1 : 0
    self.table = table
  }

  /// The conductances of the cells of a crossbar.
  public func conductances(_ levels: [UInt8], crossbar: Int) -> [Float] {
    if isExact { return levels.map { nominal[min(Int($0), nominal.count - 1)] } }
    var values = [Float](repeating: 0, count: levels.count)
    withUnsafePointer(to: table) {
      xbar_program_cells($0, levels, levels.count, UInt32(truncatingIfNeeded: crossbar), &values)
    }
    return values
  }
}

/// A share as a number of 2^32 words.
private func share(_ rate: Double) -> UInt32 { UInt32(min(max(rate, 0) * 0x1p32, 0x1p32 - 1)) }

extension xbar_cell_table {
  /// Fills an array of 256 with values.
  fileprivate mutating func fill<T>(_ path: WritableKeyPath<xbar_cell_table, T>, _ values: [Float]) {
    withUnsafeMutableBytes(of: &self[keyPath: path]) { bytes in
      values.withUnsafeBytes {
        bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0.prefix(bytes.count)))
      }
    }
  }
}
