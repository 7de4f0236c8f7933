import IR
import Passes
import Support
import Tensors
import Testing

@Suite("calibrate")
struct CalibrateTests {
  private func net() throws -> Net {
    var net = Net(seed: 20)
    let x = net.input([1, 5])
    net.output(try net.digital(.unary(.relu), try net.gemm(x, 4)))
    return net
  }

  @Test func everyFloatValueHasItsRange() throws {
    var net = try net()
    let samples = net.samples(20, -3...2)
    var context = PassContext(calibration: samples)
    let module = try run("calibrate", on: AnyModule(net.module), in: &context).tensorModule
    #expect(module.facts == [.shaped, .calibrated])
    #expect(context.counts[0] == ("calibration-samples", 20))
    #expect(context.warnings.isEmpty)
    for op in module.bodyOps where op.opcode != .constant && !op.results.isEmpty {
      let name = module.values[op.results[0]].name
      let seen = try samples.flatMap { try #require(try net.module.values($0)[name]).floats }
      let expected = [min(0, seen.min() ?? 0), max(0, seen.max() ?? 0)]
      #expect(op["range"]?.asFloats == expected)
    }
  }

  @Test func onlyAttributesAreAdded() throws {
    var net = try net()
    var module = try run("calibrate", on: net.module, calibration: net.samples(3)).tensorModule
    for id in module.body { module.ops[id]["range"] = nil }
    module.facts = [.shaped]
    #expect(module == net.module)
  }

  @Test func samplesLimitsTheirNumber() throws {
    var net = try net()
    let samples = net.samples(10)
    var context = PassContext(calibration: samples)
    let few = try run("calibrate(samples: 3)", on: AnyModule(net.module), in: &context).tensorModule
    #expect(context.counts[0].value == 3)
    #expect(try few == run("calibrate", on: net.module, calibration: Array(samples.prefix(3))).tensorModule)
  }

  @Test func seededInputsStandInForSamples() throws {
    let net = try net()
    func ranges(_ pipeline: String, _ context: inout PassContext) throws -> Module<TensorLevel> {
      try run(pipeline, on: AnyModule(net.module), in: &context).tensorModule
    }
    var (a, b, c) = (PassContext(), PassContext(), PassContext())
    let first = try ranges("calibrate", &a)
    #expect(a.warnings.map(\.id) == ["calibrate.no-samples"] && a.warnings[0].severity == .warning)
    #expect(try first == ranges("calibrate(seed: 1)", &b))
    #expect(try first != ranges("calibrate(seed: 2)", &c))
  }

  @Test func threadsDoNotChangeTheResult() throws {
    var net = try net()
    let samples = net.samples(16, -1...1)
    var (one, four) = (
      PassContext(calibration: samples, threads: 1), PassContext(calibration: samples, threads: 4)
    )
    let a = try run("calibrate", on: AnyModule(net.module), in: &one).tensorModule
    #expect(try a == run("calibrate", on: AnyModule(net.module), in: &four).tensorModule)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func numbersMustBeFinite(_ bad: Float) throws {
    let net = try net()
    let samples = [[Tensor([1, 5], [0, bad, 0, 0, 0])]]
    expectFailure("calibrate.infinite") { _ = try run("calibrate", on: net.module, calibration: samples) }
  }

  @Test func samplesMustFitTheInputs() throws {
    let net = try net()
    for bad in [
      [], [Tensor([1, 4], [Float](repeating: 0, count: 4))], [Tensor([5], [Int64](repeating: 0, count: 5))],
    ] {
      expectFailure("evaluate.input") { _ = try run("calibrate", on: net.module, calibration: [bad]) }
    }
  }
}
