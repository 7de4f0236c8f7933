public import Hardware
public import ProgramFormat
public import Support

/// What a random layer may look like.
public struct LayerTraits: Sendable {
  /// Bits of the inputs.
  public var inputBits: Int
  /// Whether inputs are signed.
  public var inputSigned: Bool
  /// Whether wordlines may be shifted.
  public var shifts: Bool
  /// Whether units may be gathered at run time.
  public var dynamic: Bool
  /// Share of cells that are zero.
  public var zeros: Double

  /// Creates traits.
  public init(
    inputBits: Int, inputSigned: Bool, shifts: Bool = true, dynamic: Bool = true, zeros: Double = 0.3
  ) {
    self.inputBits = inputBits
    self.inputSigned = inputSigned
    self.shifts = shifts
    self.dynamic = dynamic
    self.zeros = zeros
  }
}

/// Makes a layer of blocks with random maps and cells; nothing of it stands for a real matrix.
public func randomLayer(
  named name: String, inputs: Int, outputs: Int, traits: LayerTraits, array: ArrayDescription,
  placement: inout Placement, blocks: inout [Block], random: inout SeededGenerator
) -> Layer {
  let first = blocks.count
  let allShifted = traits.shifts && random.chance(0.3)
  for _ in 0...random.below(4) {
    let height = random.inside(1...array.rows)
    let width = random.inside(1...array.columns)
    let isIdentity = height <= inputs && random.chance(0.5)
    let start = isIdentity ? random.below(inputs - height + 1) : 0
    let rows = (0..<height).map { k in
      RowEntry(
        input: isIdentity ? start + k : random.below(inputs),
        shift: allShifted && random.chance(0.5) ? random.below(7) : 0)
    }
    let columns = (0..<width).map { _ in
      ColumnEntry(output: random.below(outputs), shift: random.below(8), negative: random.chance(0.5))
    }
    let cells = (0..<height * width).map { _ in
      random.chance(traits.zeros) ? 0 : UInt8(random.below(1 << array.cellBits))
    }
    let corner = placement.place(cells, height: height, width: width, fresh: random.chance(0.3))
    blocks.append(
      Block(
        crossbar: corner.crossbar, row: corner.row, column: corner.column, rows: rows, columns: columns,
        units: randomUnits(array, dynamic: traits.dynamic, &random)))
  }
  return Layer(
    name: name, inputs: inputs, outputs: outputs, inputBits: traits.inputBits,
    inputSigned: traits.inputSigned,
    dacBits: random.chance(0.6) ? 1 : random.inside(1...4), adcBits: random.inside(1...12),
    offset: random.chance(0.3) ? Int64(random.inside(-200...200)) : 0, blocks: first..<blocks.count)
}

private func randomUnits(
  _ array: ArrayDescription, dynamic: Bool, _ random: inout SeededGenerator
) -> UnitForming {
  let sizes = [(9, 8), (16, 16), (array.rows, array.columns), (4, 3), (5, 7), (1, 1), (32, 32)]
  let (h, w) = sizes[random.below(sizes.count)]
  let (height, width) = (min(h, array.rows), min(w, array.columns))
  return dynamic && random.chance(0.35)
    ? .dynamic(height: height, width: width) : .fixed(height: height, width: width)
}

/// A machine of random size.
public func randomMachine(_ random: inout SeededGenerator, largest: Int = 48) -> Machine {
  sampleMachine(
    rows: random.inside(1...largest), columns: random.inside(1...largest), cellBits: random.inside(1...8),
    unitHeight: random.inside(1...16), unitWidth: random.inside(1...16), dacBits: random.inside(1...4),
    adcBits: random.inside(1...12))
}
