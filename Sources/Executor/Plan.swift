import DeviceModel
import Mapping
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
  /// For results of `quantize` before the first layer, the graph inputs that they follow from.
  let inputsOfGrids: [Int: [Int]]

  /// Prepares `program`; throws what `validate(_:)` throws.
  public init(_ program: Program) throws(Diagnostic) { try self.init(program, values: .fastest) }

  /// Prepares `program` with what conversions give computed in a certain way.
  init(_ program: Program, values: ValuePath) throws(Diagnostic) {
    try validate(program)
    self.program = program
    inputsOfGrids = program.inputsOfGrids
    let planned = zip(program.layers, program.loadedWindows()).map {
      LayerPlan($0, program, window: $1.first?.window, values: values)
    }
    sampleEvents = SampleEvents(program, planned)
    var builder = StepBuilder(program: program, finder: ByteProductFinder(program, planned))
    steps = builder.build(program.code)
    sites = builder.sites
    let driven = builder.drivenLayers
    layers = planned.indices.map { driven.contains($0) ? planned[$0] : planned[$0].withoutProducts() }
    var offset = 0
    func take(_ bytes: Int) -> Int {
      defer { offset += (bytes + 63) / 64 * 64 }
      return offset
    }
    let wide = builder.wideBuffers
    let skipped = builder.skippedBuffers.union(program.unusedBuffers)
    places = program.buffers.indices.map { index in
      let buffer = program.buffers[index]
      if skipped.contains(index) { return BufferPlace(buffer, offset: offset, size: 0) }
      let size = wide.contains(index) ? buffer.element.storageBytes : buffer.element.narrowStorageBytes
      return BufferPlace(buffer, offset: take(buffer.count * size), size: size)
    }
    resultOffsets = program.layers.indices.map {
      builder.directLayers.contains($0) ? take(program.layers[$0].columns * 8) : 0
    }
    bytesPerSample = offset
  }
}

extension Program {
  /// Buffers that no instruction names and that are neither inputs nor outputs.
  var unusedBuffers: [Int] {
    let uses = countUses(code, buffers: buffers.count)
    let ports = Set((inputs + outputs).map(\.buffer))
    return buffers.indices.filter { uses[$0] == 0 && !ports.contains($0) }
  }
}

/// Where a buffer lies among the buffers of a batch, as a multiple of the samples in the batch.
struct BufferPlace: Sendable {
  let offset: Int
  let count: Int
  /// Bytes of an element in memory: 1, 4 or 8; 0 for a buffer that no step reads or writes.
  let size: Int
  let element: ElementType

  init(_ buffer: Buffer, offset: Int, size: Int) {
    self.offset = offset
    self.size = size
    count = buffer.count
    element = buffer.element
  }

  /// Bytes of one sample's elements.
  var bytes: Int { count * size }
}

extension ElementType {
  /// Bytes of an element in memory where that may be one byte, for integers of up to 8 bits.
  var narrowStorageBytes: Int {
    if case .integer(let bits, _) = self, bits <= 8 { return 1 }
    return storageBytes
  }

  /// Whether it is a type of signed integers.
  var isSigned: Bool {
    if case .integer(_, true) = self { return true }
    return false
  }

  /// Bytes of an element in the registers of kernels: 4 for floats and integers that a 32-bit signed integer holds,
  /// else 8.
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
  /// A loop and what follows it, as a product of bytes.
  case product(ByteProduct)
  case load(register: Int, source: Int, window: Window, padding: Int64)
  /// `site` numbers the instructions that drive.
  case drive(register: Int, layer: Int, site: Int)
  case accumulate(register: Int, layer: Int)
  case store(destination: Int, register: Int, layout: OutputLayout)
  case scanSlice(register: Int, source: Int, parts: Parts)
  case scanOutput(destination: Int, register: Int, parts: Parts)
  case digital(DigitalOperator, inputs: [Int], output: Int, origin: NodeOrigin?)
}

/// Turns instructions into steps and finds the loops that can be batched, or are products of bytes.
struct StepBuilder {
  let program: Program
  let finder: ByteProductFinder
  /// Layers that are driven outside of batched loops.
  private(set) var directLayers: Set<Int> = []
  /// Layers that are driven by a step.
  private(set) var drivenLayers: Set<Int> = []
  /// Instructions that drive, so far.
  private(set) var sites = 0
  /// Buffers that a product of bytes does without.
  private(set) var skippedBuffers: Set<Int> = []
  /// Buffers that kernels take or give, or that are copied from or to such ones as they are.
  private(set) var wideBuffers: Set<Int> = []

  init(program: Program, finder: ByteProductFinder) {
    self.program = program
    self.finder = finder
    widen(program.code)
  }

  /// Adds the registers of `code`, and what is stored from them or copied from or to them, until there are no more.
  private mutating func widen(_ code: [Instruction]) {
    var before: Int
    repeat {
      before = wideBuffers.count
      addWide(code)
    } while wideBuffers.count > before
  }

  private mutating func addWide(_ code: [Instruction]) {
    for instruction in code {
      switch instruction.operation {
      case .loop(_, let body): addWide(body)
      case .load(let register, _, _, _), .drive(let register, _), .accumulate(let register, _):
        wideBuffers.insert(register)
      case .store(let destination, let register, _): wideBuffers.formUnion([destination, register])
      case .scanSlice(let a, let b, _), .scanOutput(let a, let b, _):
        if wideBuffers.contains(a) || wideBuffers.contains(b) { wideBuffers.formUnion([a, b]) }
      case .convert, .digital: continue
      }
    }
  }

  mutating func build(_ body: [Instruction]) -> [Step] {
    var steps: [Step] = []
    var next = 0
    while next < body.count {
      let (step, length) = step(body[next...])
      if let step { steps.append(step) }
      next += length
    }
    return steps
  }

  /// The step that `code` begins with, if any, and how many instructions it is.
  private mutating func step(_ code: ArraySlice<Instruction>) -> (Step?, Int) {
    guard let instruction = code.first else { return (nil, 1) }
    switch instruction.operation {
    case .loop(let count, let inner):
      if let (product, length) = finder.product(count, inner, in: code) {
        sites += product.members.count
        skippedBuffers.formUnion(
          code.prefix(length).compactMap(\.destination).filter { $0 != product.destination })
        return (.product(product), length)
      }
      return (batchedLoop(count, inner) ?? .loop(count: count, body: build(inner)), 1)
    case .drive(_, let layer):
      directLayers.insert(layer)
      return (simpleStep(instruction), 1)
    case .load, .convert, .accumulate, .store, .scanSlice, .scanOutput, .digital:
      return (simpleStep(instruction), 1)
    }
  }

  /// The step of an instruction other than a loop; a layer is computed when it is driven, so `convert` needs none.
  private mutating func simpleStep(_ instruction: Instruction) -> Step? {
    switch instruction.operation {
    case .loop, .convert: return nil
    case .load(let register, let source, let window, let padding):
      return .load(register: register, source: source, window: window, padding: padding)
    case .drive(let register, let layer):
      sites += 1
      drivenLayers.insert(layer)
      return .drive(register: register, layer: layer, site: sites - 1)
    case .accumulate(let register, let layer): return .accumulate(register: register, layer: layer)
    case .store(let destination, let register, let layout):
      return .store(destination: destination, register: register, layout: layout)
    case .scanSlice(let register, let source, let parts):
      return .scanSlice(register: register, source: source, parts: parts)
    case .scanOutput(let destination, let register, let parts):
      return .scanOutput(destination: destination, register: register, parts: parts)
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
      case .loop, .scanSlice, .scanOutput, .digital: return nil
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

extension Instruction {
  /// The buffer that the instruction writes; that which its body stores into where it is a loop over positions.
  fileprivate var destination: Int? {
    switch operation {
    case .loop(_, let body): return body.last?.destination
    case .load(let register, _, _, _), .accumulate(let register, _), .scanSlice(let register, _, _):
      return register
    case .store(let destination, _, _), .scanOutput(let destination, _, _), .digital(_, _, let destination):
      return destination
    case .drive, .convert: return nil
    }
  }
}
