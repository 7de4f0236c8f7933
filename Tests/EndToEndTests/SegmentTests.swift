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
import Passes
import ProgramFormat
import RunDriver
import Support
import Tensors
import Testing

/// Networks on machines that are too small for them, from the model to the executor.
@Suite("Segments, end to end")
struct SegmentTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// The file of a scheme's machine with `count` crossbars.
  private func machine(_ scheme: String, _ count: Int) throws -> String {
    let name = try Passes.scheme(named: scheme).target
    let text = String(decoding: try Machine.targetBytes(named: name), as: UTF8.self)
    var small = text.replacing(/"tiles": { "value": \d+/, with: "\"tiles\": { \"value\": \(count)")
    for field in ["computeUnitsPerTile", "crossbarsPerComputeUnit"] {
      small = small.replacing(
        try Regex("\"\(field)\": { \"value\": \\d+"), with: "\"\(field)\": { \"value\": 1")
    }
    try small.write(toFile: scratch.path("\(scheme).json"), atomically: true, encoding: .utf8)
    return scratch.path("\(scheme).json")
  }

  /// The crossbars of each layer.
  private func sizes(_ record: CompileRecord) -> [Int] { record.layers.map(\.crossbars) }

  private func run(_ program: Program, _ model: String, _ data: String, count: Int) throws -> RunResult {
    let samples = try SampleSet(
      input: dataPath(data, "test"), labels: nil, limit: count, for: program.samplePorts)
    return try ExecutablePlan(program).run(inputs: samples.inputs, samples: samples.count, threads: 2)
  }

  /// Every scheme on a machine with room for its largest layer alone: as many segments as that asks for, the same
  /// outputs, the same events of computing; and the program written layer by layer is the one that is made as a whole.
  @Test(arguments: schemes.map(\.name)) func resultsAreThoseOfALargeMachine(scheme: String) throws {
    defer { scratch.remove() }
    for (model, data, count) in [("digits", "digits", 20), ("lenet5", "fashion-mnist", 3)] {
      var whole = request(model, data, scheme: scheme, options: "schedule(capacity: warn)")
      whole.target = try machine(scheme, 1)
      let large = try compile(whole)
      let room = try #require(sizes(large.record).max())
      var cut = request(model, data, scheme: scheme)
      cut.target = try machine(scheme, room)
      cut.segments = true
      let small = try compile(cut)
      let program = try decode(small.bytes, file: "small")
      #expect(program.segments > 1 && program.segments <= program.layers.count)
      #expect(program.layers.map(\.segment) == small.record.layers.map(\.segment))
      #expect((small.record.segmentText ?? "").contains("of at most \(grouped(room)) crossbars"))
      let expected = try run(decode(large.bytes, file: "large"), model, data, count: count)
      #expect(try run(program, model, data, count: count) == expected, "\(model)")

      let record = try compile(cut, to: scratch.path("p.xbar"))
      let written = try #require(FileManager.default.contents(atPath: scratch.path("p.xbar")))
      #expect([UInt8](written) == small.bytes)
      #expect(record.json.encoded == small.record.json.encoded && record.text == small.record.text)
      // As text and back.
      let lifted = liftProgram(program)
      #expect(verify(AnyModule.program(lifted)).isEmpty)
      #expect(try encode(try emitProgram(lifted)) == small.bytes)
    }
  }

  /// Baselines have room for all and write nothing, so they stand beside what the run takes without writing.
  @Test func baselinesAreBesideComputingAlone() throws {
    defer { scratch.remove() }
    var request = request("digits", "digits")
    let whole = try compile(request).program
    request.target = try machine("dense", 1)
    request.segments = true
    let cut = try compile(request).program
    let samples = try SampleSet(
      input: dataPath("digits", "test"), labels: nil, limit: 9, for: cut.samplePorts)
    let records = try [whole, cut].map { try RunDriver.run($0, on: samples, segmentBatch: 4, threads: 1) }
    #expect(cut.segments == 3 && records[0].segments == nil && records[1].segments?.writings == 3)
    #expect(records[0].baselineTable?.plain == records[1].baselineTable?.plain)
    #expect(records[0].baselines.count == 2 && records[0].layers == Array(records[1].layers.dropLast()))
    #expect(records[1].energyPerSample > 10 * records[0].energyPerSample)
  }

  /// Where all fits, `--segments` changes nothing but the pipeline that the file names.
  @Test func aNetworkThatFitsIsCompiledAsEver() throws {
    defer { scratch.remove() }
    for target in [nil, try machine("dense", 500)] {
      var plain = request("lenet5", "fashion-mnist")
      plain.target = target
      var cut = plain
      cut.segments = true
      var programs = try [compile(plain).program, compile(cut).program]
      #expect(programs[0].info != programs[1].info)
      for index in 0...1 { programs[index].info = [] }
      #expect(try encode(programs[0]) == encode(programs[1]))
      #expect(try compile(cut).record.segmentText == nil)
    }
  }

  /// The layers of a loop over time stay together, whatever the room.
  @Test func loopsOverTimeStayInASegment() throws {
    var random = SeededGenerator(seed: 41)
    var several = 0
    for number in 0..<30 {
      let sample = RecurrentSample(number, &random)
      var module = try importModel(sample.model())
      module.machine = try Machine.target(named: "sre")
      let front = "fold-constants, calibrate(samples: 2), quantize, lower-to-crossbar, slice-bits, form-units"
      let placed = try apply("\(front), place-blocks", to: .tensor(module))
      guard case .crossbar(var crossbars) = placed else { continue }
      let inputs = sample.graphInputs(&random).map(\.floats)
      let whole = try program(of: try apply("schedule", to: .crossbar(crossbars)))
      let expected = try ExecutablePlan(whole).run(inputs: inputs, samples: 1, threads: 1)
      for room in 1...whole.crossbars.count {
        crossbars.machine?.hierarchy = Hierarchy(
          crossbarsPerComputeUnit: 1, computeUnitsPerTile: 1, tiles: room)
        guard let scheduled = try? apply("schedule(capacity: segments)", to: .crossbar(crossbars)) else {
          continue
        }
        let cut = try program(of: scheduled)
        #expect(try ExecutablePlan(cut).run(inputs: inputs, samples: 1, threads: 1) == expected)
        if cut.segments > 1 { several += 1 }
      }
    }
    #expect(several > 5)
  }

  @Test func theCommandLineCutsRunsAndLists() throws {
    defer { scratch.remove() }
    let target = try machine("dense", 224)
    let compile = [
      "compile", modelPath("lenet5"), "-o", "p.xbar", "--target", target, "--calibration",
      dataPath("fashion-mnist", "calibration"),
    ]
    let refused = try scratch.run("xbarc", compile)
    #expect(
      refused.status == 1
        && refused.errors.contains("the network needs 246 crossbars, the machine sre has 224"))
    #expect(refused.errors.contains("with --segments"))
    let made = try scratch.run("xbarc", compile + ["--segments"])
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.output.contains("3 segments are written and executed in turn, of at most 224 crossbars"))
    let listed = try scratch.run("xbarc", ["inspect", "p.xbar"]).output
    #expect(listed.contains(" segment\n") && listed.contains("schedule(capacity: segments)"))
    let text = try scratch.run("xbarc", ["disassemble", "p.xbar"]).output
    #expect(text.contains("layer @fc2 [") && text.contains("segment: 2"))
    #expect(try scratch.run("xbarc", ["verify", "p.xbar"]).status == 0)
    let words = ["p.xbar", "--input", dataPath("fashion-mnist", "test"), "--limit", "10"]
    let run = try scratch.run("xbarrun", words + ["--segment-batch", "5"])
    #expect(run.status == 0 && run.output.contains("3 of at most 224 crossbars, written for every 5 samples"))
    #expect(run.output.contains("every cell mapped in as many crossbars as they take and without writing:\n"))
    let none = try scratch.run(
      "xbarc", compile.map { $0 == target ? try machine("dense", 223) : $0 } + ["--segments"])
    #expect(none.status == 1)
    #expect(
      none.errors.contains("@fc1 alone needs 224 crossbars, the machine sre has 223 [schedule.segment]"))
    let without = try scratch.run(
      "xbarc", ["compile", modelPath("lenet5"), "-o", "q.xbar", "--segments", "--pipeline", "infer-shapes"])
    #expect(without.status == 1 && without.errors.contains("[compile.segments]"))
  }

  @Test func comparisonsAndSweepsTakeSegments() throws {
    defer { scratch.remove() }
    let shared = [
      modelPath("digits"), "--input", dataPath("digits", "test"), "--limit", "8", "--quiet", "--target",
      try machine("dense", 1), "--segments", "--segment-batch", "4",
    ]
    let compared = try scratch.run("xbar", ["compare"] + shared + ["--schemes", "dense,sre"])
    #expect(compared.status == 0, "\(compared.errors)")
    #expect(
      compared.output.contains("dense: segments ") && compared.output.contains("written for every 4 samples"))
    let swept = try scratch.run("xbar", ["sweep"] + shared + ["--over", "adc=6", "--json", "-"])
    #expect(swept.status == 0, "\(swept.errors)")
  }
}
