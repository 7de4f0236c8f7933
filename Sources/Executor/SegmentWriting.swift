public import DeviceModel
import Hardware
import Mapping
public import ProgramFormat
import Support

/// What it takes to write the segments of a program, and to keep values for the segment after.
///
/// Before a segment is executed, all cells of its blocks are written, whatever they held: the cells of a wordline together, the
/// wordlines of a crossbar one after the other, the crossbars at the same time. Samples go through a segment in batches, so
/// that each batch takes one writing of every segment. Spec: ir-spec.md, *Segments and writing*.
public struct SegmentWriting: Equatable, Sendable {
  /// What one writing of a segment takes.
  public struct Segment: Equatable, Sendable {
    /// Its layers.
    public internal(set) var layers: [Int] = []
    /// Its crossbars.
    public internal(set) var crossbars = 0
    /// Cells of its blocks.
    public internal(set) var cells = 0
    /// Wordlines with such cells, in all crossbars.
    public internal(set) var wordlines = 0
    /// Such wordlines of the crossbar that has the most: the steps that follow each other.
    public internal(set) var steps = 0

    /// Nothing.
    public init() {}

    /// Adds another segment, which is written afterwards.
    public mutating func add(_ other: Segment) {
      layers += other.layers
      crossbars += other.crossbars
      cells += other.cells
      wordlines += other.wordlines
      steps += other.steps
    }
  }

  /// The segments in the order of their execution; one for a program whose crossbars are written before it runs.
  public let segments: [Segment]
  /// Elements of a sample that a segment leaves for later ones.
  public let storedElements: Int
  /// Elements of a sample that a segment takes from earlier ones, or again from the graph's inputs.
  public let fetchedElements: Int

  /// Counts what the segments of a valid program take.
  public init(_ program: Program) {
    var segments = [Segment](repeating: Segment(), count: program.segments)
    var lines: [Int: Set<Int>] = [:]
    var owners: [Int: Int] = [:]
    for (index, layer) in program.layers.enumerated() {
      segments[layer.segment].layers.append(index)
      for block in layer.blocks {
        segments[layer.segment].cells += block.rows.count * block.columns.count
        lines[block.crossbar, default: []].formUnion(block.row..<block.row + block.rows.count)
        owners[block.crossbar] = layer.segment
      }
    }
    for (crossbar, owner) in owners {
      let count = lines[crossbar]?.count ?? 0
      segments[owner].crossbars += 1
      segments[owner].wordlines += count
      segments[owner].steps = max(segments[owner].steps, count)
    }
    self.segments = segments
    var values = CrossingValues(program)
    if segments.count > 1 { values.walk(program.code, isOutermost: true) }
    (storedElements, fetchedElements) = (values.stored, values.fetched)
  }

  /// The events of `samples` samples that go through each segment in batches of `batch`; none for a single segment,
  /// which stays in the crossbars.
  ///
  /// Where a batch is more than one sample, the values that wait for another segment go to memory outside of the chip,
  /// for every sample; those of single samples stay in the tiles' buffers.
  public func events(samples: Int, batch: Int) -> Events {
    var events = Events()
    guard segments.count > 1 else { return events }
    let times = ceilDivide(samples, max(1, batch))
    for segment in segments {
      events.cellWrites &+= times &* segment.cells
      events.wordlineWrites &+= times &* segment.wordlines
      events.writeSteps &+= times &* segment.steps
    }
    if min(batch, samples) > 1 {
      events.dramWrites = samples &* storedElements
      events.inputFetches.dram = samples &* fetchedElements
    }
    return events
  }
}

/// Finds the buffers that a segment reads before it writes them.
private struct CrossingValues {
  private let program: Program
  /// Elements that a segment leaves for later ones, and that segments take from earlier ones.
  private(set) var stored = 0
  private(set) var fetched = 0
  private var segment = 0
  /// The segment that wrote a buffer last, and whether a later one read it since.
  private var writers: [Int: (segment: Int, isStored: Bool)] = [:]
  /// The segments that have read a buffer since it was written.
  private var readers: [Int: Set<Int>] = [:]
  /// Buffers that hold graph inputs, as they are outside of the chip.
  private var inputs: Set<Int>

  init(_ program: Program) {
    self.program = program
    inputs = Set(program.inputs.map(\.buffer))
  }

  mutating func walk(_ body: [Instruction], isOutermost: Bool = false) {
    for instruction in body {
      if isOutermost, let first = firstLayer(instruction.operation) {
        segment = program.layers[first].segment
      }
      switch instruction.operation {
      case .loop(_, let inner): walk(inner)
      case .load(let register, let source, _, _), .scanSlice(let register, let source, _):
        read(source)
        write(register)
      case .drive(let register, _): read(register)
      case .convert: break
      case .accumulate(let register, _): write(register)
      case .store(let destination, let register, _), .scanOutput(let destination, let register, _):
        read(register)
        write(destination)
      case .digital(_, let sources, let output):
        for source in sources { read(source) }
        write(output)
      }
    }
  }

  private func firstLayer(_ operation: Operation) -> Int? {
    switch operation {
    case .drive(_, let layer): return layer
    case .loop(_, let body): return body.lazy.compactMap { firstLayer($0.operation) }.first
    case .load, .convert, .accumulate, .store, .scanSlice, .scanOutput, .digital: return nil
    }
  }

  private mutating func write(_ buffer: Int) {
    writers[buffer] = (segment, false)
    readers[buffer] = []
    inputs.remove(buffer)
  }

  private mutating func read(_ buffer: Int) {
    let count = program.buffers[buffer].count
    let isFirst = readers[buffer, default: []].isEmpty
    guard readers[buffer, default: []].insert(segment).inserted else { return }
    if inputs.contains(buffer) {
      // The first segment that reads an input takes it from outside in any case.
      if !isFirst { fetched &+= count }
    } else if let writer = writers[buffer], writer.segment != segment {
      fetched &+= count
      if !writer.isStored { stored &+= count }
      writers[buffer]?.isStored = true
    }
  }
}
