import Hardware
public import IR
public import Mapping
public import ProgramFormat
public import Support

/// The only path from placed layers to a program: each layer is taken apart into maps and the images of its crossbars,
/// which go to a sink as they come: a file, bytes, or a program in memory.
public struct LayerEmitter<Sink: ProgramSink> {
  private var sink: Sink
  private let array: ArrayDescription
  private let threads: Int
  /// Layers that share crossbars with layers to come.
  private var held: [Layer] = []
  /// Crossbars of the layers that went to the sink.
  private var crossbars = 0

  /// Starts the program of `module`, whose layers are emitted in their order; `sink` takes it up without its layers.
  ///
  /// Throws `lower-to-program.*`, `codegen.*` and what the sink throws.
  public init(
    _ module: Module<CrossbarLevel>, threads: Int = 1, sink: (Program) throws(Diagnostic) -> Sink
  ) throws(Diagnostic) {
    let names = module.body.compactMap { id in
      module.ops[id].opcode == .layer ? module.ops[id].symbol : nil
    }
    let program = try emitCode(try lowerCode(of: module), layers: names)
    array = program.machine.array
    self.threads = threads
    self.sink = try sink(program)
  }

  /// Emits the next layer, which is placed and has its cells. It is held back while the crossbars so far have gaps, and
  /// where `isShared` says that layers to come lie in them too.
  ///
  /// Throws what `validate(_:)` throws of layers.
  public mutating func emit(_ layer: Layer, isShared: Bool = false) throws(Diagnostic) {
    held.append(layer)
    if isShared { return }
    var used: Set<Int> = []
    for layer in held { for block in layer.blocks { used.insert(block.crossbar) } }
    guard used.allSatisfy({ crossbars..<crossbars + used.count ~= $0 }) else { return }
    let images = CrossbarImages(of: held, crossbars..<crossbars + used.count, array)
    let layers = held.map(\.programmed)
    held = []
    try sink.append(layers, crossbars: used.count, threads: threads) { images[$0] }
    crossbars += used.count
  }

  /// Ends the program; `segments` are those of layers by name, where they are decided after the last layer.
  ///
  /// Throws `lower-to-program.crossbars` where numbers of crossbars are left out, and what `validate(_:)` throws.
  public mutating func finish(segments: [String: Int] = [:]) throws(Diagnostic) -> Sink.Output {
    guard held.isEmpty else {
      let highest = held.flatMap { $0.blocks.map(\.crossbar) }.max() ?? 0
      throw Diagnostic(
        "lower-to-program.crossbars",
        "the numbers of the crossbars have gaps: the highest is \(highest)", notes: ["run place-blocks"])
    }
    return try sink.finish(segments: segments)
  }
}

/// The images of crossbars in which blocks lie.
private struct CrossbarImages: Sendable {
  private let residents: [[Block]]
  private let array: ArrayDescription

  init(of layers: [Layer], _ range: Range<Int>, _ array: ArrayDescription) {
    var residents = [[Block]](repeating: [], count: range.count)
    for layer in layers {
      for block in layer.blocks where range.contains(block.crossbar) {
        residents[block.crossbar - range.lowerBound].append(block)
      }
    }
    self.residents = residents
    self.array = array
  }

  /// The levels of a crossbar, numbered from 0 among those of the range; cells outside of blocks are 0.
  subscript(number: Int) -> [UInt8] {
    var image = [UInt8](repeating: 0, count: array.rows * array.columns)
    for block in residents[number] { block.write(into: &image, width: array.columns) }
    return image
  }
}

/// The program of a module whose layers are placed and scheduled.
///
/// Throws `lower-to-program.*` and what a program cannot hold.
public func program(of module: Module<CrossbarLevel>) throws(Diagnostic) -> Program {
  var layers: [Layer] = []
  for id in module.body where module.ops[id].opcode == .layer {
    guard let layer = module.layer(id) else {
      throw Diagnostic(
        "lower-to-program.layer", "the layer cannot be read", at: module.ops[id].location)
    }
    layers.append(layer)
  }
  var lastUse: [Int: Int] = [:]
  for (number, layer) in layers.enumerated() {
    for block in layer.blocks { lastUse[block.crossbar] = number }
  }
  var emitter = try LayerEmitter(module) { ProgramBuilder($0) }
  var open = -1
  for (number, layer) in layers.enumerated() {
    open = layer.blocks.reduce(open) { max($0, lastUse[$1.crossbar] ?? number) }
    try emitter.emit(layer, isShared: open > number)
  }
  return try emitter.finish()
}
