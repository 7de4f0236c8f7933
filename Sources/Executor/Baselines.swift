public import DeviceModel
public import Hardware
import Mapping
public import ProgramFormat
public import Support
import Tensors

/// What the dense mapping of a program's matrices would do for the inputs of a run.
///
/// The matrix of a layer, its inputs by its logical columns, is cut into crossbars from the first wordline and bitline
/// on; every piece has a crossbar of its own and fixed units counted from its corner. Wordlines are not shifted, and
/// there are no index tables. Saturations are not counted, as they need the cells.
public struct Baseline: Equatable, Sendable {
  /// A layer in a baseline.
  public struct LayerEvents: Equatable, Sendable {
    /// The layer's name.
    public let name: String
    /// Crossbars that its matrix takes.
    public let crossbars: Int
    /// Its events over all samples; those of `store` are the run's, as no mapping changes them.
    public let events: Events
    /// What they cost.
    public let cost: Cost
  }

  /// `dense` or `idealized`.
  public let name: String
  /// The machine that it is counted and costed for.
  public let machine: Machine
  /// One for each layer, in the order of the program.
  public let layers: [LayerEvents]
  /// Events of everything, digital operators and memory outside of the chip included, which are the run's.
  public let total: Events
  /// What everything costs.
  public let totalCost: Cost

  /// Crossbars of all layers.
  public var crossbars: Int { layers.reduce(0) { $0 + $1.crossbars } }
}

extension RunResult {
  /// The baselines of a run of `program`, none where a layer does not tell its column layout:
  ///
  /// - `dense`: the program's machine with its operation units and converters, or narrower ones where these convert
  /// every
  ///   bitline without loss;
  /// - `idealized`: the target `isaac` with operands as wide as those of the program's machine; a unit is the whole
  ///   crossbar.
  ///
  /// Wordline drivers are as wide as each layer's. Throws what reading the target throws.
  public func baselines(of program: Program) throws(Diagnostic) -> [Baseline] {
    guard program.layers.allSatisfy({ !$0.coding.columnLayout.isEmpty }) else { return [] }
    var ideal = try Machine.target(named: "isaac")
    ideal.array.unitHeight = ideal.array.rows
    ideal.array.unitWidth = ideal.array.columns
    ideal.operands = program.machine.operands
    return [
      baseline(named: "dense", program, program.machine), baseline(named: "idealized", program, ideal),
    ]
  }

  private func baseline(named name: String, _ program: Program, _ machine: Machine) -> Baseline {
    var total = digital
    var totalCost = cost(of: digital, machine: machine)
    let windows = program.loadedWindows()
    let entries = zip(layers, program.layers).enumerated().map { number, pair in
      let (result, layer) = pair
      let mapping = DenseMapping(layer, machine, windows[number], samples: samples)
      let events = mapping.events(result, layer)
      let cost = cost(of: events, machine: machine, adcBits: mapping.adcBits)
      total += events
      totalCost += cost
      return Baseline.LayerEvents(
        name: result.name, crossbars: mapping.crossbars, events: events, cost: cost)
    }
    return Baseline(name: name, machine: machine, layers: entries, total: total, totalCost: totalCost)
  }
}

/// A layer's matrix cut into crossbars of a machine.
private struct DenseMapping {
  private let wordlines: CutSide
  private let bitlines: CutSide
  private let pipelineCycles: Int
  private let machine: Machine
  private let windows: [(window: Window, entries: Int)]
  private let samples: Int
  private var memory: MemorySystem? { machine.memory }
  /// Bits of the converters: the machine's, unless fewer lose nothing.
  let adcBits: Int

  init(
    _ layer: Layer, _ machine: Machine, _ windows: [(window: Window, entries: Int)], samples: Int
  ) {
    wordlines = CutSide(layer.rows, piece: machine.array.rows, unit: machine.array.unitHeight)
    bitlines = CutSide(
      layer.coding.columnLayout.count, piece: machine.array.columns, unit: machine.array.unitWidth)
    pipelineCycles = machine.timing.pipelineCycles
    self.machine = machine
    self.windows = windows
    self.samples = samples
    let array = machine.array
    adcBits = min(array.adcBits, losslessBits(array.unitHeight, cell: array.cellBits, dac: layer.dacBits))
  }

  var crossbars: Int { wordlines.pieces * bitlines.pieces }

  /// Where a layer's fetches are planned, the dense mapping fetches all inputs of a position, buffer by buffer, before
  /// it computes them.
  private func addFetches(_ run: LayerResult, _ layer: Layer, to events: inout Events) {
    guard layer.fetch != nil, let memory else { return }
    let digits = layer.inputs.passes * ceilDivide(layer.inputs.magnitudeBits, layer.dacBits)
    var pipeline = BufferPipeline(.serial)
    for first in stride(from: 0, to: wordlines.length, by: machine.array.rows) {
      let values = min(machine.array.rows, wordlines.length - first)
      let activations = digits * ceilDivide(values, machine.array.unitHeight) * bitlines.largestUnits
      pipeline.add(
        fetch: ceilDivide(values, memory.valuesPerClock), compute: computeClocks(activations, machine, memory)
      )
    }
    events.cycles = 0
    events.bufferFills = run.events.positions &* wordlines.pieces
    events.inputFetches.buffer = run.events.positions &* wordlines.length
    events.clocks = run.events.positions &* pipeline.end
    events.stallClocks = run.events.positions &* pipeline.stalls
  }

  /// The events of `layer` for the inputs of `run`.
  func events(_ run: LayerResult, _ layer: Layer) -> Events {
    let digits = ceilDivide(layer.inputs.magnitudeBits, layer.dacBits)
    let passes = run.events.positions &* layer.inputs.passes
    var events = Events()
    events.positions = run.events.positions
    events.ouActivations = passes &* digits &* wordlines.units &* bitlines.units
    events.cycles = passes &* (digits &* wordlines.largestUnits &* bitlines.largestUnits + pipelineCycles)
    events.adcConversions = passes &* digits &* wordlines.units &* bitlines.length
    events.shiftAdds = events.adcConversions
    events.wordlineDrives = run.inputDigits &* bitlines.units
    events.cellReads = run.inputDigits &* bitlines.length
    events.inputFetches.buffer = run.events.positions &* wordlines.length &* bitlines.pieces
    events.inputFetches.sram = run.events.positions &* layer.rows
    // All channels are loaded, whatever the run left out.
    events.bufferBits =
      run.events.bufferBits &+ (events.inputFetches.sram &- run.events.inputFetches.sram) &* layer.inputs.bits
    events.outputWrites = run.events.outputWrites
    addFetches(run, layer, to: &events)
    for (window, entries) in windows {
      events.add(
        outsideReads(layer, machine, window, channels: window.channelCount), times: samples &* entries)
    }
    events.dramWrites = run.events.dramWrites
    return events
  }
}

/// Wordlines or bitlines of a matrix, cut into pieces that begin with a new unit.
private struct CutSide {
  let length: Int
  /// Pieces of at most a crossbar's side.
  let pieces: Int
  /// Units of all pieces.
  let units: Int
  /// Units of the largest piece.
  let largestUnits: Int

  init(_ length: Int, piece: Int, unit: Int) {
    self.length = length
    pieces = ceilDivide(length, piece)
    let last = length - (pieces - 1) * piece
    units = (pieces - 1) * ceilDivide(piece, unit) + ceilDivide(last, unit)
    largestUnits = ceilDivide(min(length, piece), unit)
  }
}
