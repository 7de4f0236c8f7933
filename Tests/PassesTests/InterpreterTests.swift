import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Evaluator
import Support
import Tensors
import Testing

@Suite("Interpreter")
struct InterpreterTests {
  @Test func unknownShapesAreNoObstacle() throws {
    var net = Net()
    net.output(try net.digital(.unary(.relu), net.input([1, 2])))
    var module = net.module
    module.values[try module.first(.relu).results[0]].type.shape = nil
    let result = try Interpreter(module).evaluate([Tensor([1, 2], [-1, 2] as [Float])])
    #expect(result.outputs == [Tensor([1, 2], [0, 2] as [Float])])
  }

  @Test func numbersOfAConstantMustBeThere() throws {
    var net = Net()
    net.output(net.constant([2]))
    var module = net.module
    module.ops[module.body[0]]["value"] = .floats([1])
    expectFailure("evaluate.constant") { _ = try Interpreter(module) }
  }

  @Test func aLayerMustBeReadable() throws {
    var module = LayerSample().module
    let id = try #require(module.layers.first).id
    module.ops[id]["inputs"] = .word("nothing")
    expectFailure("evaluate.layer") { _ = try Interpreter(module) }
  }

  /// Behind a value of unknown shape nothing was checked by the verifier; what does not fit is an error, not a trap.
  @Test func unknownShapesThatDoNotFitAreErrors() throws {
    for shape in [[2], [3, 2], [2, 2, 1], []] {
      for opcode in [Opcode.gemm, .conv] {
        var net = Net()
        let x = try net.digital(.unary(.relu), net.input([1, 2]))
        net.builder.module.values[x].type.shape = nil
        let attributes = opcode == .conv ? ConvGeometry().attributes : []
        net.output(try net.op(opcode, [x, net.constant(shape)], attributes))
        #expect(throws: Diagnostic.self, "\(opcode) by \(shape)") { try net.module.outputs(net.sample()) }
      }
    }
  }

  @Test func inputsAreCheckedAndNamed() throws {
    var net = Net()
    net.output(try net.digital(.unary(.relu), net.input([1, 2])))
    for bad in [
      [], [Tensor([1, 3], [Float](repeating: 0, count: 3))],
      [Tensor([1, 2], [Int64](repeating: 0, count: 2))],
    ] {
      expectFailure("evaluate.input") { _ = try net.module.outputs(bad) }
    }
    #expect(
      try net.module.outputs([Tensor([2], [-1, 2] as [Float])])[0] == Tensor([1, 2], [0, 2] as [Float]))
  }

  @Test func errorsOfOperatorsSayWhere() throws {
    var net = Net()
    let x = net.input([1, 2])
    net.output(try net.digital(.unary(.relu), x))
    var module = net.module
    let at = try #require(module.body.firstIndex { module.ops[$0].opcode == .relu })
    module.ops[module.body[at]].opcode = .transpose
    module.ops[module.body[at]]["order"] = .ints([0, 7])
    do {
      _ = try module.outputs(net.sample())
      Issue.record("expected an error")
    } catch let error as Diagnostic {
      #expect(error.location.description.contains("relu"))
    }
  }

  /// `W x` of a layer before and after it has units, and one saturation counted by hand: 2 * 3 > 2^1 - 1.
  @Test func saturationsAreCounted() throws {
    var sample = LayerSample()
    (sample.rows, sample.weights, sample.x) = (2, [3, 3], [1, 1])
    var context = PassContext()
    let plain = try Interpreter(sample.module).evaluate([sample.graphInput])
    #expect(plain.outputs[0].floats == [6] && plain.saturations.isEmpty)
    let module = try run(sample.pipeline(adc: 1), on: AnyModule(sample.module), in: &context).crossbarModule
    let narrow = try Interpreter(module).evaluate([sample.graphInput])
    #expect(narrow.outputs[0].floats == [1] && narrow.saturations == ["layer": 1])
    let wide = try run(sample.pipeline(adc: 3), on: AnyModule(sample.module), in: &context).crossbarModule
    #expect(try Interpreter(wide).evaluate([sample.graphInput]).saturations == ["layer": 0])
  }
}
