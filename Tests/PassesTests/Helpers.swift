import CodeGen
import Hardware
import IR
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// Expects `body` to throw a diagnostic with this id and a message in the house style.
func expectFailure(
  _ id: String, _ place: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("expected \(id), nothing was thrown", sourceLocation: place)
  } catch let error as Diagnostic {
    #expect(error.id == id, "\(error)", sourceLocation: place)
    #expect(!error.message.isEmpty && error.message.last != ".", sourceLocation: place)
  } catch {
    Issue.record("expected \(id), found \(error)", sourceLocation: place)
  }
}

/// A machine with the given array.
func testMachine(
  rows: Int = 128, columns: Int = 128, cellBits: Int = 2, unit: (Int, Int) = (16, 16), dac: Int = 1,
  adc: Int = 6,
  tiles: Int = 0
) -> Machine {
  Machine(
    name: "test", summary: "a machine for tests",
    array: ArrayDescription(
      rows: rows, columns: columns, cellBits: cellBits, unitHeight: unit.0, unitWidth: unit.1, dacBits: dac,
      adcBits: adc),
    operands: OperandWidths(weightBits: 8, inputBits: 8),
    hierarchy: Hierarchy(crossbarsPerComputeUnit: 2, computeUnitsPerTile: 2, tiles: tiles),
    timing: Timing(cycleNanoseconds: 10, pipelineCycles: 2), energy: EnergyTable(), area: AreaTable())
}

/// Runs a pipeline as the compiler does: each step checked and its result verified.
func run(_ pipeline: String, on module: AnyModule, in context: inout PassContext) throws -> AnyModule {
  var current = module
  for call in try parsePipeline(pipeline) {
    current = try PassRegistry.standard.entry(named: call.name).apply(to: current, call.options, in: &context)
  }
  return current
}

/// Runs a pipeline on a tensor module.
func run(_ pipeline: String, on module: Module<TensorLevel>, calibration: [[Tensor]] = []) throws -> AnyModule
{
  var context = PassContext(calibration: calibration)
  return try run(pipeline, on: AnyModule(module), in: &context)
}

extension AnyModule {
  /// The module, which must be at the tensor level.
  var tensorModule: Module<TensorLevel> {
    get throws { try #require(module(at: TensorLevel.self)) }
  }

  /// The module, which must be at the crossbar level.
  var crossbarModule: Module<CrossbarLevel> {
    get throws { try #require(module(at: CrossbarLevel.self)) }
  }

  /// The graph outputs for one sample.
  func outputs(_ inputs: [Tensor]) throws -> [Tensor] {
    switch self {
    case .tensor(let module): return try Interpreter(module).evaluate(inputs).outputs
    case .crossbar(let module): return try Interpreter(module).evaluate(inputs).outputs
    case .program: return []
    }
  }
}

extension Module {
  /// How many operations of this kind the body has.
  func count(_ opcode: Opcode) -> Int { bodyOps.filter { $0.opcode == opcode }.count }

  /// The first operation of this kind.
  func first(_ opcode: Opcode) throws -> Op { try #require(bodyOps.first { $0.opcode == opcode }) }

  /// The graph outputs for one sample.
  func outputs(_ inputs: [Tensor]) throws -> [Tensor] { try Interpreter(self).evaluate(inputs).outputs }

  /// All computed values by name, for one sample.
  func values(_ inputs: [Tensor]) throws -> [String: Tensor] {
    var found: [String: Tensor] = [:]
    _ = try Interpreter(self).evaluate(inputs) { id, tensor in found[values[id].name] = tensor }
    return found
  }
}

/// The largest difference between two tensors of one shape.
func distance(_ a: Tensor, _ b: Tensor) -> Float {
  #expect(a.shape == b.shape)
  return zip(a.floats, b.floats).map { abs($0 - $1) }.max() ?? 0
}
