import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support
import Tensors

/// Runs the steps of a plan for a batch of samples in lockstep: all samples take the same steps.
final class BatchRunner {
  let plan: ExecutablePlan
  let capacity: Int
  private let recordsSpans: Bool
  private let memory: Memory
  var scratch = Scratch()
  private var areas: [AreaName: Memory] = [:]
  /// Samples of the current batch, and the number of the first one.
  private(set) var samples = 0
  private var firstSample = 0
  /// The trial of a device that is not ideal.
  private var trial: ProgrammedDevice?
  /// How often each driving instruction was executed in the current batch.
  private var visits: [Int]
  /// What depends on values, by layer.
  var counts: [LayerCounts]
  /// What became of the values of graph inputs.
  private(set) var inputCounts: [InputCounts]

  var program: Program { plan.program }

  /// Takes memory for up to `capacity` samples. `recordsSpans` keeps what happens to every input buffer.
  init(_ plan: ExecutablePlan, capacity: Int, recordsSpans: Bool = false) throws(Diagnostic) {
    self.plan = plan
    self.recordsSpans = recordsSpans
    self.capacity = capacity
    memory = try Memory(plan.bytesPerSample * capacity + Int(XBAR_BYTE_SLACK))
    counts = [LayerCounts](repeating: LayerCounts(), count: plan.layers.count)
    inputCounts = plan.program.inputs.map { InputCounts($0.name) }
    visits = [Int](repeating: 0, count: plan.sites)
  }

  /// Runs samples `range` of `inputs` (one array for each graph input); returns one array for each graph output.
  func run(_ inputs: [[Float]], _ range: Range<Int>, on trial: ProgrammedDevice? = nil) throws(Diagnostic)
    -> [[Float]]
  {
    samples = range.count
    firstSample = range.lowerBound
    self.trial = trial
    visits = [Int](repeating: 0, count: plan.sites)
    counts = [LayerCounts](repeating: LayerCounts(), count: plan.layers.count)
    inputCounts = program.inputs.map { InputCounts($0.name) }
    memory.base.initializeMemory(as: UInt8.self, repeating: 0, count: plan.bytesPerSample * capacity)
    try fillBuffers()
    for (index, (port, values)) in zip(program.inputs, inputs).enumerated() {
      let count = plan.places[port.buffer].count
      values.withUnsafeBufferPointer { values in
        guard let first = values.baseAddress else { return }
        elements(port.buffer, of: Float.self).update(
          from: first + range.lowerBound * count, count: samples * count)
        inputCounts[index].values = samples * count
        inputCounts[index].nans = values[range.lowerBound * count..<range.upperBound * count].count(
          where: \.isNaN)
      }
    }
    try run(plan.steps, round: 0)
    return program.outputs.map { port in
      let count = samples * plan.places[port.buffer].count
      return Array(UnsafeBufferPointer(start: elements(port.buffer, of: Float.self), count: count))
    }
  }

  /// Puts the initial numbers of buffers into every sample's copy.
  private func fillBuffers() throws(Diagnostic) {
    for (index, buffer) in program.buffers.enumerated() {
      guard let initial = buffer.initial, plan.places[index].size > 0 else { continue }
      for sample in 0..<samples { try write(initial, to: index, sample) }
    }
  }

  func elements<T>(_ buffer: Int, of type: T.Type) -> UnsafeMutablePointer<T> {
    (memory.base + plan.places[buffer].offset * capacity).assumingMemoryBound(to: type)
  }

  func bytes(_ buffer: Int) -> UnsafeMutableRawPointer {
    memory.base + plan.places[buffer].offset * capacity
  }

  private func results(_ layer: Int) -> UnsafeMutablePointer<Int64> {
    (memory.base + plan.resultOffsets[layer] * capacity).assumingMemoryBound(to: Int64.self)
  }

  private func run(_ steps: [Step], round: Int) throws(Diagnostic) {
    for step in steps {
      switch step {
      case .loop(let count, let body):
        for inner in 0..<count { try run(body, round: inner) }
      case .batchedLoop(let count, let body, let registers, let layers):
        try runBatched(count, body, registers, layers)
      case .product(let product): try runProduct(product)
      case .scanSlice(let register, let source, let parts): copyPart(parts, round, of: source, into: register)
      case .scanOutput(let destination, let register, let parts):
        copyPart(parts, round, of: destination, from: register)
      case .digital(let op, let inputs, let output, let origin):
        try runDigital(op, inputs, output, origin)
      case .load, .drive, .accumulate, .store:
        try run(step, Frame(count: samples, first: 0, rounds: 1, fixedRound: round))
      }
    }
  }

  /// One step for all members of `frame`; registers are those of the frame where it has any, else the buffers.
  private func run(_ step: Step, _ frame: Frame) throws(Diagnostic) {
    switch step {
    case .load(let register, let source, let window, let padding):
      load(register, source, window, padding, frame)
    case .drive(let register, let layer, let site):
      let values = frame.registers[register] ?? bytes(register)
      try drive(values, plan.places[register], layer, site, frame)
      if frame.fixedRound != nil { visits[site] += 1 }
    case .accumulate(let register, let layer):
      let source = frame.results[layer] ?? results(layer)
      let target = (frame.registers[register] ?? bytes(register)).assumingMemoryBound(to: Int64.self)
      target.update(from: source, count: frame.count * program.layers[layer].columns)
    case .store(let destination, let register, let layout):
      store(destination, register, layout, frame)
    case .loop, .batchedLoop, .product, .scanSlice, .scanOutput, .digital: return
    }
  }
}

/// What rounds that are computed together need memory for.
private enum AreaName: Hashable {
  case register(Int)
  case results(Int)
}

/// What a layer did as far as it depends on values.
struct LayerCounts: Sendable {
  var events = Events()
  /// Digits of the inputs that are not 0, in all passes.
  var inputDigits = 0
  /// How codes differ from those of an ideal device.
  var partialSums = PartialSumErrors()
  /// What happened to the buffers of each position; only where spans are recorded.
  var positions: [[BufferSpan]] = []
}

/// Pairs of a sample and a round that are computed together.
struct Frame {
  let count: Int
  /// Number of the first pair: sample times rounds and round.
  let first: Int
  let rounds: Int
  /// The round of all pairs, where they are as many as samples.
  let fixedRound: Int?
  /// Where registers lie that are not kept in the buffers.
  var registers: [Int: UnsafeMutableRawPointer] = [:]
  /// Where results of layers lie that are not kept with the buffers.
  var results: [Int: UnsafeMutablePointer<Int64>] = [:]

  init(count: Int, first: Int, rounds: Int, fixedRound: Int?) {
    self.count = count
    self.first = first
    self.rounds = rounds
    self.fixedRound = fixedRound
  }

  /// The sample and the round of member `index`.
  func pair(_ index: Int) -> (sample: Int, round: Int) {
    if let fixedRound { return (index, fixedRound) }
    return ((first + index) / rounds, (first + index) % rounds)
  }
}

// MARK: - Loops whose rounds are computed together

extension BatchRunner {
  private func runBatched(
    _ count: Int, _ body: [Step], _ registers: [Int], _ layers: [Int]
  ) throws(Diagnostic) {
    let rowBytes =
      registers.reduce(0) { $0 + plan.places[$1].bytes }
      + layers.reduce(0) { $0 + 8 * program.layers[$1].columns }
    let extra = layers.map { bytesPerWindow(plan.layers[$0]) }.max() ?? 0
    let total = samples * count
    let step = min(total, max(1, min(2048, (1 << 19) / max(1, rowBytes + extra))))
    var frame = Frame(count: step, first: 0, rounds: count, fixedRound: nil)
    for register in registers {
      frame.registers[register] = try area(.register(register), step * plan.places[register].bytes)
    }
    for layer in layers {
      let area = try area(.results(layer), step * 8 * program.layers[layer].columns)
      frame.results[layer] = area.assumingMemoryBound(to: Int64.self)
    }
    for first in stride(from: 0, to: total, by: step) {
      var part = Frame(count: min(step, total - first), first: first, rounds: count, fixedRound: nil)
      part.registers = frame.registers
      part.results = frame.results
      for step in body { try run(step, part) }
      keepLastRound(part, registers)
    }
    for case .drive(_, _, let site) in body { visits[site] += count }
  }

  /// At least `count` bytes for the rounds that are computed together; kept for the next time.
  private func area(_ name: AreaName, _ count: Int) throws(Diagnostic) -> UnsafeMutableRawPointer {
    if let found = areas[name], found.count >= count { return found.base }
    let area = try Memory(count)
    areas[name] = area
    return area.base
  }

  /// Bytes that the kernels of a layer's patterns need for a window. What panels need does not grow with the windows.
  private func bytesPerWindow(_ layer: LayerPlan) -> Int {
    let largest = layer.patterns.map { pattern -> Int in
      switch pattern.method {
      case .nibbles, .steps: return pattern.digits * pattern.slots.count / 4 + 256
      case .listed, .composed: return 512
      case .bits, .cells: return 0
      }
    }
    return largest.max() ?? 0
  }

  /// Leaves the registers of each sample's last round in the buffers, as rounds one after the other would.
  private func keepLastRound(_ frame: Frame, _ registers: [Int]) {
    for index in 0..<frame.count {
      let (sample, round) = frame.pair(index)
      guard round == frame.rounds - 1 else { continue }
      for register in registers {
        let size = plan.places[register].bytes
        guard let source = frame.registers[register] else { continue }
        (bytes(register) + sample * size).copyMemory(from: source + index * size, byteCount: size)
      }
    }
  }
}

// MARK: - Moving and computing

extension BatchRunner {
  private func load(_ register: Int, _ source: Int, _ window: Window, _ padding: Int64, _ frame: Frame) {
    let place = plan.places[register]
    let target = frame.registers[register] ?? bytes(register)
    if place.size == 8 {
      let value = UInt64(bitPattern: padding)
      load(
        window, value, elements(source, of: UInt64.self), target.assumingMemoryBound(to: UInt64.self), frame)
      return
    }
    let registers = target.assumingMemoryBound(to: Int32.self)
    let value = Int32(truncatingIfNeeded: padding)
    switch (plan.places[source].size, plan.places[source].element.isSigned) {
    case (1, true): load(window, value, elements(source, of: Int8.self), registers, frame)
    case (1, false): load(window, value, elements(source, of: UInt8.self), registers, frame)
    default: load(window, value, elements(source, of: Int32.self), registers, frame)
    }
  }

  private func load<Source: FixedWidthInteger, Target: FixedWidthInteger>(
    _ window: Window, _ padding: Target, _ source: UnsafeMutablePointer<Source>,
    _ target: UnsafeMutablePointer<Target>, _ frame: Frame
  ) {
    let (inputCount, length) = (window.inputCount, window.length)
    for index in 0..<frame.count {
      let (sample, round) = frame.pair(index)
      loadWindow(
        window, position: round, from: source + sample * inputCount, into: target + index * length,
        padding: padding)
    }
  }

  private func store(_ destination: Int, _ register: Int, _ layout: OutputLayout, _ frame: Frame) {
    let source = frame.registers[register] ?? bytes(register)
    let sizes = (count: plan.places[register].count, total: plan.places[destination].count)
    if plan.places[register].size == 4 {
      store(
        layout, sizes, source.assumingMemoryBound(to: UInt32.self),
        elements(destination, of: UInt32.self), frame)
    } else {
      store(
        layout, sizes, source.assumingMemoryBound(to: UInt64.self),
        elements(destination, of: UInt64.self), frame)
    }
  }

  private func store<T>(
    _ layout: OutputLayout, _ sizes: (count: Int, total: Int), _ source: UnsafeMutablePointer<T>,
    _ target: UnsafeMutablePointer<T>, _ frame: Frame
  ) {
    for index in 0..<frame.count {
      let (sample, round) = frame.pair(index)
      storeRegister(
        layout, round: round, count: sizes.count, from: source + index * sizes.count,
        into: target + sample * sizes.total)
    }
  }

  private func drive(
    _ values: UnsafeMutableRawPointer, _ place: BufferPlace, _ layer: Int, _ site: Int, _ frame: Frame
  ) throws(Diagnostic) {
    let layerPlan = plan.layers[layer]
    var runner = LayerRunner(
      layerPlan, program, windows: frame.count, results: frame.results[layer] ?? results(layer),
      recordsSpans: recordsSpans, analog: try analogRun(layer, site, frame))
    if place.size == 4 {
      try runner.run(values.assumingMemoryBound(to: Int32.self), &scratch)
    } else {
      // A 32-bit unsigned input is kept in 64 bits; its low half is what the kernels take.
      let count = frame.count * layerPlan.layer.rows
      let low = try Memory(4 * count)
      let (wide, narrow) = (
        values.assumingMemoryBound(to: Int64.self), low.base.assumingMemoryBound(to: Int32.self)
      )
      for k in 0..<count { narrow[k] = Int32(truncatingIfNeeded: wide[k]) }
      try runner.run(narrow, &scratch)
      withExtendedLifetime(low) {}
    }
    counts[layer].events += runner.events
    counts[layer].inputDigits &+= runner.inputDigits
    counts[layer].positions += runner.positions
    counts[layer].partialSums += runner.partialSums
  }

  /// What a layer's conversions are computed with in a trial: the random numbers of a window follow from its sample and
  /// from how often the instruction was executed before, whatever the batch.
  private func analogRun(_ layer: Int, _ site: Int, _ frame: Frame) throws(Diagnostic) -> AnalogRun? {
    guard let trial else { return nil }
    let numbers: UnsafeMutablePointer<xbar_window_numbers> = try scratch.take(.windowNumbers, frame.count)
    for index in 0..<frame.count {
      let (sample, round) = frame.pair(index)
      let drive = visits[site] + (frame.fixedRound == nil ? round : 0)
      numbers[index] = xbar_window_numbers(
        drive: UInt32(truncatingIfNeeded: drive), sample: UInt32(truncatingIfNeeded: firstSample + sample))
    }
    let stream = RandomStream(seed: trial.seed, trial: trial.trial, .conversions, part: site)
    return AnalogRun(trial: trial, layer: trial.layers[layer], key: stream.key, numbers: numbers)
  }

  private func runDigital(
    _ op: DigitalOperator, _ inputs: [Int], _ output: Int, _ origin: NodeOrigin?
  ) throws(Diagnostic) {
    for sample in 0..<samples {
      let arguments = inputs.map { tensor($0, sample) }
      do throws(Diagnostic) {
        try write(try op.apply(to: arguments), to: output, sample)
        for index in plan.inputsOfGrids[output] ?? [] {
          inputCounts[index].quantized += arguments[0].count
          inputCounts[index].clamps += op.clampCount(arguments[0].floats)
        }
      } catch {
        var located = error
        if let origin, case .whole = error.location.place { located.location.place = .node(origin) }
        throw located
      }
    }
  }

  private func tensor(_ buffer: Int, _ sample: Int) -> Tensor {
    let place = plan.places[buffer]
    let shape = program.buffers[buffer].shape
    func array<T>(_ type: T.Type) -> [T] {
      Array(UnsafeBufferPointer(start: elements(buffer, of: type) + sample * place.count, count: place.count))
    }
    if place.element.isFloat { return Tensor(shape, .f32(array(Float.self))) }
    if place.size == 1 {
      return Tensor(shape, place.element.isSigned ? .i8(array(Int8.self)) : .u8(array(UInt8.self)))
    }
    return place.size == 4 ? Tensor(shape, .i32(array(Int32.self))) : Tensor(shape, .i64(array(Int64.self)))
  }

  /// Keeps a result; throws `execute.range` where an element does not fit into the buffer's type.
  private func write(_ tensor: Tensor, to buffer: Int, _ sample: Int) throws(Diagnostic) {
    let place = plan.places[buffer]
    guard tensor.count == place.count, tensor.data.isFloat == place.element.isFloat else {
      throw Diagnostic(
        "internal.operator-result",
        "an operator's result does not fit into buffer '\(program.buffers[buffer].name)'")
    }
    switch tensor.data {
    case .f32(let values):
      (elements(buffer, of: Float.self) + sample * place.count).update(from: values, count: values.count)
    case .i8(let values): try write(values, place, buffer, sample)
    case .u8(let values): try write(values, place, buffer, sample)
    case .i16(let values): try write(values, place, buffer, sample)
    case .u16(let values): try write(values, place, buffer, sample)
    case .i32(let values): try write(values, place, buffer, sample)
    case .i64(let values): try write(values, place, buffer, sample)
    }
  }

  private func write<T: FixedWidthInteger>(
    _ values: [T], _ place: BufferPlace, _ buffer: Int, _ sample: Int
  ) throws(Diagnostic) {
    let fits: Bool
    switch place.size {
    case 1: fits = copy(values, to: elements(buffer, of: UInt8.self) + sample * place.count, place.element)
    case 4: fits = copy(values, to: elements(buffer, of: Int32.self) + sample * place.count, place.element)
    default: fits = copy(values, to: elements(buffer, of: Int64.self) + sample * place.count, place.element)
    }
    guard fits else {
      throw Diagnostic(
        "execute.range",
        "a value does not fit into buffer '\(program.buffers[buffer].name)' of type \(place.element)")
    }
  }
}

/// Copies the low bits of `values`, and tells whether all of them are numbers of type `element`.
private func copy<Value: FixedWidthInteger, Target: FixedWidthInteger>(
  _ values: [Value], to target: UnsafeMutablePointer<Target>, _ element: ElementType
) -> Bool {
  let (low, high) = (element.lowest, element.highest)
  let isAny = Int64(clamping: Value.min) >= low && Int64(clamping: Value.max) <= high
  var fits = true
  for index in values.indices {
    if !isAny {
      let value = Int64(truncatingIfNeeded: values[index])
      fits = fits && value >= low && value <= high
    }
    target[index] = Target(truncatingIfNeeded: values[index])
  }
  return fits
}
