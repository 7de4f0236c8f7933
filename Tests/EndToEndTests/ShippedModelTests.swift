import CodeGen
import Evaluation
import Report
import DeviceModel
import Driver
import Executor
import Foundation
import Hardware
import IR
import Import
import Mapping
import ONNX
import Passes
import ProgramFormat
import Evaluator
import RunDriver
import RunDriver
import Support
import Tensors
import Testing

private let updatesGoldens = ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1"
private let isLong = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"

/// Every model that comes with the package, all the way.
@Suite("Shipped models")
struct ShippedModelTests {
  @Test(arguments: shippedModels) func compilesToTheSameBytesEveryTime(model: String, data: String) throws {
    var second = request(model, data)
    second.jobs = 2
    let (a, b) = (try compile(request(model, data)), try compile(second))
    #expect(a.bytes == b.bytes)
    #expect(try encode(try decode(a.bytes, file: "a")) == a.bytes)
  }

  @Test(arguments: shippedModels) func disassembledAndAssembledGivesTheSameBytes(model: String, data: String)
    throws
  {
    for scheme in ["dense", "sre", "occ", "sme", "recom"] { try expectSameBytes(model, data, scheme) }
  }

  private func expectSameBytes(_ model: String, _ data: String, _ scheme: String) throws {
    let bytes = try compile(request(model, data, scheme: scheme)).bytes
    let lifted = AnyModule.program(liftProgram(try decode(bytes, file: "a")))
    let arrays = Dictionary(uniqueKeysWithValues: lifted.resources.map { ($0.name, $0.tensor) })
    let parsed = try parseModule(lifted.text) { arrays[$0] }
    #expect(verify(parsed).isEmpty)
    #expect(parsed.text == lifted.text)
    guard case .program(let module) = parsed else {
      Issue.record("the text is at another level")
      return
    }
    #expect(try encode(try emitProgram(module)) == bytes)
  }

  @Test(arguments: shippedModels) func everyLevelPrintsAndParses(model: String, data: String) throws {
    for scheme in ["dense", "sre", "occ"] { try expectRoundTrips(model, data, scheme) }
  }

  private func expectRoundTrips(_ model: String, _ data: String, _ name: String) throws {
    var texts: [String] = []
    let steps = try scheme(named: name).calls()
    var module = try imported(model)
    var context = PassContext(calibration: try samples(model, data, 4))
    for call in steps {
      module = try PassRegistry.standard.entry(named: call.name).apply(to: module, call.options, in: &context)
      let arrays = Dictionary(uniqueKeysWithValues: module.resources.map { ($0.name, $0.tensor) })
      let parsed = try parseModule(module.text) { arrays[$0] }
      #expect(verify(parsed).isEmpty, "after \(call.text)")
      #expect(parsed.text == module.text, "after \(call.text)")
      texts.append(module.text)
    }
    #expect(texts.count == steps.count)
  }

  @Test(arguments: shippedModels) func locationsLeadBackToTheModel(model: String, data: String) throws {
    let program = try decode(try compile(request(model, data)).bytes, file: "a")
    func check(_ code: [Instruction]) {
      for instruction in code {
        if case .loop(_, let body) = instruction.operation {
          #expect(instruction.origin != nil)
          check(body)
        }
      }
    }
    check(program.code)
    // A part of a node, such as a group or the recurrent matrix, has its name behind that of the node.
    let origins = Set(
      program.code.compactMap { $0.origin?.name.replacing("/", with: "_") })
    for layer in program.layers {
      let nodes = layer.name.indices.filter { layer.name[$0] == "." }.map { String(layer.name[..<$0]) }
      #expect(!origins.isDisjoint(with: nodes + [layer.name]), "\(layer.name) is named after no node")
    }
  }

  /// The executor equals the interpreter bit for bit, with lossless and with saturating converters, and with every
  /// way to quantize.
  @Test(arguments: [
    "", "form-units(adc: 3)", "quantize(weights: 4, inputs: 5), slice-bits(signs: twos-complement)",
    "quantize(scale: output), slice-bits(signs: offset, order: slice-major)",
    "slice-bits(signs: offset, offset: output)",
    "quantize(signed: zero-point), slice-bits(placement: inter, cell: 1)",
    "quantize(weights: 16, inputs: 16), form-units(height: 9, width: 8, lossless: true)",
  ])
  func executorEqualsTheInterpreter(options: String) throws {
    for (model, data, count) in [("digits", "digits", 6), ("mlp", "fashion-mnist", 1)] {
      let calls = try scheme(named: "dense").calls(overriding: try parsePipeline(options))
      var module = try imported(model)
      let inputs = try samples(model, data, 8)
      var context = PassContext(calibration: inputs)
      for call in calls where call.name != "lower-to-program" {
        module = try PassRegistry.standard.entry(named: call.name).apply(
          to: module, call.options, in: &context)
      }
      guard case .crossbar(let crossbars) = module else { continue }
      let interpreter = try Interpreter(crossbars)
      let plan = try ExecutablePlan(try program(of: module))
      let chosen = inputs.prefix(count)
      let result = try plan.run(inputs: [chosen.flatMap { $0[0].floats }], samples: chosen.count, threads: 1)
      var (outputs, saturations): ([Float], Int) = ([], 0)
      for input in chosen {
        let evaluation = try interpreter.evaluate(input)
        outputs += evaluation.outputs[0].floats
        saturations += evaluation.saturations.values.reduce(0, +)
      }
      #expect(result.outputs[0] == outputs, "\(model) with \(options)")
      #expect(result.total.adcSaturations == saturations, "\(model) with \(options)")
    }
  }

  @Test(arguments: ["dense", "isaac", "sre", "naive-a", "sme"]) func threadsDoNotMatter(scheme: String) throws
  {
    let program = try decode(try compile(request("digits", "digits", scheme: scheme)).bytes, file: "a")
    let values = try testSet("digits", program, 100).inputs[0]
    let plan = try ExecutablePlan(program)
    let one = try plan.run(inputs: [values], samples: 100, threads: 1)
    for threads in [2, 3, 7] {
      #expect(try plan.run(inputs: [values], samples: 100, threads: threads) == one)
    }
  }

  /// 8-bit accuracy within 0.5 points of float and 16-bit accuracy within 0.1: LeNet-5 and digits on the whole test
  /// set, the others on the first 1,000 images unless long tests are on.
  @Test(arguments: shippedModels) func accuracyIsThatOfFloats(model: String, data: String) throws {
    for (scheme, bits, bound) in [("dense", 8, 0.5), ("isaac", 8, 0.5), ("dense", 16, 0.1)] {
      let options = "quantize(weights: \(bits), inputs: \(bits))"
      let program = try decode(
        try compile(request(model, data, scheme: scheme, options: options)).bytes, file: "a")
      let set = try testSet(data, program, model == "lenet5" || isLong ? nil : 1000)
      let labels = try #require(set.labels)
      let result = try ExecutablePlan(program).run(inputs: set.inputs, samples: set.count, threads: 2)
      let crossbars = try Accuracy(scores: result.outputs[0], classes: 10, labels: labels).top1
      let float = try evaluateFloat(
        model: modelPath(model), input: dataPath(data, "test"), labels: nil, limit: set.count, threads: 2,
        quiet: true)
      let floats = try #require(float.accuracy).top1
      // One image of 360 is 0.28 points: one is always granted.
      let difference = abs(crossbars - floats)
      #expect(
        difference <= max(1, Int(Double(set.count) * bound / 100)),
        "\(model), \(scheme), \(bits) bits: \(crossbars) of \(set.count) right on crossbars, \(floats) in floats"
      )
    }
  }

  /// Lossless schemes give the outputs of the dense mapping, and tell beside their own events what the dense mapping
  /// and the over-idealized array do, to the last count and picojoule.
  @Test(arguments: [("digits", "digits"), ("lenet5-pruned90", "fashion-mnist")])
  func schemesEqualDenseAndKnowTheirBaselines(model: String, data: String) throws {
    func run(_ scheme: String) throws -> RunRecord {
      let program = try decode(try compile(request(model, data, scheme: scheme)).bytes, file: "a")
      return try RunDriver.run(program, on: try testSet(data, program, 50), threads: 2)
    }
    let (dense, isaac) = (try run("dense"), try run("isaac"))
    let linear = schemes.filter { $0.steps.contains { $0.text == "quantize" } }
    for scheme in linear.map(\.name) {
      let result = try run(scheme)
      #expect(result.outputs == dense.outputs, "\(scheme)")
      #expect(result.baselines.map(\.name) == ["dense", "idealized"])
      for (baseline, whole) in zip(result.baselines, scheme == "isaac" ? [isaac, isaac] : [dense, isaac]) {
        #expect(baseline.total == whole.total.events, "\(scheme) beside \(baseline.name)")
        #expect(baseline.crossbars == whole.program.crossbars.count)
        #expect(
          abs(baseline.totalCost.energyPicojoules.total / whole.total.cost.energyPicojoules.total - 1) < 1e-12
        )
        #expect(baseline.totalCost.latencyNanoseconds == whole.total.cost.latencyNanoseconds)
      }
    }
  }

  /// Every position of a layer reads its tables once: the storage that a compilation reports is what a run reads.
  @Test func tablesThatAreStoredAreRead() throws {
    let mixtures = [
      ("sre", "encode-indices(bits: auto)"), ("occ", "compress-columns(height: 8)"),
      ("occ", "encode-indices(bits: absolute)"), ("sme", "squeeze-bits(planes: 2)"),
      ("clustered", "cluster-columns(order: greedy)"), ("sme", "quantize(window: 2)"),
    ]
    for (scheme, options) in schemes.map({ ($0.name, "") }) + mixtures {
      let compiled = try compile(request("digits", "digits", scheme: scheme, options: options))
      let program = try decode(compiled.bytes, file: "a")
      let set = try testSet("digits", program, 3)
      let run = try ExecutablePlan(program).run(inputs: set.inputs, samples: 3, threads: 1)
      for (record, layer) in zip(compiled.record.layers, run.layers) {
        let stored = record.indexBits + record.shiftBits
        #expect(
          layer.events.indexBits == layer.events.positions * stored, "\(scheme), \(options): \(record.name)")
      }
    }
  }

  /// LeNet-5 with 16-bit weights in 2-bit cells, without sign columns: 246 crossbars, and 1,206,080 activations of
  /// 16x16 units for 16 input bits.
  @Test func publishedCountsOfLeNet() throws {
    let options = "quantize(weights: 16, inputs: 16), slice-bits(signs: offset)"
    let result = try compile(request("lenet5", "fashion-mnist", options: options))
    #expect(result.record.total.crossbars == 246)
    let program = try decode(result.bytes, file: "a")
    let set = try testSet("fashion-mnist", program, 1)
    let run = try ExecutablePlan(program).run(inputs: set.inputs, samples: 1, threads: 1)
    #expect(run.total.ouActivations == 1_206_080)
    #expect(run.layers.map { $0.events.ouActivations } == [184_320, 819_200, 200_000, 2560])
  }

  /// The counts of every model stand in its `report.txt`, so that a change shows its effect.
  @Test(arguments: shippedModels) func reportIsTheGolden(model: String, data: String) throws {
    var text = ""
    for scheme in ["dense", "isaac", "sre", "sme", "prime", "clustered", "recom"] {
      let compiled = try compile(request(model, data, scheme: scheme))
      let program = try decode(compiled.bytes, file: "a")
      let set = try testSet(data, program, 100)
      let run = try ExecutablePlan(program).run(inputs: set.inputs, samples: set.count, threads: 2)
      text += compiled.record.text + "\n" + eventTable(run, program, set.count) + "\n"
    }
    let path = "\(packageRoot)/models/\(model)/report.txt"
    if updatesGoldens { try text.write(toFile: path, atomically: true, encoding: .utf8) }
    let golden = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    #expect(text == golden, "UPDATE_GOLDENS=1 rewrites \(path); read it before you commit it")
  }

  private func eventTable(_ run: RunResult, _ program: Program, _ count: Int) -> String {
    var table = TextTable([.init("\(count) images", .left), .init("total")])
    for field in Events.fields { table.add([field.name, grouped(run.total[keyPath: field.path])]) }
    let top1 = rows(run, program).map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
    table.add(["sum of classes", grouped(top1.reduce(0, +))])
    return table.plain
  }

  // MARK: Helpers

  private func imported(_ model: String) throws -> AnyModule {
    let machine = try Machine.target(named: "sre")
    guard case .tensor(var module) = try importedModule(modelPath(model)) else {
      throw Diagnostic("test.level", "the import gave another level")
    }
    module.machine = machine
    return .tensor(module)
  }

  private func samples(_ model: String, _ data: String, _ count: Int) throws -> [[Tensor]] {
    guard case .tensor(let module) = try importedModule(modelPath(model)),
      let input = module.bodyOps.first(where: { $0.opcode == .input })
    else { return [] }
    let port = SamplePort(name: "image", shape: try #require(module.values[input.results[0]].type.shape))
    let set = try SampleSet(input: dataPath(data, "calibration"), limit: count, for: [port])
    return (0..<set.count).map { set.sample($0, for: [port]) }
  }

  private func testSet(_ data: String, _ program: Program, _ limit: Int?) throws -> SampleSet {
    try SampleSet(input: dataPath(data, "test"), limit: limit, for: program.samplePorts)
  }
}
