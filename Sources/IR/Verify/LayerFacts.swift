public import Hardware
public import Support
import Tensors

/// What is wrong with a layer at crossbar level that no operation spells, if `facts` are to hold of it; nil for a valid one.
///
/// Where `decoded` is false its cells are known to decode to its weights: they are those of a layer that was checked.
public func verify(
  _ layer: LayerView, facts: Set<Fact>, machine: Machine?, decoded: Bool = true
) -> Diagnostic? {
  let check = LayerCheck(layer, machine: machine, level: .crossbar)
  let found = check.structure() ?? facts.sorted().lazy.compactMap { check.problem(of: $0, decoded) }.first
  return found.map {
    Diagnostic("verify.\($0.id)", $0.message, at: Location(.item("@\(layer.name)")))
  }
}

extension Verifier {
  /// Checks what `fact` says of layers and blocks.
  mutating func checkLayers(_ fact: Fact) {
    if L.name == .tensor {
      found.append(Diagnostic("verify.\(fact.rawValue)", "a tensor module has no layers"))
      return
    }
    if fact == .placed && module.machine == nil {
      found.append(Diagnostic("verify.placed", "the module names no machine"))
      return
    }
    // S11 holds here: every layer can be read.
    var placed = PlacedBlocks()
    for (id, layer) in module.layers {
      let check = LayerCheck(layer, machine: module.machine, level: L.name)
      guard let problem = check.problem(of: fact, placed: &placed) else { continue }
      fail(problem, module.ops[id])
      if fact == .placed { return }
    }
    if fact == .scheduled { checkSegments() }
  }
}

/// Where blocks lie, crossbar by crossbar.
struct PlacedBlocks {
  fileprivate struct Area {
    let top: Int
    let left: Int
    let bottom: Int
    let right: Int

    func overlaps(_ other: Area) -> Bool {
      top < other.bottom && other.top < bottom && left < other.right && other.left < right
    }
  }

  private var areas: [Int: [Area]] = [:]

  /// Places another block; false where it overlaps one.
  fileprivate mutating func add(_ area: Area, to crossbar: Int) -> Bool {
    let isFree = areas[crossbar, default: []].allSatisfy { !$0.overlaps(area) }
    if isFree { areas[crossbar, default: []].append(area) }
    return isFree
  }
}

extension LayerCheck {
  /// What speaks against `fact`, the layer alone.
  func problem(of fact: Fact, _ decoded: Bool) -> LayerProblem? {
    if fact == .sliced { return slicedProblem(decoded) }
    var placed = PlacedBlocks()
    return problem(of: fact, placed: &placed)
  }

  /// What speaks against `fact`; `placed` are the blocks of the layers before it.
  func problem(of fact: Fact, placed: inout PlacedBlocks) -> LayerProblem? {
    switch fact {
    case .shaped, .calibrated, .quantized: return nil
    case .sliced: return slicedProblem(true)
    case .partitioned: return partitionedProblem()
    case .placed: return placedProblem(&placed)
    case .scheduled: return layer.stage == nil ? LayerProblem("scheduled", "the layer has no stage") : nil
    }
  }

  /// F-sliced: levels below 2^cellBits, and the decode invariant: for all (i, o) the sum of
  /// `sign * 2^(k + s) * cell` equals `W[i][o] + offset`.
  private func slicedProblem(_ decoded: Bool) -> LayerProblem? {
    guard let bits = layer.cellBits, layer.encoding != nil else {
      return LayerProblem("sliced", "the layer has no encoding or no cell bits")
    }
    guard decoded else { return nil }
    for block in layer.blocks {
      if let high = block.cells.max(), Int(high) >> bits != 0 {
        return LayerProblem("sliced", "a cell holds level \(high), a cell has \(bits) bits")
      }
    }
    return level == .crossbar ? decodeProblem() : nil
  }

  /// The matrix is decoded share by share of its outputs, so that it takes no more than `LayerCheck.share` numbers.
  private func decodeProblem() -> LayerProblem? {
    guard let weights = layer.weights else { return LayerProblem("sliced", "the layer has no weights") }
    let width = max(1, min(layer.columns, LayerCheck.share / max(1, layer.rows)))
    for start in stride(from: 0, to: layer.columns, by: width) {
      let outputs = start..<min(start + width, layer.columns)
      var decoded = [Int64](repeating: -layer.offset, count: layer.rows * outputs.count)
      for block in layer.blocks { block.decode(outputs, into: &decoded) }
      if let (i, o) = weights.data.firstDifference(from: decoded, outputs, columns: layer.columns) {
        let (found, weight) = (
          decoded[i * outputs.count + o - outputs.lowerBound], weights.integer(i * layer.columns + o)
        )
        return LayerProblem("decode", "the cells of (\(i), \(o)) decode to \(found), the weight is \(weight)")
      }
    }
    return nil
  }

  private static var share: Int { 1 << 22 }

  /// F-partitioned: every block fits the crossbar and has units that fit it; the layer has converters.
  private func partitionedProblem() -> LayerProblem? {
    guard let machine else { return LayerProblem("partitioned", "the module names no machine") }
    guard layer.dacBits != nil, layer.adcBits != nil else {
      return LayerProblem("partitioned", "the layer has no dac or adc bits")
    }
    if let bits = layer.cellBits, bits > machine.array.cellBits {
      return LayerProblem(
        "partitioned", "the layer uses \(bits)-bit cells, the machine has \(machine.array.cellBits)")
    }
    for (place, block) in layer.blocks.enumerated() {
      guard let units = block.units else {
        return LayerProblem("partitioned", "a block has no units", block: place)
      }
      guard block.rows.count <= machine.array.rows, block.columns.count <= machine.array.columns,
        !block.rows.isEmpty, !block.columns.isEmpty
      else {
        return LayerProblem(
          "partitioned", "a block of \(block.rows.count)x\(block.columns.count) does not fit a crossbar",
          block: place)
      }
      guard units.height <= machine.array.rows, units.width <= machine.array.columns else {
        return LayerProblem("partitioned", "\(units) is larger than a crossbar", block: place)
      }
    }
    return nil
  }

  /// F-placed: every block lies inside a crossbar, and no two overlap.
  private func placedProblem(_ placed: inout PlacedBlocks) -> LayerProblem? {
    guard let array = machine?.array else { return LayerProblem("placed", "the module names no machine") }
    for (place, block) in layer.blocks.enumerated() {
      guard let crossbar = block.crossbar, let corner = block.corner, corner.count == 2,
        corner[0] >= 0, corner[1] >= 0, corner[0] < array.rows, corner[1] < array.columns,
        corner[0] + block.rows.count <= array.rows, corner[1] + block.columns.count <= array.columns
      else { return LayerProblem("placed", "a block has no place inside a crossbar", block: place) }
      let area = PlacedBlocks.Area(
        top: corner[0], left: corner[1], bottom: corner[0] + block.rows.count,
        right: corner[1] + block.columns.count)
      guard placed.add(area, to: crossbar) else {
        return LayerProblem("placed", "two blocks overlap in crossbar \(crossbar)", block: place)
      }
    }
    return nil
  }
}

extension BlockView {
  /// Adds what the cells stand for, `factor` times, to `matrix`, row-major with `columns` columns: those of the wordlines
  /// `lines`, or all.
  public func decode(
    _ lines: [Int]? = nil, times factor: Int64 = 1, into matrix: inout [Int64], columns width: Int
  ) {
    for r in lines ?? Array(rows.indices) {
      let row = rows[r]
      for (c, column) in columns.enumerated() {
        let level = Int64(cells[r * columns.count + c])
        if level == 0 { continue }
        let value = factor * level << Int64(column.shift + row.shift)
        matrix[row.input * width + column.output] += column.negative ? -value : value
      }
    }
  }
}

extension BlockView {
  /// Adds what the cells of `outputs` stand for to `share`, the columns `outputs` of the matrix, row-major.
  fileprivate func decode(_ outputs: Range<Int>, into share: inout [Int64]) {
    let lanes = columns.indices.filter { outputs.contains(columns[$0].output) }
    if lanes.isEmpty { return }
    let targets = lanes.map { columns[$0].output - outputs.lowerBound }
    let (shifts, signs) = (lanes.map { Int64(columns[$0].shift) }, lanes.map { columns[$0].negative })
    cells.withUnsafeBufferPointer { cells in
      for (r, row) in rows.enumerated() {
        let (source, target) = (r * columns.count, row.input * outputs.count)
        for (k, lane) in lanes.enumerated() {
          let level = Int64(cells[source + lane])
          if level == 0 { continue }
          let value = level << (shifts[k] + Int64(row.shift))
          share[target + targets[k]] += signs[k] ? -value : value
        }
      }
    }
  }
}

extension TensorData {
  /// The first place `(i, o)` where the matrix differs from `decoded`, which holds the columns `outputs` of it.
  fileprivate func firstDifference(
    from decoded: [Int64], _ outputs: Range<Int>, columns: Int
  ) -> (Int, Int)? {
    switch self {
    case .i8(let values): return difference(values, decoded, outputs, columns)
    case .i16(let values): return difference(values, decoded, outputs, columns)
    case .i64(let values): return difference(values, decoded, outputs, columns)
    default: return difference(Tensor([count], self).integers, decoded, outputs, columns)
    }
  }

  private func difference<T: FixedWidthInteger>(
    _ values: [T], _ decoded: [Int64], _ outputs: Range<Int>, _ columns: Int
  ) -> (Int, Int)? {
    for row in 0..<values.count / max(1, columns) {
      let (source, target) = (row * columns, row * outputs.count - outputs.lowerBound)
      for output in outputs where Int64(values[source + output]) != decoded[target + output] {
        return (row, output)
      }
    }
    return nil
  }
}
