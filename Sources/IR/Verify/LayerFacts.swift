import Hardware
import Support
import Tensors

extension Verifier {
  /// Checks what `fact` says of layers and blocks.
  mutating func checkLayers(_ fact: Fact) {
    if L.name == .tensor {
      found.append(Diagnostic("verify.\(fact.rawValue)", "a tensor module has no layers"))
      return
    }
    // S11 holds here: every layer can be read.
    let layers = module.layers.map { (op: module.ops[$0.id], layer: $0.layer) }
    switch fact {
    case .sliced: for (op, layer) in layers { checkSliced(layer, op) }
    case .partitioned: for (op, layer) in layers { checkPartitioned(layer, op) }
    case .placed: checkPlaced(layers)
    default:
      for (op, layer) in layers where layer.stage == nil { fail("scheduled", "the layer has no stage", op) }
    }
  }

  /// F-sliced: levels below 2^cellBits, and the decode invariant: for all (i, o) the sum of
  /// `sign * 2^(k + s) * cell` equals `W[i][o] + offset`.
  private mutating func checkSliced(_ layer: LayerView, _ op: Op) {
    guard let bits = layer.cellBits, layer.encoding != nil else {
      return fail("sliced", "the layer has no encoding or no cell bits", op)
    }
    for block in layer.blocks {
      if let high = block.cells.max(), Int(high) >> bits != 0 {
        return fail("sliced", "a cell holds level \(high), a cell has \(bits) bits", op)
      }
    }
    if L.name == .crossbar { checkDecode(layer, op) }
  }

  private mutating func checkDecode(_ layer: LayerView, _ op: Op) {
    guard let weights = layer.weights?.integers else { return fail("sliced", "the layer has no weights", op) }
    var decoded = [Int64](repeating: -layer.offset, count: layer.rows * layer.columns)
    for block in layer.blocks { block.decode(into: &decoded, columns: layer.columns) }
    if let at = decoded.indices.first(where: { decoded[$0] != weights[$0] }) {
      let (i, o) = (at / layer.columns, at % layer.columns)
      fail("decode", "the cells of (\(i), \(o)) decode to \(decoded[at]), the weight is \(weights[at])", op)
    }
  }

  /// F-partitioned: every block fits the crossbar and has units that fit it; the layer has converters.
  private mutating func checkPartitioned(_ layer: LayerView, _ op: Op) {
    guard let machine = module.machine else { return fail("partitioned", "the module names no machine", op) }
    guard layer.dacBits != nil, layer.adcBits != nil else {
      return fail("partitioned", "the layer has no dac or adc bits", op)
    }
    if let bits = layer.cellBits, bits > machine.array.cellBits {
      fail("partitioned", "the layer uses \(bits)-bit cells, the machine has \(machine.array.cellBits)", op)
    }
    for (block, id) in zip(layer.blocks, op.body) {
      let place = module.ops[id]
      guard let units = block.units else { return fail("partitioned", "a block has no units", place) }
      guard block.rows.count <= machine.array.rows, block.columns.count <= machine.array.columns,
        !block.rows.isEmpty, !block.columns.isEmpty
      else {
        return fail(
          "partitioned", "a block of \(block.rows.count)x\(block.columns.count) does not fit a crossbar",
          place)
      }
      guard units.height <= machine.array.rows, units.width <= machine.array.columns else {
        return fail("partitioned", "\(units) is larger than a crossbar", place)
      }
    }
  }

  /// F-placed: every block lies inside a crossbar, and no two overlap.
  private mutating func checkPlaced(_ layers: [(op: Op, layer: LayerView)]) {
    guard let machine = module.machine else {
      found.append(Diagnostic("verify.placed", "the module names no machine"))
      return
    }
    var placed: [Int: [(top: Int, left: Int, bottom: Int, right: Int)]] = [:]
    for (op, layer) in layers {
      for (block, id) in zip(layer.blocks, op.body) {
        guard let crossbar = block.crossbar, let corner = block.corner, corner.count == 2,
          corner[0] >= 0, corner[1] >= 0, corner[0] < machine.array.rows, corner[1] < machine.array.columns,
          corner[0] + block.rows.count <= machine.array.rows,
          corner[1] + block.columns.count <= machine.array.columns
        else { return fail("placed", "a block has no place inside a crossbar", module.ops[id]) }
        let area = (corner[0], corner[1], corner[0] + block.rows.count, corner[1] + block.columns.count)
        for other in placed[crossbar] ?? [] {
          if area.0 < other.bottom, other.top < area.2, area.1 < other.right, other.left < area.3 {
            return fail("placed", "two blocks overlap in crossbar \(crossbar)", module.ops[id])
          }
        }
        placed[crossbar, default: []].append(area)
      }
    }
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
