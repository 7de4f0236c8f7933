public import Hardware
public import Mapping
public import ProgramFormat
import Support
import Tensors

/// A sparse matrix of 8-bit weights in 2-bit cells, differential: 8 bitlines for each output, mapped in two ways.
public struct SparseLayer: Sendable {
  private let inputs: Int
  private let outputs: Int
  /// `[inputs][outputs]`, magnitudes below 2^7.
  private let weights: [Int]

  /// Draws weights, a share `zeros` of them 0.
  public init(inputs: Int, outputs: Int, zeros: Double, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    self.inputs = inputs
    self.outputs = outputs
    weights = (0..<inputs * outputs).map { _ in random.chance(zeros) ? 0 : random.inside(-127...127) }
  }

  /// The bitlines of the matrix in the order of the column layout.
  private var bitlines: [ColumnEntry] {
    (0..<outputs).flatMap { output in
      [false, true].flatMap { negative in
        [0, 2, 4, 6].map { ColumnEntry(output: output, shift: $0, negative: negative) }
      }
    }
  }

  private func cell(_ input: Int, _ bitline: ColumnEntry) -> UInt8 {
    let weight = weights[input * outputs + bitline.output]
    return (weight < 0) == bitline.negative ? UInt8(abs(weight) >> bitline.shift & 3) : 0
  }

  /// The whole matrix cut into crossbars of the machine.
  public func dense(
    _ machine: Machine, units: UnitForming, rows: Int,
    inputBits: Int = 8, inputSigned: Bool = false
  ) -> Program {
    let all = Array(0..<inputs)
    return program(
      machine, rows, (inputBits, inputSigned), cut(all, machine.array.rows),
      cut(bitlines, machine.array.columns), units,
      sideBySide: false, compressed: false)
  }

  /// Strips of `width` bitlines, each with the inputs that have a cell other than 0 in it.
  public func strips(
    _ machine: Machine, width: Int, units: UnitForming, rows: Int,
    inputBits: Int = 8, inputSigned: Bool = false
  ) -> Program {
    program(
      machine, rows, (inputBits, inputSigned), [Array(0..<inputs)], cut(bitlines, width), units,
      sideBySide: true,
      compressed: true)
  }

  private func cut<T>(_ list: [T], _ length: Int) -> [[T]] {
    stride(from: 0, to: list.count, by: length).map { Array(list[$0..<min($0 + length, list.count)]) }
  }

  private func program(
    _ machine: Machine, _ rows: Int, _ input: (bits: Int, signed: Bool), _ rowParts: [[Int]],
    _ columnParts: [[ColumnEntry]],
    _ units: UnitForming, sideBySide: Bool, compressed: Bool
  ) -> Program {
    var placement = CrossbarFiller(machine.array)
    var blocks: [Block] = []
    for part in rowParts {
      for columns in columnParts {
        let kept = compressed ? part.filter { input in columns.contains { cell(input, $0) != 0 } } : part
        for piece in cut(kept, machine.array.rows) {
          let cells = piece.flatMap { input in columns.map { cell(input, $0) } }
          let corner = placement.place(
            cells, height: piece.count, width: columns.count, fresh: !sideBySide)
          blocks.append(
            Block(
              crossbar: corner.crossbar, row: corner.row, column: corner.column,
              rows: piece.map { RowEntry(input: $0) }, columns: columns, units: units))
        }
      }
    }
    let layer = Layer(
      name: "sparse", inputs: inputs, outputs: outputs, inputBits: input.bits, inputSigned: input.signed,
      dacBits: machine.array.dacBits, adcBits: machine.array.adcBits, offset: 0, columnLayout: bitlines,
      blocks: blocks)
    return LayerCase.program(
      machine, placement.crossbars, layer,
      .integer(bits: input.bits, signed: input.signed), rows: rows)
  }
}
