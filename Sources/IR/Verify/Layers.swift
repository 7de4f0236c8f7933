import Hardware
import Support
import Tensors

/// Bounds of layers: within them no sum of what blocks decode to leaves 64 bits unnoticed.
private enum LayerLimits {
  static let inputBits = 1...32
  static let rowShift = 16
  static let columnShift = 24
  static let vectorBits = 1 << 20
  /// What an output can reach stays below 2 to this power.
  static let accumulatorBits = 62
}

/// Something wrong with a layer, or with one of its blocks.
struct LayerProblem {
  let id: String
  let message: String
  /// The block's place in the layer; nil where it is the layer.
  var block: Int?

  init(_ id: String, _ message: String, block: Int? = nil) {
    self.id = id
    self.message = message
    self.block = block
  }
}

extension Verifier {
  /// S11: the attributes of a layer and its blocks fit together.
  mutating func checkLayer(_ id: OpID, _ op: Op) {
    guard let layer = module.layer(id) else {
      return fail("layer", "the attributes of the layer or of its blocks do not fit together", op)
    }
    if let problem = LayerCheck(layer, machine: module.machine, level: L.name).structure() {
      fail(problem, op)
    }
  }

  /// Adds a problem of the layer that `op` spells.
  mutating func fail(_ problem: LayerProblem, _ op: Op) {
    let place = problem.block.flatMap { op.body.indices.contains($0) ? module.ops[op.body[$0]] : nil }
    fail(problem.id, problem.message, place ?? op)
  }
}

/// What must hold of a layer, whether operations spell it or not.
struct LayerCheck {
  let layer: LayerView
  let machine: Machine?
  let level: LevelName

  init(_ layer: LayerView, machine: Machine?, level: LevelName) {
    self.layer = layer
    self.machine = machine
    self.level = level
  }

  /// S11. Inputs are integers of 1 to 32 bits, signed ones of
  /// 2 at least; blocks have wordlines and bitlines; maps name inputs and outputs of the matrix, with shifts up to 16 (rows) and 24 (columns);
  /// natural bitlines are distinct; what has an index table ascends and fits its fields; composed bitlines come in whole
  /// groups, which no unit divides; blocks of a layer with vectors are runs of its lines in use. At crossbar level a layer has its weights, a block its cells, and no output can
  /// reach 2^62.
  func structure() -> LayerProblem? {
    guard case .integer(let bits, let signed) = layer.inputs, LayerLimits.inputBits ~= bits,
      bits > 1 || !signed
    else {
      return problem(
        "the inputs are integers of 1 to 32 bits, signed ones of at least 2, not \(layer.inputs)")
    }
    if let message = fetchProblem() { return problem(message) }
    if level == .crossbar && layer.weights == nil { return problem("the layer has no weights") }
    guard let numbering = numbering() else {
      return problem("a natural bitline stands twice, or names an output that the layer does not have")
    }
    for (place, block) in layer.blocks.enumerated() {
      if let message = message(of: block) ?? indexProblem(of: block, numbering) ?? groupProblem(of: block) {
        return problem(message, block: place)
      }
    }
    if layer.hasVectors {
      guard max(layer.rows, layer.columns) <= LayerLimits.vectorBits else {
        return problem("bit vectors have at most 2^20 bits each")
      }
      let runs = VectorRuns(layer.vectors)
      for (place, block) in layer.blocks.enumerated() {
        if let message = vectorProblem(of: block, runs) { return problem(message, block: place) }
      }
    }
    let isBounded = level != .crossbar || layer.staysInAccumulators
    return isBounded ? nil : problem("an output can reach 2^62")
  }

  private func problem(_ message: String, block: Int? = nil) -> LayerProblem {
    LayerProblem("layer", message, block: block)
  }

  private func numbering() -> BitlineNumbering? {
    guard
      layer.bitlines.allSatisfy({ 0..<layer.columns ~= $0.output && 0...LayerLimits.columnShift ~= $0.shift })
    else { return nil }
    return BitlineNumbering(layer.bitlines)
  }

  private func fetchProblem() -> String? {
    guard layer.fetch != nil else { return nil }
    if machine?.memory == nil { return "inputs are fetched, but the machine has no memories" }
    let isFixed = layer.blocks.allSatisfy { $0.units?.isFixed ?? true }
    return isFixed ? nil : "inputs are fetched for units that are formed at run time"
  }

  private func vectorProblem(of block: BlockView, _ runs: VectorRuns) -> String? {
    if block.rowIndex != nil || block.columnIndex != nil {
      return "a block has an index table beside the bit vectors of its layer"
    }
    if runs.start(of: block.rows) == nil {
      return "the wordlines are no neighbours among the inputs in use, unshifted, as the bit vectors ask for"
    }
    if runs.start(of: block.columns) == nil {
      return "the bitlines are no neighbours among those of the outputs in use, as the bit vectors ask for"
    }
    return nil
  }

  private func indexProblem(of block: BlockView, _ numbering: BitlineNumbering) -> String? {
    if let index = block.rowIndex {
      guard index.fields(of: block.rows.map(\.input)) != nil else {
        return "the inputs of the wordlines are no ascending numbers that \(index) can hold"
      }
    }
    if let index = block.columnIndex {
      guard let numbers = numbering.numbers(of: block.columns), index.fields(of: numbers) != nil else {
        return "the bitlines are no ascending numbers of natural bitlines that \(index) can hold"
      }
    }
    return nil
  }

  private func groupProblem(of block: BlockView) -> String? {
    let size = layer.composed
    guard block.columns.areGroups(of: size) else {
      return "the bitlines are no groups of \(size) neighbours with one output, one sign and growing shifts"
    }
    if let units = block.units, units.width % size != 0 {
      return "\(units) divides groups of \(size) bitlines"
    }
    return nil
  }

  private func message(of block: BlockView) -> String? {
    guard !block.rows.isEmpty, !block.columns.isEmpty else { return "a block has no wordline or no bitline" }
    guard block.rows.allSatisfy({ 0..<layer.rows ~= $0.input }),
      block.columns.allSatisfy({ 0..<layer.columns ~= $0.output })
    else { return "a block names an input or output that the layer does not have" }
    guard block.rows.allSatisfy({ 0...LayerLimits.rowShift ~= $0.shift }),
      block.columns.allSatisfy({ 0...LayerLimits.columnShift ~= $0.shift })
    else { return "a shift is above \(LayerLimits.rowShift) (rows) or \(LayerLimits.columnShift) (columns)" }
    let count = block.rows.count * block.columns.count
    if level == .crossbar && block.cells.count != count {
      return "a block has \(block.cells.count) cells, expected \(count)"
    }
    return nil
  }
}

extension LayerView {
  /// Whether no sum of an output, over the largest inputs and cells that are all full, reaches 2^62.
  var staysInAccumulators: Bool {
    func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }
    var reach = [Double](repeating: Double(offset) * Double(rows), count: columns)
    for block in blocks {
      let drive = block.rows.reduce(0) { $0 + power($1.shift) } * (power(cellBits ?? 8) - 1)
      for column in block.columns { reach[column.output] += drive * power(column.shift) }
    }
    let limit = power(LayerLimits.accumulatorBits - magnitudeBits)
    return reach.allSatisfy { $0 < limit }
  }
}
