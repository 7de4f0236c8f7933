import Hardware
import Mapping
import Support

/// Checks every layer by itself (`Layer.problem`), and what they have together.
func checkLayers(_ program: Program) throws(Issue) {
  guard program.layers.count <= ProgramLimits.layers else {
    throw Issue(.limit, "\(program.layers.count) layers, limit \(ProgramLimits.layers)", .layer(0))
  }
  var totals = LayerTotals()
  for (index, layer) in program.layers.enumerated() {
    try check(layer, index, program.machine)
    try totals.add(layer, index)
    for (place, block) in layer.blocks.enumerated()
    where !program.crossbars.indices.contains(block.crossbar) {
      throw Issue(.index, "there is no crossbar \(block.crossbar)", .block(layer: index, place))
    }
  }
  try checkOverlaps(program.layers, crossbars: program.crossbars.count, program.machine.array)
}

/// What all layers of a program have together, layer by layer.
struct LayerTotals {
  private var rows = 0
  private var columns = 0
  private(set) var blocks = 0
  private var names: Set<String> = []

  /// Adds a layer; throws where there is too much of something then.
  mutating func add(_ layer: Layer, _ index: Int) throws(Issue) {
    rows += layer.rows
    columns += layer.columns
    blocks += layer.blocks.count
    guard max(rows, columns) <= ProgramLimits.layerSides else {
      throw Issue(
        .limit, "layers have more than \(ProgramLimits.layerSides) inputs or outputs in all", .layer(index))
    }
    guard blocks <= ProgramLimits.blocks else {
      throw Issue(.limit, "\(blocks) blocks, limit \(ProgramLimits.blocks)", .layer(index))
    }
    guard names.insert(layer.name).inserted else {
      throw Issue(.name, "the name '\(layer.name)' is given twice", .layer(index))
    }
  }
}

/// Checks layer number `index` by itself.
func check(_ layer: Layer, _ index: Int, _ machine: Machine) throws(Issue) {
  try checkName(layer.name, .layer(index))
  guard let problem = layer.problem(at: .program, on: machine) else { return }
  throw Issue(
    ProgramFault(problem.fault), problem.text,
    problem.block.map { .block(layer: index, $0) } ?? .layer(index))
}

/// Refuses two blocks that share a cell; all of them lie in `crossbars` crossbars from number `first` on. The layers
/// are numbered from `number` on.
func checkOverlaps(
  _ layers: [Layer], crossbars: Int, _ array: ArrayDescription, first: Int = 0, number: Int = 0
) throws(Issue) {
  var groups = [[(part: ProgramPart, block: Block)]](repeating: [], count: crossbars)
  for (index, layer) in layers.enumerated() {
    for (place, block) in layer.blocks.enumerated() {
      groups[block.crossbar - first].append((.block(layer: number + index, place), block))
    }
  }
  for group in groups where group.count > 1 {
    let blocks = group.map(\.block)
    let overlap = group.count <= 16 ? pairwiseOverlap(blocks) : paintedOverlap(blocks, array)
    if let index = overlap {
      throw Issue(
        .blockOverlap, "shares cells of crossbar \(blocks[index].crossbar) with another block",
        group[index].part)
    }
  }
}

private func pairwiseOverlap(_ blocks: [Block]) -> Int? {
  for (place, b) in blocks.enumerated() {
    for a in blocks.prefix(place) {
      if a.row < b.row + b.rows.count, b.row < a.row + a.rows.count,
        a.column < b.column + b.columns.count, b.column < a.column + a.columns.count
      {
        return place
      }
    }
  }
  return nil
}

/// Marks the cells of one block after the other; needs no more steps than the crossbar has cells.
private func paintedOverlap(_ blocks: [Block], _ array: ArrayDescription) -> Int? {
  var taken = [Bool](repeating: false, count: array.rows * array.columns)
  for (index, block) in blocks.enumerated() {
    for row in block.row..<block.row + block.rows.count {
      let first = row * array.columns + block.column
      for cell in first..<first + block.columns.count {
        if taken[cell] { return index }
        taken[cell] = true
      }
    }
  }
  return nil
}
