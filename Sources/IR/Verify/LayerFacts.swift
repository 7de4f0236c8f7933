public import Hardware
public import Mapping
public import Support

/// What is wrong with a layer at crossbar level that no operation describes, if `facts` are to hold of it; nil for a
/// valid one.
///
/// Where `decoded` is false its cells are known to decode to its weights: they are those of a layer that was checked.
public func verify(
  _ layer: Layer, facts: Set<Fact>, machine: Machine?, decoded: Bool = true
) -> Diagnostic? {
  let check = FactCheck(layer, machine: machine)
  let found =
    layer.problem(at: .module, on: machine).map { FactProblem($0) }
    ?? facts.sorted().lazy.compactMap { check.problem(of: $0, decoded) }.first
  return found.map {
    Diagnostic("verify.\($0.id)", $0.message, at: Location(.item("@\(layer.name)")))
  }
}

extension Verifier {
  /// Checks what `fact` says of layers and blocks.
  mutating func checkLayers(_ fact: Fact) {
    if L.name == .tensor { return fail(fact.rawValue, "a tensor module has no layers") }
    let needsMachine = fact == .placed || fact == .partitioned
    if needsMachine && module.machine == nil { return fail(fact.rawValue, "the module names no machine") }
    // S11 holds here: every layer can be read.
    let layers = module.layers
    var placed = PlacedBlocks()
    for (id, layer) in layers {
      let check = FactCheck(layer, machine: module.machine)
      guard let problem = check.problem(of: fact, placed: &placed) else { continue }
      fail(problem, module.ops[id])
      if fact == .placed { return }
    }
    switch fact {
    case .scheduled: checkSegments()
    case .placed: checkCrossbarNumbers(layers)
    case .shaped, .calibrated, .quantized, .sliced, .partitioned: return
    }
  }

  /// F-placed: the crossbars of all blocks are numbered from 0 without gaps.
  private mutating func checkCrossbarNumbers(_ layers: [(id: OpID, layer: Layer)]) {
    let used = Set(layers.flatMap { $0.layer.blocks.compactMap(\.placement?.crossbar) })
    guard let highest = used.max(), highest >= used.count else { return }
    let gap = (0...used.count).first { !used.contains($0) } ?? 0
    let message = "'crossbar': \(highest), but no block lies in crossbar \(gap)"
    for (id, layer) in layers {
      let place = layer.blocks.firstIndex { $0.placement?.crossbar == highest }
      guard let place else { continue }
      return fail(FactProblem("placed", message, block: place), module.ops[id])
    }
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

/// Why a fact does not hold of a layer.
struct FactProblem {
  let id: String
  let message: String
  /// The block's place in the layer; nil where it is the layer.
  var block: Int?

  init(_ id: String, _ message: String, block: Int? = nil) {
    self.id = id
    self.message = message
    self.block = block
  }

  init(_ problem: LayerProblem) {
    self.init(problem.fault.rawValue, problem.text, block: problem.block)
  }
}

extension Verifier {
  /// Adds a problem of the layer that `op` describes.
  mutating func fail(_ problem: FactProblem, _ op: Op) {
    let place = problem.block.flatMap { op.body.indices.contains($0) ? module.ops[op.body[$0]] : nil }
    fail(problem.id, problem.message, place ?? op)
  }
}

/// What facts say of one layer.
struct FactCheck {
  let layer: Layer
  let machine: Machine?

  init(_ layer: Layer, machine: Machine?) {
    self.layer = layer
    self.machine = machine
  }

  /// What speaks against `fact`, the layer alone.
  func problem(of fact: Fact, _ decoded: Bool) -> FactProblem? {
    if fact == .sliced { return slicedProblem(decoded) }
    var placed = PlacedBlocks()
    return problem(of: fact, placed: &placed)
  }

  /// What speaks against `fact`; `placed` are the blocks of the layers before it.
  func problem(of fact: Fact, placed: inout PlacedBlocks) -> FactProblem? {
    switch fact {
    case .shaped, .calibrated, .quantized: return nil
    case .sliced: return slicedProblem(true)
    case .partitioned: return partitionedProblem()
    case .placed: return placedProblem(&placed)
    case .scheduled: return layer.stage == nil ? FactProblem("scheduled", "the layer has no stage") : nil
    }
  }

  /// F-sliced: levels below 2^cellBits, and the decode invariant: for all (i, o) the sum of
  /// `sign * 2^(k + s) * cell` equals `W[i][o] + offset`.
  private func slicedProblem(_ decoded: Bool) -> FactProblem? {
    guard let bits = layer.coding.cellBits, layer.coding.signs != nil else {
      return FactProblem("sliced", "the layer has no encoding or no cell bits")
    }
    guard decoded else { return nil }
    for block in layer.blocks {
      if let high = block.cells.max(), Int(high) >> bits != 0 {
        return FactProblem("sliced", "a cell holds level \(high), a cell has \(bits) bits")
      }
    }
    return layer.decodeProblem().map { FactProblem($0) }
  }

  /// F-partitioned: every block fits the crossbar and has units that fit it; the layer has converters.
  private func partitionedProblem() -> FactProblem? {
    guard let machine else { return FactProblem("partitioned", "the module names no machine") }
    guard layer.readout != nil else {
      return FactProblem("partitioned", "the layer has no dac or adc bits")
    }
    if let bits = layer.coding.cellBits, bits > machine.array.cellBits {
      return FactProblem(
        "partitioned", "the layer uses \(bits)-bit cells, the machine has \(machine.array.cellBits)")
    }
    for (place, block) in layer.blocks.enumerated() {
      guard let units = block.units else {
        return FactProblem("partitioned", "a block has no units", block: place)
      }
      guard block.rows.count <= machine.array.rows, block.columns.count <= machine.array.columns,
        !block.rows.isEmpty, !block.columns.isEmpty
      else {
        return FactProblem(
          "partitioned", "a block of \(block.rows.count)x\(block.columns.count) does not fit a crossbar",
          block: place)
      }
      guard units.height <= machine.array.rows, units.width <= machine.array.columns else {
        return FactProblem("partitioned", "\(units) is larger than a crossbar", block: place)
      }
    }
    return nil
  }

  /// F-placed: every block lies inside a crossbar, and no two overlap.
  private func placedProblem(_ placed: inout PlacedBlocks) -> FactProblem? {
    guard let array = machine?.array else { return FactProblem("placed", "the module names no machine") }
    for (place, block) in layer.blocks.enumerated() {
      guard let origin = block.placement, origin.crossbar >= 0, origin.row >= 0, origin.column >= 0,
        origin.row + block.rows.count <= array.rows, origin.column + block.columns.count <= array.columns
      else { return FactProblem("placed", "a block has no place inside a crossbar", block: place) }
      let crossbar = origin.crossbar
      let area = PlacedBlocks.Area(
        top: origin.row, left: origin.column, bottom: origin.row + block.rows.count,
        right: origin.column + block.columns.count)
      guard placed.add(area, to: crossbar) else {
        return FactProblem("placed", "two blocks overlap in crossbar \(crossbar)", block: place)
      }
    }
    return nil
  }
}
