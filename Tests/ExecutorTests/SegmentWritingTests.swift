import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Tensors
import Testing

@testable import Executor

/// What it takes to write segments in turn, by hand and beside counts made in another way.
@Suite("Writing of segments")
struct SegmentWritingTests {
  private static let pair = ElementType.integer(bits: 4, signed: false)

  /// Loads `source`, takes it through a layer and puts the sums into `target`.
  private func loop(_ layer: Int, from source: Int, to target: Int) -> Instruction {
    let body: [Operation] = [
      .load(register: 2, source: source, window: .rows(1, 2), padding: 0), .drive(register: 2, layer: layer),
      .convert(layer: layer), .accumulate(register: 3, layer: layer),
      .store(
        destination: target, register: 3, layout: OutputLayout(channels: 2, positions: 1, channelStart: 0)),
    ]
    return Instruction(.loop(count: 1, body: body.map { Instruction($0) }))
  }

  private func block(_ crossbar: Int, _ row: Int, _ column: Int) -> Block {
    Block(
      crossbar: crossbar, row: row, column: column, rows: (0..<2).map { RowEntry(input: $0) },
      columns: (0..<2).map { ColumnEntry(output: $0, shift: 0) }, units: .fixed(height: 2, width: 2))
  }

  /// Three layers in segments of their own, on crossbars of 4x4 cells.
  ///
  /// Layer 0 has blocks of 2x2 cells at (1, 0) and (2, 2) of crossbar 0 and one at (0, 0) of crossbar 1; the others
  /// have one in crossbars 2 and 3. Segment 1 reads what segment 0 computed twice, `t` and `s`; segment 2 reads `t`
  /// again, `u` of segment 1, and the input again.
  private func threeSegments() -> Program {
    let (pair, sums) = (Self.pair, ElementType.accumulator)
    let elements: [(String, ElementType)] = [
      ("x", .float32), ("q", pair), ("r", pair), ("a", sums), ("s", sums), ("t", pair), ("s2", sums),
      ("u", sums), ("s3", sums), ("v", sums), ("f", .float32), ("y", .float32),
    ]
    let shapes = [2: [2], 3: [2]]
    let buffers = elements.enumerated().map { index, element in
      Buffer(name: element.0, shape: shapes[index] ?? [1, 2], element: element.1)
    }
    let rule = Requantization(multipliers: [1, 1], shifts: [1, 1], zero: 0, low: 0, high: 15, axis: 1)
    let code = [
      Instruction(.digital(.quantize(scale: 1, zero: 0, low: 0, high: 15), inputs: [0], output: 1)),
      loop(0, from: 1, to: 4), Instruction(.digital(.requantize(rule), inputs: [4], output: 5)),
      loop(1, from: 5, to: 6), Instruction(.digital(.binary(.add), inputs: [6, 4], output: 7)),
      loop(2, from: 5, to: 8), Instruction(.digital(.binary(.add), inputs: [8, 7], output: 9)),
      Instruction(.digital(.dequantize(scale: 1, zero: 0), inputs: [9], output: 10)),
      Instruction(.digital(.binary(.add), inputs: [10, 0], output: 11)),
    ]
    let blocks = [
      [block(0, 1, 0), block(0, 2, 2), block(1, 0, 0)], [block(2, 0, 0)], [block(3, 0, 0)],
    ]
    let layers = blocks.enumerated().map { number, blocks in
      Layer(
        name: "l\(number)", inputs: 2, outputs: 2, inputBits: 4, inputSigned: false, dacBits: 1, adcBits: 6,
        offset: 0, segment: number, blocks: blocks)
    }
    return Program(
      name: "three", machine: sampleMachine(rows: 4, columns: 4, unitHeight: 2, unitWidth: 2),
      inputs: [Port(name: "x", buffer: 0)], outputs: [Port(name: "y", buffer: 11)], buffers: buffers,
      crossbars: [Crossbar](repeating: Crossbar(cells: [UInt8](repeating: 1, count: 16)), count: 4),
      layers: layers, code: code, info: [])
  }

  /// Crossbar 0 has cells on wordlines 1 to 3, crossbar 1 on two: 12 cells, 5 wordlines, 3 steps.
  @Test func countsBlocksByHand() throws {
    let program = threeSegments()
    try validate(program)
    let writing = SegmentWriting(program)
    #expect(writing.segments.map(\.layers) == [[0], [1], [2]])
    #expect(writing.segments.map(\.crossbars) == [2, 1, 1])
    #expect(writing.segments.map(\.cells) == [12, 4, 4])
    #expect(writing.segments.map(\.wordlines) == [5, 2, 2])
    #expect(writing.segments.map(\.steps) == [3, 2, 2])
  }

  /// Left for later: `t`, `s`, `u`. Taken: `t` and `s` in segment 1, `t`, `u` and the input in segment 2. Two elements
  /// each.
  @Test func countsWaitingValuesByHand() {
    let writing = SegmentWriting(threeSegments())
    #expect(writing.storedElements == 6)
    #expect(writing.fetchedElements == 10)
  }

  /// Five samples, two at a time, take three writings: 3 * 20 cells, 3 * 9 wordlines, 3 * 7 steps.
  @Test(arguments: [(1, 5), (2, 3), (4, 2), (5, 1), (1000, 1)]) func writesForEveryBatch(
    batch: Int, times: Int
  ) {
    let events = SegmentWriting(threeSegments()).events(samples: 5, batch: batch)
    var expected = Events()
    (expected.cellWrites, expected.wordlineWrites, expected.writeSteps) = (20 * times, 9 * times, 7 * times)
    // Values of a single sample wait on the chip.
    if batch > 1 { (expected.dramWrites, expected.inputFetches.dram) = (30, 50) }
    #expect(events == expected)
    #expect(SegmentWriting(threeSegments()).events(samples: 0, batch: batch) == Events())
    // A single sample is a batch of one.
    (expected.cellWrites, expected.wordlineWrites, expected.writeSteps) = (20, 9, 7)
    (expected.dramWrites, expected.inputFetches.dram) = (0, 0)
    #expect(SegmentWriting(threeSegments()).events(samples: 1, batch: batch) == expected)
  }

  @Test func oneSegmentIsWrittenBeforeTheRun() {
    var program = threeSegments()
    for layer in program.layers.indices { program.layers[layer].segment = 0 }
    let writing = SegmentWriting(program)
    #expect(writing.segments.count == 1 && writing.segments[0].cells == 20 && writing.segments[0].steps == 3)
    #expect(writing.events(samples: 100, batch: 1) == Events())
    #expect(writing.storedElements == 0 && writing.fetchedElements == 0)
  }

  // MARK: Random programs

  private static let programs = (0..<300).map { ProgramSampler.program(seed: UInt64($0)) }
    .filter { $0.segments > 1 }

  /// Results and events of computing are those of a machine that has room for all.
  @Test func resultsAreThoseOfOneSegment() throws {
    #expect(Self.programs.count > 40)
    var random = SeededGenerator(seed: 5)
    for program in Self.programs {
      var whole = program
      for layer in whole.layers.indices { whole.layers[layer].segment = 0 }
      let input = (0..<3 * program.buffers[0].count).map { _ in Float(random.unit() * 2 - 1) }
      let (a, b) = (try ExecutablePlan(program), try ExecutablePlan(whole))
      let runs = [a, b].map { plan in Result { try plan.run(inputs: [input], samples: 3, threads: 2) } }
      switch (runs[0], runs[1]) {
      case (.success(let a), .success(let b)):
        #expect(a.layers == b.layers && a.digital == b.digital, "\(program.name)")
        // Numbers that are none have bits too.
        let bits = [a, b].map { $0.outputs.map { $0.map(\.bitPattern) } }
        #expect(bits[0] == bits[1], "\(program.name)")
      case (.failure(let a), .failure(let b)): #expect("\(a)" == "\(b)")
      default: Issue.record("\(program.name): only one of them runs")
      }
    }
  }

  /// Cells are painted one by one, crossbar by crossbar.
  @Test func cellsAreThoseThatBlocksCover() {
    for program in Self.programs {
      let writing = SegmentWriting(program)
      let array = program.machine.array
      for segment in 0..<program.segments {
        var painted: [Int: Set<Int>] = [:]
        for layer in program.layers where layer.segment == segment {
          for block in layer.blocks {
            for row in 0..<block.rows.count {
              for column in 0..<block.columns.count {
                painted[block.crossbar, default: []].insert(
                  (block.row + row) * array.columns + block.column + column)
              }
            }
          }
        }
        let lines = painted.values.map { Set($0.map { $0 / array.columns }).count }
        let found = writing.segments[segment]
        #expect(found.cells == painted.values.reduce(0) { $0 + $1.count })
        #expect(found.crossbars == painted.count)
        #expect(found.wordlines == lines.reduce(0, +) && found.steps == lines.max() ?? 0)
      }
    }
  }

  /// What is read and written, in the order of execution, loops and all, and by which segment.
  private struct Trace {
    var accesses: [(segment: Int, buffer: Int, isWrite: Bool)] = []
    var segment = 0
    let program: Program

    init(_ program: Program) {
      self.program = program
      for instruction in program.code {
        if let layer = drivenLayers(instruction.operation).first { segment = program.layers[layer].segment }
        run(instruction.operation)
      }
    }

    mutating func run(_ operation: Operation) {
      func add(_ buffers: [Int], _ isWrite: Bool) {
        for buffer in buffers { accesses.append((segment, buffer, isWrite)) }
      }
      switch operation {
      case .loop(let count, let body):
        for _ in 0..<min(count, 3) { for instruction in body { run(instruction.operation) } }
      case .load(let register, let source, _, _), .scanSlice(let register, let source, _):
        add([source], false)
        add([register], true)
      case .drive(let register, _): add([register], false)
      case .convert: return
      case .accumulate(let register, _): add([register], true)
      case .store(let destination, let register, _), .scanOutput(let destination, let register, _):
        add([register], false)
        add([destination], true)
      case .digital(_, let inputs, let output):
        add(inputs, false)
        add([output], true)
      }
    }
  }

  @Test func waitingValuesAreThoseOfTheTrace() {
    var moving = 0
    for program in Self.programs {
      let trace = Trace(program)
      var (stored, fetched) = (0, 0)
      for buffer in program.buffers.indices {
        let own = trace.accesses.filter { $0.buffer == buffer }
        let isInput = program.inputs.contains { $0.buffer == buffer }
        // Segments whose first access is a read, and the segment that wrote last before it, -1 for the graph's input.
        var pairs: [(from: Int, to: Int)] = []
        for segment in 0..<program.segments {
          guard let at = own.firstIndex(where: { $0.segment == segment }), !own[at].isWrite else { continue }
          if let writer = own[..<at].last(where: \.isWrite) {
            pairs.append((writer.segment, segment))
          } else if isInput {
            pairs.append((-1, segment))
          }
        }
        let written = Set(pairs.map(\.from)).subtracting([-1])
        let again = max(0, pairs.count { $0.from == -1 } - 1)
        stored += written.count * program.buffers[buffer].count
        fetched += (pairs.count { $0.from >= 0 } + again) * program.buffers[buffer].count
      }
      let writing = SegmentWriting(program)
      #expect(writing.storedElements == stored && writing.fetchedElements == fetched, "\(program.name)")
      moving += stored
    }
    #expect(moving > 500)
  }
}
