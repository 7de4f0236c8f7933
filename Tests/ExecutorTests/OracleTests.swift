import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Tensors
import Testing

@testable import Executor

extension LevelTests {
  @Suite(.serialized) struct OracleTests {
    /// Every readout by its definition and by kernels: outputs, events and saturations.
    @Test func kernelsGiveWhatReadoutsAreDefinedToGive() throws {
      var (saturations, composed, coarse, units) = (0, 0, 0, Set<String>())
      for seed in 1000..<1300 {
        let sample = LayerCase(seed: UInt64(seed))
        let inputs = [sample.inputs.flatMap { $0 }]
        let byDefinition = try ExecutablePlan(sample.program, values: .reference)
        let expected = try byDefinition.run(inputs: inputs, samples: sample.inputs.count, threads: 1)
        let found = try ExecutablePlan(sample.program).run(
          inputs: inputs, samples: sample.inputs.count, threads: 1)
        #expect(found == expected, "seed \(seed)")
        let layer = sample.program.layers[0]
        #expect(byDefinition.layers[0].patterns.isEmpty && byDefinition.layers[0].dense == nil)
        saturations += expected.total.adcSaturations
        if layer.bitlinesPerConversion > 1 { composed += 1 }
        if layer.converter.step > 1 { coarse += 1 }
        for block in layer.blocks { units.insert(block.formedUnits.keyword) }
      }
      #expect(saturations > 1000 && composed > 20 && coarse > 20 && units.count == 3)
    }

    @Test func layersAgreeWithTheOracle() throws {
      defer { xbar_use_level(xbar_best_level()) }
      var methods: Set<Method> = []
      var (saturations, vectors) = (0, 0)
      var products: Set<Bool> = []
      for seed in 0..<600 {
        let sample = LayerCase(seed: UInt64(seed))
        let plan = try ExecutablePlan(sample.program)
        for pattern in plan.layers[0].patterns { methods.insert(pattern.method) }
        if let gathered = plan.layers[0].gathered { products.insert(gathered.isNarrow) }
        let expected = try Expected(sample.program, sample.inputs.map { [$0] })
        for level in Int32(0)...xbar_best_level() {
          xbar_use_level(level)
          let result = try plan.run(
            inputs: [sample.inputs.flatMap { $0 }], samples: sample.inputs.count, threads: 1)
          saturations += result.total.adcSaturations
          vectors += result.total.wordlineVectors
          expected.compare(result, "seed \(seed) level \(level)")
        }
      }
      let steps = methods.filter { if case .steps = $0 { return true } else { return false } }
      #expect(steps.count > 5)
      #expect(
        methods.subtracting(steps) == [
          .nibbles(wide: false), .nibbles(wide: true), .bits, .cells, .listed, .composed,
        ])
      #expect(products == [false, true])
      #expect(saturations > 1000 && vectors > 1000)
    }

    /// Codes by multiplication are those by division, wherever they are said to be exact.
    @Test func divisionsAreExact() {
      var random = SeededGenerator(seed: 78)
      var exact = 0
      for step in Array(2...600) + (0..<300).map({ _ in random.inside(601...70_000) }) {
        let largest = random.inside(1...65_535)
        let converter = Converter(bits: 4, fullScale: 15 * step)
        #expect(converter.step == step)
        guard let division = StepDivision(converter, upTo: largest) else { continue }
        exact += 1
        #expect(division.factor <= 65_535 && largest + division.half <= 65_535)
        for sum in stride(from: 0, through: largest, by: 1 + largest / 500) {
          let code = ((sum + division.half) * division.factor) >> (16 + division.shift)
          #expect(min(code, 15) * step == converter.convert(sum), "\(sum) by \(step)")
        }
      }
      #expect(exact > 200)
    }

    /// Blocks with more units above each other, and more wordlines in a unit, than 8 bits count.
    @Test(arguments: [
      (UnitForming.fixed(height: 1, width: 2), Method.nibbles(wide: false)),
      (.zeroSkipping(height: 2, width: 2), .nibbles(wide: false)), (.dynamic(height: 1, width: 2), .bits),
      (.dynamic(height: 300, width: 2), .bits), (.dynamic(height: 3, width: 2), .cells),
    ])
    func tallBlocksAgreeWithTheOracle(_ units: UnitForming, _ method: Method) throws {
      defer { xbar_use_level(xbar_best_level()) }
      var random = SeededGenerator(seed: 77)
      let block = Block(
        crossbar: 0, row: 0, column: 0, rows: (0..<700).map { _ in RowEntry(input: random.below(40)) },
        columns: (0..<3).map { ColumnEntry(output: $0, shift: 0) }, units: units)
      let cells = (0..<2100).map { _ in UInt8(random.below(4)) }
      let layer = Layer(
        name: "tall", inputs: 40, outputs: 3, inputBits: 5, inputSigned: true, dacBits: 1, adcBits: 1,
        offset: 0, blocks: [])
      let program = LayerCase.program(
        sampleMachine(rows: 700, columns: 3), [Crossbar(cells: cells)], layer, [block],
        .integer(bits: 5, signed: true), rows: 35)
      let plan = try ExecutablePlan(program)
      #expect(plan.layers[0].patterns.map(\.method) == [method])
      let inputs = (0..<35 * 40).map { _ in Float(random.inside(-15...15)) }
      let expected = try Expected(program, [[inputs]])
      for level in Int32(0)...xbar_best_level() {
        xbar_use_level(level)
        expected.compare(try plan.run(inputs: [inputs], samples: 1, threads: 1), "level \(level)")
      }
    }

    @Test func programsAgreeWithTheOracle() throws {
      for seed in 0..<150 {
        let program = withoutFetches(ProgramSampler.program(seed: UInt64(seed)))
        let inputs = randomInputs(program, samples: 3, seed: UInt64(seed))
        let plan = try ExecutablePlan(program)
        let result: RunResult
        do throws(Diagnostic) {
          result = try plan.run(inputs: inputs.flattened, samples: 3, threads: 1)
        } catch {
          var oracle = Oracle(program)
          #expect(throws: Diagnostic.self, "\(error)") {
            for sample in inputs.samples { _ = try oracle.run(sample) }
          }
          continue
        }
        try Expected(program, inputs.samples).compare(result, "seed \(seed)")
      }
    }

    /// Planned fetches change time, what buffers and the memory outside of the chip do, and what empty buffers leave
    /// out; nothing else, whatever the program.
    @Test func fetchesChangeTheirOwnCounts() throws {
      let own: Set = [
        "cycles", "bufferFills", "skippedBuffers", "clocks", "stallClocks", "inputFetches.dram",
        "inputFetches.buffer", "dramWrites",
      ]
      var compared = 0
      for seed in 0..<200 {
        let program = ProgramSampler.program(seed: UInt64(seed))
        guard program.layers.contains(where: { $0.fetch != nil }) else { continue }
        let inputs = randomInputs(program, samples: 2, seed: UInt64(seed))
        func run(_ program: Program) -> RunResult? {
          try? ExecutablePlan(program).run(inputs: inputs.flattened, samples: 2, threads: 1)
        }
        guard let planned = run(program), let plain = run(withoutFetches(program)) else { continue }
        #expect(planned.outputs.map { $0.map(\.bitPattern) } == plain.outputs.map { $0.map(\.bitPattern) })
        for (number, layer) in program.layers.enumerated() {
          let (a, b) = (planned.layers[number].events, plain.layers[number].events)
          let skips = a.skippedBuffers > 0
          for field in Events.fields where layer.fetch == nil || !own.contains(field.name) {
            let isLess = skips && ["ouActivations", "adcConversions", "shiftAdds"].contains(field.name)
            let (x, y) = (a[keyPath: field.path], b[keyPath: field.path])
            #expect(isLess ? x <= y : x == y, "seed \(seed) \(field.name)")
          }
          if layer.fetch != nil { compared += a.bufferFills }
        }
      }
      #expect(compared > 500)
    }

    private func withoutFetches(_ program: Program) -> Program {
      var program = program
      for layer in program.layers.indices { program.layers[layer].fetch = nil }
      return program
    }

    @Test func threadsDoNotMatter() throws {
      for seed in 0..<20 {
        let program = ProgramSampler.program(seed: UInt64(seed))
        let inputs = randomInputs(program, samples: 70, seed: 1)
        let plan = try ExecutablePlan(program)
        let expected = try? plan.run(inputs: inputs.flattened, samples: 70, threads: 1)
        for threads in [2, 5, 70] {
          let result = try? plan.run(inputs: inputs.flattened, samples: 70, threads: threads)
          #expect(result?.total == expected?.total && result?.layers == expected?.layers)
          // Bits, as NaN is not equal to itself.
          let bits = [result, expected].map { $0?.outputs.map { $0.map(\.bitPattern) } }
          #expect(bits[0] == bits[1])
        }
      }
    }
  }
}

/// What the oracle says about a program and some samples.
struct Expected {
  let oracle: Oracle
  private(set) var outputs: [[Float]]

  init(_ program: Program, _ samples: [[[Float]]]) throws {
    var oracle = Oracle(program)
    outputs = [[Float]](repeating: [], count: program.outputs.count)
    for sample in samples {
      for (port, values) in try oracle.run(sample).enumerated() { outputs[port] += values }
    }
    self.oracle = oracle
  }

  /// Compares outputs, to the bit, and all events.
  func compare(_ result: RunResult, _ name: String) {
    #expect(result.outputs.map { $0.map(\.bitPattern) } == outputs.map { $0.map(\.bitPattern) }, "\(name)")
    for (layer, expected) in zip(result.layers, oracle.events) { compare(layer.events, expected, name) }
    compare(result.digital, oracle.digital, name)
  }

  private func compare(_ found: Events, _ expected: Events, _ name: String) {
    guard found != expected else { return }
    for field in Events.fields {
      #expect(found[keyPath: field.path] == expected[keyPath: field.path], "\(name) \(field.name)")
    }
  }
}

/// Inputs by sample and port, and by port with all samples.
struct RandomInputs {
  let samples: [[[Float]]]
  var flattened: [[Float]] {
    (samples.first ?? []).indices.map { port in samples.flatMap { $0[port] } }
  }
}

func randomInputs(_ program: Program, samples: Int, seed: UInt64) -> RandomInputs {
  var random = SeededGenerator(seed: seed)
  return RandomInputs(
    samples: (0..<samples).map { _ in
      program.inputs.map { port in
        (0..<program.buffers[port.buffer].count).map { _ in Float(random.unit() * 3 - 1) }
      }
    })
}
