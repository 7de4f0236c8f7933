import Evaluation
import DeviceModel
import Driver
import Executor
import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import ProgramFormat
import RunDriver
import Support
import Tensors
import Testing

/// Fetches through input buffers: counts and clocks from the weights and inputs of a layer alone (ReCom; reference:
/// section 5.3).
@Suite("Fetches, end to end")
struct FetchTests {
  /// A layer with whole inputs and outputs without weights, and inputs that are often 0.
  private func structured(_ number: Int, _ random: inout SeededGenerator) -> LayerSample {
    var sample = sparseLayerSample(number, &random)
    (sample.placement, sample.order, sample.signs) = ("intra", "weight-major", .differential)
    let share = random.unit()
    let rows = (0..<sample.rows).map { _ in random.chance(share) }
    for place in sample.weights.indices where !rows[place / sample.columns] { sample.weights[place] = 0 }
    if random.chance(0.5) {
      (sample.array.unitHeight, sample.array.unitWidth) = (sample.array.rows, sample.array.columns)
    }
    let zeros = random.unit()
    sample.x = sample.x.map { random.chance(zeros) ? 0 : $0 }
    return sample
  }

  private func module(_ sample: LayerSample, _ memory: MemorySystem) -> AnyModule {
    var module = sample.module
    module.machine?.memory = memory
    return AnyModule(module)
  }

  private func run(_ sample: LayerSample, _ memory: MemorySystem, vectors: Bool, _ order: String) throws
    -> RunResult
  {
    let removing = vectors ? "remove-zero-lines(scope: layer), " : ""
    let text =
      "slice-bits, \(removing)form-units(lossless: true), plan-fetches(order: \(order)), place-blocks, schedule"
    let plan = try ExecutablePlan(try program(of: try apply(text, to: module(sample, memory))))
    return try plan.run(inputs: [sample.graphInput.floats], samples: 1, threads: 1)
  }

  private func memory(_ random: inout SeededGenerator) -> MemorySystem {
    MemorySystem(
      clockMegahertz: Double(random.inside(1...400)), sramBytes: 4096, bufferBytes: random.inside(128...512),
      dramLatencyNanoseconds: Double(random.below(40)), valuesPerClock: random.inside(1...4))
  }

  /// What a position's buffers hold: numbers of values that enter and of those that are delivered.
  private func buffers(_ sample: LayerSample, _ x: ArraySlice<Int64>, vectors: Bool) -> [(
    entering: Int, delivered: Int, wordlines: Int
  )] {
    let used = (0..<sample.rows).filter { row in
      !vectors || (0..<sample.columns).contains { sample.weights[row * sample.columns + $0] != 0 }
    }
    // The matrix is a single channel: all of it enters, up to the last input of a buffer, the rest with the last one.
    var next = 0
    return stride(from: 0, to: used.count, by: sample.array.rows).map { first in
      let inputs = used[first..<min(first + sample.array.rows, used.count)]
      let isLast = first + sample.array.rows >= used.count
      let end = isLast && vectors ? sample.rows : (inputs.last ?? 0) + 1
      defer { next = end }
      let nonzero = inputs.count { x[x.startIndex + $0] != 0 }
      return (vectors ? end - next : inputs.count, vectors ? nonzero : inputs.count, inputs.count)
    }
  }

  /// Bitlines of the matrix, or of the outputs in use: a digit of each sign for all cells of a magnitude.
  private func bitlines(_ sample: LayerSample, vectors: Bool) -> Int {
    let outputs = (0..<sample.columns).count { column in
      !vectors || (0..<sample.rows).contains { sample.weights[$0 * sample.columns + column] != 0 }
    }
    // The lowest weight has a magnitude of all bits.
    let isLowest = sample.weights.contains(-1 << Int64(sample.weightBits - 1))
    let bits = isLowest ? sample.weightBits : sample.weightBits - 1
    return outputs * 2 * ((bits + sample.array.cellBits - 1) / sample.array.cellBits)
  }

  private struct Expected: Equatable {
    var (fills, skipped, delivered, clocks, stalls) = (0, 0, 0, 0, 0)
  }

  /// Clock by clock sums, by the recurrence as it stands in the reference.
  private func expected(_ sample: LayerSample, _ memory: MemorySystem, vectors: Bool, overlapped: Bool)
    -> Expected
  {
    guard case .integer(let width, let signed) = sample.inputs else { return Expected() }
    let bits = signed ? width - 1 : width
    let digits = (bits + sample.array.dacBits - 1) / sample.array.dacBits * (signed ? 2 : 1)
    let clock = 1000 / memory.clockMegahertz
    let widest = min(bitlines(sample, vectors: vectors), sample.array.columns)
    let across = (widest + sample.array.unitWidth - 1) / sample.array.unitWidth
    var result = Expected()
    for p in 0..<sample.positions {
      let x = sample.x[p * sample.rows..<(p + 1) * sample.rows]
      var (endM, startC, endC, lastWork) = (0, 0, 0, -1)
      for (entering, delivered, wordlines) in buffers(sample, x, vectors: vectors) {
        let activations =
          digits * across * ((wordlines + sample.array.unitHeight - 1) / sample.array.unitHeight)
        let compute = Int((Double(activations) * 10 / clock).rounded(.up))
        let fetch = (entering + memory.valuesPerClock - 1) / memory.valuesPerClock
        result.fills += 1
        result.delivered += delivered
        let start = overlapped ? max(endM, startC) : max(endM, endC)
        endM = start + fetch
        if overlapped && delivered == 0 {
          result.skipped += 1
          startC = endM
        } else {
          startC = max(endM, endC)
          if lastWork >= 0 { result.stalls += startC - lastWork }
          endC = startC + compute
          lastWork = endC
        }
      }
      result.clocks += max(endM, endC)
    }
    // One image for the sample, all of it one channel.
    let isRead = !vectors || sample.weights.contains { $0 != 0 }
    let bytes = isRead ? (sample.positions * sample.rows * width + 7) / 8 : 0
    let accesses = (bytes + memory.bufferBytes - 1) / memory.bufferBytes
    result.clocks += Int((Double(accesses) * memory.dramLatencyNanoseconds / clock).rounded(.up))
    return result
  }

  @Test func countsAndClocksAreThoseOfTheRecurrence() throws {
    var random = SeededGenerator(seed: 121)
    var (wrong, skipped, stalled) = ([String](), 0, 0)
    for number in 0..<500 {
      let sample = structured(number, &random)
      let memory = memory(&random)
      let product = sample.product.map { Float($0) }
      for (vectors, order) in [
        (false, "serial"), (true, "serial"), (true, "double-buffered"), (false, "double-buffered"),
      ] {
        let result = try run(sample, memory, vectors: vectors, order)
        let events = result.total
        let found = Expected(
          fills: events.bufferFills, skipped: events.skippedBuffers, delivered: events.inputFetches.buffer,
          clocks: events.clocks, stalls: events.stallClocks)
        let expected = expected(sample, memory, vectors: vectors, overlapped: order == "double-buffered")
        if found != expected { wrong.append("\(number) \(vectors) \(order): \(found), expected \(expected)") }
        if result.outputs[0] != product { wrong.append("\(number) \(vectors) \(order): outputs") }
        if events.cycles != 0 { wrong.append("\(number): cycles") }
        skipped += events.skippedBuffers
        stalled += events.stallClocks
      }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    #expect(skipped > 200 && stalled > 1000, "\(skipped) \(stalled)")
  }

  /// A skipped buffer's crossbars read and convert nothing; everything else is as without skipping.
  @Test func skippedBuffersAreNotConverted() throws {
    var random = SeededGenerator(seed: 122)
    var skipped = 0
    for number in 0..<200 {
      let sample = structured(number, &random)
      let memory = memory(&random)
      let all = try run(sample, memory, vectors: true, "serial").total
      let some = try run(sample, memory, vectors: true, "double-buffered").total
      if some.skippedBuffers == 0 {
        #expect(all.adcConversions == some.adcConversions && all.ouActivations == some.ouActivations)
      } else {
        #expect(all.adcConversions > some.adcConversions && all.ouActivations > some.ouActivations)
        skipped += 1
      }
      #expect(all.wordlineDrives == some.wordlineDrives && all.cellReads == some.cellReads)
      #expect(some.clocks <= all.clocks)
      #expect(some.shiftAdds == some.adcConversions)
    }
    #expect(skipped > 30)
  }

  /// Without any sparsity, fetching by sparsity masks takes as long and stores one bit for each input and output, no
  /// more.
  @Test func withoutZerosNothingIsGained() throws {
    var random = SeededGenerator(seed: 123)
    for _ in 0..<50 {
      var sample = LayerSample()
      (sample.rows, sample.columns) = (random.inside(1...90), random.inside(1...6))
      sample.weights = (0..<sample.rows * sample.columns).map { _ in Int64(random.inside(1...127)) }
      sample.x = (0..<sample.rows).map { _ in Int64(random.inside(1...15)) }
      sample.inputs = .integer(bits: 4, signed: false)
      (sample.array.rows, sample.array.columns) = (32, 32)
      let memory = memory(&random)
      let base = try run(sample, memory, vectors: false, "serial").total
      let swof = try run(sample, memory, vectors: true, "serial").total
      #expect(base.clocks == swof.clocks && base.adcConversions == swof.adcConversions)
      #expect(base.inputFetches == swof.inputFetches)
      #expect(base.indexBits == 0 && swof.indexBits == sample.rows + sample.columns)
    }
  }

  /// Memories at the ends of their ranges give large counts, not traps.
  @Test(arguments: [1e-6, 1e9], [0.0, 1e9]) func extremeMemories(clock: Double, latency: Double) throws {
    var random = SeededGenerator(seed: 125)
    let sample = structured(3, &random)
    let memory = MemorySystem(
      clockMegahertz: clock, sramBytes: 1, bufferBytes: 512, dramLatencyNanoseconds: latency,
      valuesPerClock: 65_536)
    for order in ["serial", "double-buffered"] {
      let result = try run(sample, memory, vectors: true, order)
      #expect(result.outputs[0] == sample.product.map { Float($0) })
    }
    #expect(memory.clocks(in: 0) == 0 && memory.clocks(in: .infinity) == 1 << 62)
    #expect(memory.clocks(in: 1.5 * memory.clockNanoseconds) == 2)
  }

  /// A layer that two products use is fetched twice, also by the dense baseline.
  @Test func sharedLayersAreFetchedForEachUse() throws {
    let text = """
      xir 2
      module @two level crossbar facts [shaped] {
        machine recom
        %x = input [name: "x"] : tensor<1x16xf32>
        %q = quantize %x [scale: 1.0, zero: 0, low: 0, high: 15] : tensor<1x16xu4>
        layer @a [rows: 16, columns: 1, inputs: u4, weight-bits: 4, weights: [[1], [2], [3], [4], [5], [6], [7], [1], [2], [3], [4], [5], [6], [7], [1], [2]]] {
        }
        %v = window %q [window: window(1x1x1x16, kernel 1x16, out 1x1), padding: 0] : tensor<1x16xu4>
        %r = mvm %v [layer: @a] : tensor<1x1xi64>
        %s = mvm %v [layer: @a] : tensor<1x1xi64>
        %t = col2im %r, %s : tensor<1x2xi64>
        %y = dequantize %t [scale: 1.0, zero: 0] : tensor<1x2xf32>
        output %y [name: "y"]
      }

      """
    let passes = "slice-bits, form-units, plan-fetches(order: serial), place-blocks, schedule"
    let program = try program(of: try apply(passes, to: try parseModule(text) { _ in nil }))
    let run = try ExecutablePlan(program).run(
      inputs: [(0..<16).map { Float($0) }], samples: 1, threads: 1)
    let dense = try #require(try run.baselines(of: program).first)
    #expect(run.layers[0].events.positions == 2 && run.layers[0].events.inputFetches.dram == 32)
    for field in Events.fields {
      #expect(dense.total[keyPath: field.path] == run.total[keyPath: field.path], "\(field.name)")
    }
  }

  /// An image that does not fit the SRAM is read window by window: conv2 reads 64 windows of 25 values of each channel,
  /// not 144 values of it.
  @Test func imagesThatDoNotFitAreReadAgain() throws {
    var program = try decode(
      try compile(request("lenet5-grouplasso", "fashion-mnist", scheme: "recom")).bytes, file: "a")
    let set = try SampleSet(input: dataPath("fashion-mnist", "test"), limit: 1, for: program.samplePorts)
    func conv2(_ bytes: Int) throws -> Events {
      program.machine.memory?.sramBytes = bytes
      let run = try ExecutablePlan(program).run(inputs: set.inputs, samples: 1, threads: 1)
      return try #require(run.layers.first { $0.name == "conv2" }).events
    }
    // 16-bit values.
    let image = try conv2(1 << 17).inputFetches.dram
    #expect(image % 144 == 0 && image < 20 * 144)
    #expect(try conv2(2 * image).inputFetches.dram == image)
    let again = try conv2(2 * image - 1)
    #expect(again.inputFetches.dram == image / 144 * 25 * 64)
    #expect(try conv2(1 << 17).clocks < again.clocks)
  }

  /// Chains of layers: networks that lose filters, channels and positions give the same outputs when what they lost is
  /// left out, and inputs that never change are folded into the next bias, as with every cell mapped.
  @Test(arguments: ["lenet5", "digits", "mlp"]) func chainsOfPrunedLayers(model: String) throws {
    let data = model == "digits" ? "digits" : "fashion-mnist"
    var random = SeededGenerator(seed: 124)
    for _ in 0..<4 {
      let shares = (0..<3).map { _ in Float(random.below(8)) / 10 }
      let front =
        "infer-shapes, fold-constants, fold-batchnorm, prune-groups(filters: \(shares[0]), channels: \(shares[1]), "
        + "shapes: \(shares[2])), calibrate, quantize, lower-to-crossbar, "
      let back = "form-units(lossless: true), place-blocks, schedule, lower-to-program"
      let results = try [
        "slice-bits, ", "fold-constant-inputs, slice-bits, remove-zero-lines(scope: layer), ",
      ].map { middle in
        var request = request(model, data)
        request.pipeline = front + middle + back
        let program = try decode(try compile(request).bytes, file: "a")
        let set = try SampleSet(input: dataPath(data, "test"), limit: 10, for: program.samplePorts)
        return try ExecutablePlan(program).run(inputs: set.inputs, samples: 10, threads: 2)
      }
      #expect(results[0].outputs == results[1].outputs, "\(model) \(shares)")
      let fetched = results.map(\.total.inputFetches.sram)
      #expect(fetched[1] < fetched[0] || shares[0] + shares[1] == 0 || model == "mlp", "\(model) \(shares)")
    }
  }

  /// The scheme of ReCom's baseline is the dense baseline beside the others, to the last count and picojoule.
  @Test func theBaselineIsThatOfEveryRun() throws {
    func record(_ scheme: String) throws -> (Program, RunResult) {
      let program = try decode(
        try compile(request("lenet5-grouplasso", "fashion-mnist", scheme: scheme)).bytes, file: "a")
      let set = try SampleSet(input: dataPath("fashion-mnist", "test"), limit: 20, for: program.samplePorts)
      return (program, try ExecutablePlan(program).run(inputs: set.inputs, samples: 20, threads: 2))
    }
    let (base, baseRun) = try record("recom-base")
    var outputs: [[[Float]]] = []
    var energies: [Double] = []
    for scheme in ["recom-base", "recom-swof", "recom"] {
      let (program, run) = try record(scheme)
      let dense = try #require(try run.baselines(of: program).first)
      for field in Events.fields {
        #expect(
          dense.total[keyPath: field.path] == baseRun.total[keyPath: field.path], "\(scheme) \(field.name)")
      }
      #expect(dense.crossbars == base.crossbars.count)
      outputs.append(run.outputs)
      energies.append(
        run.layers.reduce(0) {
          $0 + cost(of: $1.events, machine: program.machine, adcBits: $1.adcBits).energyPicojoules.total
        })
      #expect(run.total.clocks <= baseRun.total.clocks)
    }
    #expect(outputs[0] == outputs[1] && outputs[1] == outputs[2])
    #expect(energies[2] <= energies[1] && energies[1] < energies[0])
  }
}
