import DeviceModel
public import ProgramFormat
public import Support
import Tensors

/// A program prepared for execution; it can be run any number of times, also from several threads.
public struct ExecutablePlan: Sendable {
  /// The program.
  public let program: Program
  let layers: [LayerPlan]
  let steps: [Step]
  let places: [BufferPlace]
  /// Where the results of a layer that is driven outside of batched loops lie.
  let resultOffsets: [Int]
  /// Bytes that the buffers of one sample take.
  let bytesPerSample: Int
  let sampleEvents: SampleEvents
  /// Instructions that drive.
  let sites: Int

  /// Prepares `program`; throws what `validate(_:)` throws.
  public init(_ program: Program) throws(Diagnostic) { try self.init(program, valuesElsewhere: false) }

  /// Prepares `program`, with `valuesElsewhere` for trials of a device that compute what conversions give.
  init(_ program: Program, valuesElsewhere: Bool) throws(Diagnostic) {
    try validate(program)
    self.program = program
    layers = zip(program.layers, program.loadedWindows()).map {
      LayerPlan($0, program, window: $1.first?.window, valuesElsewhere: valuesElsewhere)
    }
    sampleEvents = SampleEvents(program, layers)
    var builder = StepBuilder(program: program)
    steps = builder.build(program.code)
    sites = builder.sites
    var offset = 0
    func take(_ bytes: Int) -> Int {
      defer { offset += (bytes + 63) / 64 * 64 }
      return offset
    }
    places = program.buffers.map { BufferPlace($0, offset: take($0.count * $0.element.storageBytes)) }
    resultOffsets = program.layers.indices.map {
      builder.directLayers.contains($0) ? take(program.layers[$0].outputs * 8) : 0
    }
    bytesPerSample = offset
  }
}

/// Where a buffer lies among the buffers of a batch, as a multiple of the samples in the batch.
struct BufferPlace: Sendable {
  let offset: Int
  let count: Int
  /// Bytes of an element in memory, 4 or 8.
  let size: Int
  let element: ElementType

  init(_ buffer: Buffer, offset: Int) {
    self.offset = offset
    count = buffer.count
    size = buffer.element.storageBytes
    element = buffer.element
  }

  /// Bytes of one sample's elements.
  var bytes: Int { count * size }
}

extension ElementType {
  /// Bytes of an element in memory: 4 for floats and integers that a 32-bit signed integer holds, else 8.
  var storageBytes: Int {
    switch self {
    case .float32: return 4
    case .integer(let bits, let signed): return bits <= (signed ? 32 : 31) ? 4 : 8
    }
  }
}

/// What the executor does for a batch of samples.
indirect enum Step: Sendable {
  case loop(count: Int, body: [Step])
  /// A loop whose rounds do not depend on each other: all rounds of all samples are computed together.
  case batchedLoop(count: Int, body: [Step], registers: [Int], layers: [Int])
  case load(register: Int, source: Int, window: Window, padding: Int64)
  /// `site` numbers the instructions that drive.
  case drive(register: Int, layer: Int, site: Int)
  case accumulate(register: Int, layer: Int)
  case store(destination: Int, register: Int, arrangement: Arrangement)
  case step(register: Int, source: Int, parts: Parts)
  case stack(destination: Int, register: Int, parts: Parts)
  case digital(DigitalOperator, inputs: [Int], output: Int, origin: NodeOrigin?)
}

/// Turns instructions into steps and finds the loops that can be batched.
struct StepBuilder {
  let program: Program
  /// Layers that are driven outside of batched loops.
  private(set) var directLayers: Set<Int> = []
  /// Instructions that drive, so far.
  private(set) var sites = 0

  init(program: Program) { self.program = program }

  mutating func build(_ body: [Instruction]) -> [Step] {
    var steps: [Step] = []
    for instruction in body {
      switch instruction.operation {
      case .loop(let count, let inner):
        steps.append(batchedLoop(count, inner) ?? .loop(count: count, body: build(inner)))
      case .convert: continue
      case .drive(_, let layer):
        directLayers.insert(layer)
        if let step = simpleStep(instruction) { steps.append(step) }
      default:
        if let step = simpleStep(instruction) { steps.append(step) }
      }
    }
    return steps
  }

  /// The step of an instruction other than a loop; a layer is computed when it is driven, so `convert` needs none.
  private mutating func simpleStep(_ instruction: Instruction) -> Step? {
    switch instruction.operation {
    case .loop, .convert: return nil
    case .load(let register, let source, let window, let padding):
      return .load(register: register, source: source, window: window, padding: padding)
    case .drive(let register, let layer):
      sites += 1
      return .drive(register: register, layer: layer, site: sites - 1)
    case .accumulate(let register, let layer): return .accumulate(register: register, layer: layer)
    case .store(let destination, let register, let arrangement):
      return .store(destination: destination, register: register, arrangement: arrangement)
    case .step(let register, let source, let parts):
      return .step(register: register, source: source, parts: parts)
    case .stack(let destination, let register, let parts):
      return .stack(destination: destination, register: register, parts: parts)
    case .digital(let op, let inputs, let output):
      return .digital(op, inputs: inputs, output: output, origin: instruction.origin)
    }
  }

  /// A batched loop, or nil where a round could depend on another: the body may only load, drive, convert, accumulate
  /// and store; registers are written before they are read; sources and destinations are no registers, and no
  /// destination is a source.
  private mutating func batchedLoop(_ count: Int, _ body: [Instruction]) -> Step? {
    var registers: [Int] = []
    var sources: Set<Int> = []
    var destinations: Set<Int> = []
    var layers: [Int] = []
    func write(_ register: Int) {
      if !registers.contains(register) { registers.append(register) }
    }
    for instruction in body {
      switch instruction.operation {
      case .load(let register, let source, _, _):
        write(register)
        sources.insert(source)
      case .drive(let register, let layer):
        guard registers.contains(register) else { return nil }
        if !layers.contains(layer) { layers.append(layer) }
      case .convert: continue
      case .accumulate(let register, _): write(register)
      case .store(let destination, let register, _):
        guard registers.contains(register) else { return nil }
        destinations.insert(destination)
      case .loop, .step, .stack, .digital: return nil
      }
      guard registers.count <= 64 else { return nil }
    }
    guard sources.isDisjoint(with: destinations), sources.isDisjoint(with: registers),
      destinations.isDisjoint(with: registers)
    else { return nil }
    let steps = body.compactMap { simpleStep($0) }
    return .batchedLoop(count: count, body: steps, registers: registers, layers: layers)
  }
}
