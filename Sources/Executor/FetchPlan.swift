import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support
import Tensors

/// How the inputs of a layer come through its input buffers: one buffer for each set of wordlines that blocks share, in the
/// order of the blocks. Spec: ir-spec.md, *Fetching*.
struct FetchPlan: Sendable {
  /// A buffer: the inputs of neighboring wordlines.
  struct Buffer: Sendable {
    /// The inputs that it delivers.
    let inputs: [Int32]
    /// The crossbar of the first block that it feeds.
    let crossbar: Int
    /// Clocks to fill it and to check what enters.
    let fetch: Int
    /// Clocks on the crossbars: a cycle for each activation of the crossbar that has the most of them. The pipeline
    /// stays full from buffer to buffer.
    let compute: Int
    /// What the units of its blocks do in a position where they are computed: their counts.
    let computed: Events
  }

  let order: FetchOrder
  let buffers: [Buffer]
  /// Whether only inputs other than 0 are delivered: where sparsity masks select them.
  let selects: Bool

  /// Nil where the fetches of `layer` are not planned; `window` is what is loaded for it.
  init?(_ layer: Layer, _ program: Program, _ window: Window?) {
    guard let order = layer.fetch, let memory = program.machine.memory else { return nil }
    self.order = order
    selects = layer.hasMasks
    var rows: [[RowEntry]] = []
    var blocks: [[RowEntry]: [Block]] = [:]
    for block in layer.blocks {
      if blocks[block.rows] == nil { rows.append(block.rows) }
      blocks[block.rows, default: []].append(block)
    }
    let tile = window.map { $0.kernelHeight * $0.kernelWidth } ?? layer.rows
    let entering = layer.hasMasks ? FetchPlan.entering(rows, tile: max(1, tile)) : rows.map(\.count)
    buffers = zip(rows, entering).map { rows, entering in
      let fed = blocks[rows] ?? []
      var (computed, activations) = (Events(), [Int: Int]())
      for block in fed {
        let events = eventsOfFixedUnits(block, layer)
        computed.add(events, times: layer.inputs.passes)
        activations[block.crossbar, default: 0] += layer.inputs.passes * events.ouActivations
      }
      return Buffer(
        inputs: rows.map { Int32(truncatingIfNeeded: $0.input) }, crossbar: fed.first?.crossbar ?? 0,
        fetch: ceilDivide(entering, memory.valuesPerClock),
        compute: computeClocks(activations.values.max() ?? 0, program.machine, memory), computed: computed)
    }
  }

  /// How many values enter each buffer where sparsity masks select them: all values of the channels in use up to its
  /// last one, as the `tile` values of a channel come together and are checked one by one.
  private static func entering(_ rows: [[RowEntry]], tile: Int) -> [Int] {
    let isFetched = Set(rows.joined().map { $0.input / tile })
    var next = 0
    var counts = rows.map { rows in
      let end = (rows.map(\.input).max() ?? 0) + 1
      defer { next = max(next, end) }
      return (min(next, end)..<end).reduce(0) { $0 + (isFetched.contains($1 / tile) ? 1 : 0) }
    }
    // The rest of the last channel.
    if let last = counts.indices.last, next > 0 { counts[last] += (tile - next % tile) % tile }
    return counts
  }
}

/// What a layer whose fetches are planned reads from memory outside of the chip for a sample, and the clocks of it, a
/// buffer's bytes in an access: the image that `window` walks over, without the channels that sparsity masks leave out;
/// where that does not fit the SRAM, the values of every window.
func outsideReads(_ layer: Layer, _ program: Program, _ window: Window) -> Events {
  outsideReads(layer, program.machine, window, channels: program.channelsInUse(of: layer, window))
}

/// The same for a number of channels.
func outsideReads(_ layer: Layer, _ machine: Machine, _ window: Window, channels: Int) -> Events {
  var events = Events()
  guard layer.fetch != nil, let memory = machine.memory else { return events }
  let image = window.batch * channels * window.height * window.width
  let windows = window.batch * window.outHeight * window.outWidth
  let values =
    ceilDivide(image * layer.inputs.bits, 8) <= memory.sramBytes
    ? image : windows * channels * window.kernelHeight * window.kernelWidth
  let accesses = ceilDivide(ceilDivide(values * layer.inputs.bits, 8), memory.bufferBytes)
  events.inputFetches.dram = values
  events.clocks = memory.clocks(in: Double(accesses) * memory.dramLatencyNanoseconds)
  return events
}

/// Clocks of the memories in which a crossbar's units are activated `activations` times, one after the other.
func computeClocks(_ activations: Int, _ machine: Machine, _ memory: MemorySystem) -> Int {
  memory.clocks(in: Double(activations) * machine.timing.cycleNanoseconds)
}

extension Program {
  /// Channels of `window` that `layer` needs: all, unless its sparsity masks leave some out.
  func channelsInUse(of layer: Layer, _ window: Window) -> Int {
    guard layer.hasMasks else { return window.channelCount }
    let tile = max(1, window.kernelHeight * window.kernelWidth)
    return Set(layer.masks.usedInputs.map { $0 / tile }).count
  }

  /// What is loaded for each layer, in the order of the instructions, with how often the loop that walks over its
  /// windows is entered for a sample.
  func loadedWindows() -> [[(window: Window, entries: Int)]] {
    var windows = [[(window: Window, entries: Int)]](repeating: [], count: layers.count)
    func visit(_ body: [Instruction], times: Int, entries: Int) {
      for (index, instruction) in body.enumerated() {
        switch instruction.operation {
        case .loop(let rounds, let inner): visit(inner, times: times &* rounds, entries: times)
        case .load(let register, _, let window, _):
          guard let layer = layerDriven(by: register, in: body[(index + 1)...]) else { continue }
          windows[layer].append((window, entries))
        case .drive, .convert, .accumulate, .store, .scanSlice, .scanOutput, .digital: continue
        }
      }
    }
    visit(code, times: 1, entries: 1)
    return windows
  }
}

extension LayerRunner {
  /// Counts what the buffers of a layer whose fetches are planned deliver, and the clocks that it takes, position by
  /// position.
  mutating func countFetches(_ values: UnsafePointer<Int32>) {
    guard let fetch = plan.fetch else { return }
    for window in 0..<windows {
      var pipeline = BufferPipeline(fetch.order)
      var spans: [BufferSpan] = []
      for buffer in fetch.buffers {
        let delivered = fetch.selects ? buffer.nonzero(values + window * layer.rows) : buffer.inputs.count
        events.bufferFills &+= 1
        events.inputFetches.buffer &+= delivered
        let isEmpty = delivered == 0 && fetch.order == .doubleBuffered
        if isEmpty {
          events.skippedBuffers &+= 1
          events.add(buffer.computed, times: -1)
        }
        let span = pipeline.add(BufferWork(fetch: buffer.fetch, compute: buffer.compute, isEmpty: isEmpty))
        if recordsSpans { spans.append(span) }
      }
      if recordsSpans { positions.append(spans) }
      events.clocks &+= pipeline.end
      events.stallClocks &+= pipeline.stalls
    }
  }
}

extension FetchPlan.Buffer {
  /// How many of its inputs are not 0.
  fileprivate func nonzero(_ values: UnsafePointer<Int32>) -> Int {
    inputs.reduce(0) { $0 + (values[Int($1)] == 0 ? 0 : 1) }
  }
}
