import Hardware
import IR
import LayerSamples
import Passes
import Reference
import Support
import Tensors
import Testing

@Suite("Interpreter")
struct InterpreterTests {
  private func layer(_ change: (inout LayerView) -> Void) throws -> Module<CrossbarLevel> {
    var context = PassContext()
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weights) = (2, 2, [1, 2, 3, 4])
    sample.x = [5, 6]
    var module = try run(sample.pipeline(), on: AnyModule(sample.module), in: &context).crossbarModule
    var (id, layer) = try #require(module.layers.first)
    change(&layer)
    id = try #require(module.layers.first).id
    module.facts = [.shaped]
    module.replaceLayers([(id, layer)])
    return module
  }

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
    expectFailure("reference.constant") { _ = try Interpreter(module) }
  }

  /// A module that does not claim `sliced` may hold anything; nothing of it may trap.
  @Test func inconsistentBlocksAreRefused() throws {
    let changes: [(inout LayerView) -> Void] = [
      { $0.blocks[0].rows[1].input = 2 }, { $0.blocks[0].columns[0].output = 7 },
      { $0.blocks[0].columns[0].shift = 63 }, { $0.blocks[0].rows[0].shift = 60 },
      { $0.blocks[0].cells = [] },
      { $0.inputs = .integer(bits: 40, signed: false) },
    ]
    for change in changes {
      expectFailure("reference.layer") { _ = try Interpreter(layer(change)) }
    }
    _ = try Interpreter(layer { _ in })
  }

  @Test func inputsAreCheckedAndNamed() throws {
    var net = Net()
    net.output(try net.digital(.unary(.relu), net.input([1, 2])))
    for bad in [
      [], [Tensor([1, 3], [Float](repeating: 0, count: 3))],
      [Tensor([1, 2], [Int64](repeating: 0, count: 2))],
    ] {
      expectFailure("reference.input") { _ = try net.module.outputs(bad) }
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
