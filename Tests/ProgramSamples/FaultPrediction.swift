public import DeviceModel
import Hardware
import Mapping
public import ProgramFormat

/// What stuck cells change in a layer whose converters are exact, found cell by cell.
public struct FaultPrediction {
  /// The outputs of cells that are not stuck.
  public private(set) var outputs: [Int] = []
  /// What is added to each output.
  public private(set) var changes: [Int] = []
  /// Conversions with another sum.
  public private(set) var errors = PartialSumErrors()
  private let program: Program
  private let map: FaultMap

  /// Predicts what the first layer of a program gives for rows of inputs.
  public init(_ program: Program, _ map: FaultMap, _ inputs: [Float]) {
    self.program = program
    self.map = map
    let layer = program.layers[0]
    for first in stride(from: 0, to: inputs.count, by: layer.rows) {
      add(inputs[first..<first + layer.rows].map { Int($0) })
    }
  }

  private mutating func add(_ x: [Int]) {
    let layer = program.layers[0]
    let sum = x.reduce(0, +)
    var healthy = (0..<layer.columns).map { -Int(layer.correction($0)) * sum }
    var change = [Int](repeating: 0, count: layer.columns)
    for block in layer.blocks {
      for row in block.rows.indices {
        for column in block.columns.indices {
          healthy[block.columns[column].output] += term(block, row, column, level(block, row, column), x)
        }
      }
      let excess = excess(block)
      for (row, column, levels) in excess {
        change[block.columns[column].output] += term(block, row, column, levels, x)
      }
      count(block, excess, x.map { max($0, 0) })
      if layer.inputs.isSigned { count(block, excess, x.map { max(-$0, 0) }) }
    }
    outputs += healthy
    changes += change
  }

  private func level(_ block: Block, _ row: Int, _ column: Int) -> Int {
    Int(
      program.crossbars[block.crossbar].cells[
        (block.row + row) * program.machine.array.columns + block.column + column])
  }

  /// What a cell of a level adds to the output of its bitline.
  private func term(_ block: Block, _ row: Int, _ column: Int, _ level: Int, _ x: [Int]) -> Int {
    let (wordline, bitline) = (block.rows[row], block.columns[column])
    let value = x[wordline.input] * level << (wordline.shift + bitline.shift)
    return bitline.negative ? -value : value
  }

  /// Cells of a block that hold more, or less, than they should.
  private func excess(_ block: Block) -> [(row: Int, column: Int, levels: Int)] {
    let array = program.machine.array
    return (map.cells[block.crossbar] ?? []).compactMap { cell in
      let (row, column) = (cell.row - block.row, cell.column - block.column)
      guard block.rows.indices.contains(row), block.columns.indices.contains(column) else { return nil }
      return (row, column, (cell.level ?? (1 << array.cellBits - 1)) - level(block, row, column))
    }
  }

  /// Counts the conversions of a pass that read another sum.
  private mutating func count(_ block: Block, _ excess: [(row: Int, column: Int, levels: Int)], _ x: [Int]) {
    let layer = program.layers[0]
    let count = layer.bitlinesPerConversion
    let shifts = block.columns.indices.map {
      block.columns[$0].shift - block.columns[$0 - $0 % count].shift
    }
    for t in 0..<(32 + layer.dacBits - 1) / layer.dacBits {
      let digits = block.rows.map {
        (x[$0.input] << $0.shift) >> (t * layer.dacBits) & (1 << layer.dacBits - 1)
      }
      guard digits.contains(where: { $0 != 0 }) else { continue }
      var sums: [[Int]: Int] = [:]
      for (row, column, levels) in excess {
        // Gathered units take the driven wordlines in order.
        let unit =
          (block.formedUnits.isDynamic ? digits[..<row].count { $0 != 0 } : row) / block.formedUnits.height
        sums[[unit, column / layer.bitlinesPerConversion], default: 0] +=
          digits[row] * levels << shifts[column]
      }
      for error in sums.values where error != 0 {
        errors.wrong += 1
        errors.error += error
        errors.squareError += error * error
      }
    }
  }
}
