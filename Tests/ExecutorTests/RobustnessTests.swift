import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Synchronization
import Tensors
import Testing

@testable import Executor

private func refusal(_ body: () throws(Diagnostic) -> Void) -> Diagnostic? {
  do throws(Diagnostic) {
    try body()
    return nil
  } catch { return error }
}

@Suite struct RobustnessTests {
  /// Programs with random changes to their values that are still valid run to an end or give a diagnostic.
  @Test func changedProgramsNeverTrap() throws {
    var random = SeededGenerator(seed: 31)
    var finished = 0
    for round in 0..<1500 {
      var program = ProgramSampler.program(seed: UInt64(round % 60))
      for _ in 0...random.below(3) { change(&program, &random) }
      guard (try? validate(program)) != nil, steps(program.code) < 100_000 else { continue }
      let inputs = program.inputs.map { port in
        (0..<2 * program.buffers[port.buffer].count).map { _ in extremeFloat(&random) }
      }
      let plan = try ExecutablePlan(program)
      if (try? plan.run(inputs: inputs, samples: 2, threads: 1)) != nil { finished += 1 }
    }
    #expect(finished > 300)
  }

  private func steps(_ body: [Instruction]) -> Int {
    body.reduce(0) { total, instruction in
      guard case .loop(let count, let inner) = instruction.operation else { return total + 1 }
      return total + min(1_000_000, count) * min(1_000_000, 1 + steps(inner))
    }
  }

  private func extremeFloat(_ random: inout SeededGenerator) -> Float {
    switch random.below(6) {
    case 0: return [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude, -0.0][random.below(5)]
    default: return Float(random.unit() * 4 - 2)
    }
  }

  private func change(_ program: inout Program, _ random: inout SeededGenerator) {
    // Layers of zeros alone have no blocks.
    let kinds = program.blocks.isEmpty ? [0, 3, 5, 6] : [0, 1, 2, 3, 4, 5, 6]
    switch kinds[random.below(kinds.count)] {
    case 0:
      let layer = random.below(program.layers.count)
      program.layers[layer].readout?.adcBits = random.inside(1...16)
      program.layers[layer].readout?.dacBits = random.inside(1...8)
    case 1:
      let block = random.below(program.blocks.count)
      let row = random.below(program.blocks[block].rows.count)
      program.blocks[block].rows[row].shift = random.below(62)
    case 2:
      let block = random.below(program.blocks.count)
      let column = random.below(program.blocks[block].columns.count)
      program.blocks[block].columns[column].shift = random.below(62)
    case 3:
      program.layers[random.below(program.layers.count)].coding.offset = Int64(
        truncatingIfNeeded: random.next() >> 32)
    case 4:
      let block = random.below(program.blocks.count)
      let (height, width) = (random.inside(1...24), random.inside(1...24))
      program.blocks[block].units =
        random.chance(0.5) ? .dynamic(height: height, width: width) : .fixed(height: height, width: width)
    case 5:
      let place = random.below(program.code.count)
      if case .digital(_, let inputs, let output) = program.code[place].operation {
        program.code[place].operation = .digital(extremeOperator(&random), inputs: inputs, output: output)
      }
    default:
      let (from, to) = (random.below(program.code.count), random.below(program.code.count))
      program.code.swapAt(from, to)
    }
  }

  private func extremeOperator(_ random: inout SeededGenerator) -> DigitalOperator {
    let scales: [Float] = [0, -1, .infinity, .leastNonzeroMagnitude, 1e30, -.infinity]
    let scale = scales[random.below(scales.count)]
    switch random.below(5) {
    case 0: return .quantize(scale: scale, zero: .max, low: 0, high: 1)
    case 1: return .dequantize(scale: scale, zero: random.chance(0.5) ? .min : .max)
    case 2:
      return .requantize(
        Requantization(
          multipliers: [Int64(Int32.max)], shifts: [Int64(random.inside(1...62))], zero: .min, low: 0,
          high: 1, axis: 1))
    case 3: return .unary(.clip(low: 1, high: -1))
    default: return .lookup(table: [1, 0], first: random.chance(0.5) ? .max : .min)
    }
  }

  @Test func refusesWrongInputs() throws {
    let plan = try ExecutablePlan(ProgramSampler.program(seed: 3))
    #expect(
      refusal { () throws(Diagnostic) in _ = try plan.run(inputs: [], samples: 1, threads: 1) }?.id
        == "execute.input")
    #expect(
      refusal { () throws(Diagnostic) in _ = try plan.run(inputs: [[1]], samples: 7, threads: 1) }?.id
        == "execute.input")
    #expect(
      refusal { () throws(Diagnostic) in _ = try plan.run(inputs: [[]], samples: .max, threads: 1) }?.id
        == "execute.input")
    #expect(try plan.run(inputs: [[]], samples: 0, threads: 4).samples == 0)
  }

  @Test func refusesInvalidPrograms() {
    var program = ProgramSampler.program(seed: 3)
    program.layers[0].readout?.adcBits = 0
    #expect(refusal { () throws(Diagnostic) in _ = try ExecutablePlan(program) }?.id == "program.layer")
  }

  /// -128 has no counterpart among the magnitudes of 7 bits.
  @Test func refusesInputsWithoutACounterpart() throws {
    let machine = sampleMachine(rows: 4, columns: 4)
    let layer = Layer(
      name: "l", inputs: 1, outputs: 1, inputBits: 8, inputSigned: true, dacBits: 1, adcBits: 6, offset: 0,
      blocks: [])
    var program = LayerCase.program(machine, [], layer, [], .integer(bits: 8, signed: true), rows: 1)
    program.code[0].operation = .digital(
      .quantize(scale: 1, zero: 0, low: -128, high: 127), inputs: [0], output: 1)
    let plan = try ExecutablePlan(program)
    #expect(try plan.run(inputs: [[-127]], samples: 1, threads: 1).outputs == [[0]])
    let error = refusal { () throws(Diagnostic) in _ = try plan.run(inputs: [[-128]], samples: 1, threads: 1)
    }
    #expect(error?.id == "execute.input-range")
  }

  /// An operator's result that the buffer's type cannot hold, at the node that computes it.
  @Test func refusesResultsOutOfRange() throws {
    let machine = sampleMachine(rows: 4, columns: 4)
    let i8 = ElementType.integer(bits: 8, signed: true)
    let node = NodeOrigin(index: 7, name: "sum", op: "Add")
    let program = Program(
      name: "p", machine: machine, inputs: [Port(name: "x", buffer: 0)],
      outputs: [Port(name: "y", buffer: 3)],
      buffers: [
        Buffer(name: "x", shape: [1], element: .float32), Buffer(name: "q", shape: [1], element: i8),
        Buffer(name: "s", shape: [1], element: i8), Buffer(name: "y", shape: [1], element: .float32),
      ], crossbars: [], layers: [],
      code: [
        Instruction(.digital(.quantize(scale: 1, zero: 0, low: -128, high: 127), inputs: [0], output: 1)),
        Instruction(.digital(.binary(.add), inputs: [1, 1], output: 2), origin: node),
        Instruction(.digital(.dequantize(scale: 1, zero: 0), inputs: [2], output: 3)),
      ], info: [])
    let plan = try ExecutablePlan(program)
    #expect(try plan.run(inputs: [[50]], samples: 1, threads: 1).samples == 1)
    let error = refusal { () throws(Diagnostic) in _ = try plan.run(inputs: [[100]], samples: 1, threads: 1) }
    #expect(error?.id == "execute.range")
    #expect(error?.location.place == .node(node))
  }

  @Test func progressCountsEverySample() throws {
    let program = ProgramSampler.program(seed: 1)
    let plan = try ExecutablePlan(program)
    let counter = Counter()
    let inputs = program.inputs.map { [Float](repeating: 0, count: 50 * program.buffers[$0.buffer].count) }
    _ = try plan.run(inputs: inputs, samples: 50, threads: 3) { counter.add($0) }
    #expect(counter.value == 50)
  }

  /// 32-bit unsigned inputs are kept in 64 bits.
  @Test func widestInputs() throws {
    let machine = sampleMachine(rows: 4, columns: 4, cellBits: 2, adcBits: 8)
    let layer = Layer(
      name: "l", inputs: 2, outputs: 1, inputBits: 32, inputSigned: false, dacBits: 1, adcBits: 8, offset: 1,
      blocks: [])
    let block = Block(
      crossbar: 0, row: 0, column: 0, rows: [RowEntry(input: 1), RowEntry(input: 0, shift: 3)],
      columns: [ColumnEntry(output: 0, shift: 1)], units: .fixed(height: 2, width: 1))
    let cells: [UInt8] = [3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    let program = LayerCase.program(
      machine, [Crossbar(cells: cells)], layer, [block], .integer(bits: 32, signed: false), rows: 1)
    // Floats hold these whole numbers exactly; x0 = 2^31, x1 = 2^20: (3 x1 + 8 x0) * 2 - (x0 + x1).
    let result = try ExecutablePlan(program).run(inputs: [[0x1p31, 0x1p20]], samples: 1, threads: 1)
    #expect(result.outputs == [[Float(0x1p20 * 6 + 0x1p31 * 16 - 0x1p31 - 0x1p20)]])
  }
}

/// A sum that threads add to.
private final class Counter: Sendable {
  private let total = Mutex(0)
  func add(_ count: Int) { total.withLock { $0 += count } }
  var value: Int { total.withLock { $0 } }
}
