public import Hardware
public import ProgramFormat
import Support

/// Lays blocks of cells side by side into crossbars, a new crossbar when the row is full.
public struct CrossbarFiller: Sendable {
  /// The crossbars so far.
  public private(set) var crossbars: [Crossbar] = []
  private let array: ArrayDescription
  private var nextColumn = 0
  private var rowTop = 0
  private var rowHeight = 0

  /// Starts without crossbars.
  public init(_ array: ArrayDescription) { self.array = array }

  /// Places a block of `height` x `width` cells, given row-major; returns its crossbar and corner.
  public mutating func place(
    _ cells: [UInt8], height: Int, width: Int, fresh: Bool = false
  ) -> (crossbar: Int, row: Int, column: Int) {
    if nextColumn + width > array.columns {
      rowTop += rowHeight
      rowHeight = 0
      nextColumn = 0
    }
    if crossbars.isEmpty || fresh || rowTop + height > array.rows {
      crossbars.append(Crossbar(cells: [UInt8](repeating: 0, count: array.rows * array.columns)))
      (rowTop, rowHeight, nextColumn) = (0, 0, 0)
    }
    let corner = (crossbar: crossbars.count - 1, row: rowTop, column: nextColumn)
    for r in 0..<height {
      for c in 0..<width {
        crossbars[corner.crossbar].cells[(corner.row + r) * array.columns + corner.column + c] =
          cells[r * width + c]
      }
    }
    nextColumn += width
    rowHeight = max(rowHeight, height)
    return corner
  }
}

/// A machine for tests, with rounded component costs of the ISAAC class: 6-bit ADC 0.502 pJ, 1.79 fJ per cell. Units
/// are no larger than its crossbars.
public func sampleMachine(
  rows: Int = 128, columns: Int = 128, cellBits: Int = 2, unitHeight: Int = 16, unitWidth: Int = 16,
  dacBits: Int = 1, adcBits: Int = 6
) -> Machine {
  var energy = EnergyTable()
  energy.adcConversion = 0.502
  energy.wordlineDrive = 0.0059
  energy.cellRead = 0.00179
  energy.sampleHold = 8e-6
  energy.shiftAdd = 0.0194
  energy.inputRegister = 0.0011
  energy.outputRegister = 0.0002
  energy.bufferBit = 1.53 / 16
  energy.busValue = 0.0057
  energy.activation = 0.271
  energy.pool = 0.0003
  energy.dramReadBit = 10
  energy.dramWriteBit = 10.3
  var area = AreaTable()
  area.crossbar = 25
  return Machine(
    name: "sample", summary: "a machine for tests",
    array: ArrayDescription(
      rows: rows, columns: columns, cellBits: cellBits, unitHeight: min(rows, unitHeight),
      unitWidth: min(columns, unitWidth), dacBits: dacBits, adcBits: adcBits),
    operands: OperandWidths(weightBits: 8, inputBits: 8),
    hierarchy: Hierarchy(crossbarsPerComputeUnit: 8, computeUnitsPerTile: 12, tiles: 0),
    timing: Timing(cycleNanoseconds: 15.36, pipelineCycles: 2), energy: energy, area: area)
}
