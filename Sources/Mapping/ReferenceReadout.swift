import Support

// The meaning of `mvm`: what every readout gives, to the bit. No regard to speed; the executor's kernels are compared
// with it, and it is used where none is proved equal.
//
// y[o] = sum over blocks, digits t, units and groups g of bitlines whose output is o of
//          sign_g * 2^(k_g) * 2^(t * dac) * ADC( sum over bitlines c of g and wordlines r of the unit of
//                                                  2^(k_c - k_g) * cell[r][c] * digit_t(x[i_r] << s_r) )
//        - excess(of: o) * sum(x)
//
// for inputs without sign; those with a sign take two passes, whose difference is the result. Spec: ir-spec.md,
// *Products on crossbars*.

/// Levels of a block: row-major from `first` on, `stride` from wordline to wordline.
public struct BlockCells: Sendable {
  let levels: [UInt8]
  let first: Int
  let stride: Int

  /// The cells of a block that holds them.
  public init(_ block: Block) {
    levels = block.cells
    first = 0
    stride = block.columns.count
  }

  /// The cells of a placed block in the image of its crossbar, of `width` bitlines.
  public init(_ block: Block, in image: [UInt8], width: Int) {
    levels = image
    first = block.row * width + block.column
    stride = width
  }

  func level(_ row: Int, _ column: Int) -> Int { Int(levels[first + row * stride + column]) }
}

/// A layer that is ready to be read exactly as its readout says.
public struct ReferenceReadout: Sendable {
  private let layer: Layer
  private let readout: Readout
  private let cells: [BlockCells]

  /// Prepares a sound layer with its cells, block by block; nil where it has no readout or a block no units: then `mvm`
  /// is the integer product with the weights.
  public init?(_ layer: Layer, cells: [BlockCells]) {
    guard let readout = layer.readout, layer.blocks.allSatisfy({ $0.units != nil }),
      cells.count == layer.blocks.count
    else { return nil }
    self.layer = layer
    self.readout = readout
    self.cells = cells
  }

  /// The outputs for `inputs`, one number for each row; adds to `saturations` how many conversions hit the largest
  /// code.
  public func multiply(_ inputs: [Int64], saturations: inout Int) -> [Int64] {
    var sums = [Int64](repeating: 0, count: layer.columns)
    for index in layer.blocks.indices {
      if layer.inputs.isSigned {
        saturations += add(index, inputs.map { max($0, 0) }, to: &sums, sign: 1)
        saturations += add(index, inputs.map { max(0 &- $0, 0) }, to: &sums, sign: -1)
      } else {
        saturations += add(index, inputs, to: &sums, sign: 1)
      }
    }
    guard layer.coding.hasExcess else { return sums }
    let total = inputs.reduce(0, &+)
    for output in sums.indices { sums[output] &-= layer.coding.excess(of: output) &* total }
    return sums
  }

  /// Adds a block's share for inputs without sign to `sums` and returns how many conversions saturated.
  private func add(_ index: Int, _ inputs: [Int64], to sums: inout [Int64], sign: Int64) -> Int {
    let block = layer.blocks[index]
    let (dac, converter) = (readout.dacBits, readout.converter)
    let driven = block.rows.map { inputs[$0.input] << Int64($0.shift) }
    var saturated = 0
    for digit in 0..<layer.digits(of: block) {
      let digits = driven.map { Int(($0 >> Int64(digit * dac)) & (1 << Int64(dac) - 1)) }
      for unit in block.formedUnits.wordlines(of: digits) {
        for first in stride(from: 0, to: block.columns.count, by: readout.bitlinesPerConversion) {
          let group = first..<first + readout.bitlinesPerConversion
          let sum = sum(group, unit, digits, block, cells[index])
          if converter.saturates(sum) { saturated += 1 }
          let column = block.columns[first]
          let weighted = Int64(converter.convert(sum)) << Int64(column.shift + digit * dac)
          sums[column.output] &+= (column.negative ? 0 &- weighted : weighted) &* sign
        }
      }
    }
    return saturated
  }

  /// What the wordlines of `unit` give on the bitlines of a group, each weighted relative to the first one.
  private func sum(_ group: Range<Int>, _ unit: [Int], _ digits: [Int], _ block: Block, _ cells: BlockCells)
    -> Int
  {
    group.reduce(0) { sum, column in
      let current = unit.reduce(0) { $0 + cells.level($1, column) * digits[$1] }
      return sum + current << (block.columns[column].shift - block.columns[group.lowerBound].shift)
    }
  }
}

extension UnitForming {
  /// The wordlines that are read together, for one digit of each.
  fileprivate func wordlines(of digits: [Int]) -> [[Int]] {
    let lines = isDynamic ? digits.indices.filter { digits[$0] != 0 } : Array(digits.indices)
    return stride(from: 0, to: lines.count, by: height).map {
      Array(lines[$0..<Swift.min($0 + height, lines.count)])
    }
  }
}
