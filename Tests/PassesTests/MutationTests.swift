import CodeGen
import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// Changes modules at random; the sequence depends on the seed alone.
private struct Mutator<L: Level> {
  var random: SeededGenerator

  mutating func change(_ module: inout Module<L>) {
    let ids = module.body + module.body.flatMap { module.ops[$0].body }
    let id = ids[random.below(ids.count)]
    switch random.below(8) {
    case 0...3: changeAttribute(&module.ops[id])
    case 4: changeType(&module)
    case 5: changeOperands(&module, id)
    case 6: module.facts.remove(Fact.allCases[random.below(Fact.allCases.count)])
    default: changeMachine(&module)
    }
  }

  private mutating func number() -> Int64 {
    let interesting: [Int64] = [0, 1, -1, 2, 3, 63, .max, .min, 1 << 20, 1 << 31, 1 << 60, -7, 255]
    return interesting[random.below(interesting.count)]
  }

  private mutating func changeAttribute(_ op: inout Op) {
    guard !op.attributes.isEmpty else { return }
    let at = random.below(op.attributes.count)
    switch op.attributes[at].value {
    case .int: op.attributes[at].value = .int(number())
    case .float:
      op.attributes[at].value = .float([0, -1, .nan, .infinity, 1e-30, 3e38][random.below(6)])
    case .list(let items) where !items.isEmpty:
      var items = items
      if case .float = items[0] {
        items[random.below(items.count)] = .float([0, -1, .nan, .infinity, 3e38, -3e38][random.below(6)])
      } else {
        items[random.below(items.count)] = .int(number())
      }
      if random.chance(0.2) { items.removeLast() }
      op.attributes[at].value = .list(items)
    case .rows(var rows) where !rows.isEmpty:
      let row = random.below(rows.count)
      rows[row] = RowEntry(input: random.below(1 << random.below(25)), shift: random.below(64))
      op.attributes[at].value = .rows(rows)
    case .columns(var columns) where !columns.isEmpty:
      let column = random.below(columns.count)
      columns[column] = ColumnEntry(output: random.below(1 << random.below(25)), shift: random.below(64))
      op.attributes[at].value = .columns(columns)
    case .window(let window):
      var numbers = window.numbers
      numbers[random.below(16)] = Int(truncatingIfNeeded: number() & 0x7FFF_FFFF)
      if let changed = Window(numbers: numbers) { op.attributes[at].value = .window(changed) }
    default: if random.chance(0.5) { op.attributes.remove(at: at) }
    }
  }

  private mutating func changeType(_ module: inout Module<L>) {
    let id = ValueID(random.below(module.values.count))
    switch random.below(4) {
    case 0: module.values[id].type.shape = nil
    case 1: module.values[id].type.shape = (0..<random.below(5)).map { _ in random.below(4) }
    case 2: module.values[id].type.quantization = Quantization(scale: 1e-30, zero: number())
    default:
      module.values[id].type.element = .integer(bits: random.inside(1...63), signed: random.chance(0.5))
    }
  }

  private mutating func changeOperands(_ module: inout Module<L>, _ id: OpID) {
    guard !module.ops[id].operands.isEmpty else { return }
    let at = random.below(module.ops[id].operands.count)
    module.ops[id].operands[at] = ValueID(random.below(module.values.count))
  }

  private mutating func changeMachine(_ module: inout Module<L>) {
    guard var machine = module.machine else { return }
    machine.array.rows = random.inside(1...64)
    machine.array.columns = random.inside(1...64)
    machine.array.cellBits = random.inside(1...8)
    machine.memory = random.chance(0.5) ? nil : try? Machine.target(named: "recom").memory
    module.machine = random.chance(0.1) ? nil : machine
  }
}

/// Modules that verify, however odd, end in a module or in an error; nothing traps.
@Suite("Mutations of modules")
struct ModuleMutationTests {
  /// For passes that do nothing by default.
  private let options = [
    "prune-groups": ["filters", "channels", "shapes"].map { NamedAttribute($0, .float(0.5)) }
  ]

  private func pass<L: Level>(_ module: Module<L>, _ outcome: inout [String: Int]) {
    guard verify(module).isEmpty else {
      outcome["refused", default: 0] += 1
      return
    }
    outcome["verified", default: 0] += 1
    var context = PassContext()
    for entry in PassRegistry.standard.entries where entry.from == L.name {
      do throws(Diagnostic) {
        _ = try entry.apply(to: AnyModule(module), options[entry.name] ?? [], in: &context)
      } catch {
        outcome[error.id, default: 0] += 1
        if error.id == "pass.broken" { print(error) }
      }
    }
    guard L.name != .program, let interpreter = try? Interpreter(module) else { return }
    let inputs = module.bodyOps.filter { $0.opcode == .input }.map { op in
      let shape = module.values[op.results[0]].type.shape ?? []
      return Tensor(shape, [Float](repeating: 0.7, count: shape.reduce(1, *)))
    }
    _ = try? interpreter.evaluate(inputs)
  }

  private func mutate<L: Level>(_ modules: [Module<L>], seed: UInt64, count: Int) -> [String: Int] {
    var mutator = Mutator<L>(random: SeededGenerator(seed: seed))
    var outcome: [String: Int] = [:]
    for number in 0..<count {
      var module = modules[number % modules.count]
      for _ in 0..<mutator.random.inside(1...2) { mutator.change(&module) }
      pass(module, &outcome)
    }
    return outcome
  }

  private func network() throws -> (Module<TensorLevel>, [[Tensor]]) {
    var net = Net(seed: 700)
    let x = net.input([1, 2, 6, 6])
    let a = try net.batchNorm(try net.conv(x, ConvGeometry(pads: [1, 1, 1, 1], groups: 2)))
    let b = try net.pool(try net.digital(.unary(.relu), a))
    let c = try net.gemm(try net.digital(.reshape([1, 36]), b), 5)
    net.output(try net.digital(.softmax(axis: 1), try net.digital(.binary(.add), c, net.constant([5]))))
    var module = net.module
    module.machine = testMachine()
    return (module, net.samples(2, -1...1))
  }

  /// A loop over time with two products, one of them with the state.
  private func recurrence() throws -> (Module<TensorLevel>, [[Tensor]]) {
    let text = """
      xir 2
      module @time level tensor facts [shaped] {
        %x = input [name: "x"] : tensor<3x2xf32>
        %w = constant [value: [[1.0, -0.5], [0.5, 2.0]]] : tensor<2x2xf32>
        %b = constant [value: [0.5, 0.25]] : tensor<2xf32>
        %z = constant [value: [[0.0, 1.0]]] : tensor<1x2xf32>
        %g = gemm %x, %w, %b [part: "input"] : tensor<3x2xf32>
        scan [count: 3] {
          %h = carry %z : tensor<1x2xf32>
          %c = carry %z : tensor<1x2xf32>
          %p = scan-slice %g [axis: 0, parts: 3, reverse: true] : tensor<1x2xf32>
          %k = gemm %h, %w [part: "recurrent"] : tensor<1x2xf32>
          %r = relu %k : tensor<1x2xf32>
          %s = add %r, %p : tensor<1x2xf32>
          %t = tanh %s : tensor<1x2xf32>
          %n = multiply %t, %c : tensor<1x2xf32>
          %y = scan-output %t [axis: 0, parts: 3, reverse: true] : tensor<3x2xf32>
          %e = yield %h, %t : tensor<1x2xf32>
          %d = yield %c, %n : tensor<1x2xf32>
        }
        %q = gemm %y, %w : tensor<3x2xf32>
        output %q [name: "y"]
        output %d [name: "d"]
      }
      """
    guard case .tensor(var module) = try parseModule(text) else {
      throw Diagnostic("test.level", "another level")
    }
    module.machine = testMachine()
    return (module, [[Tensor([3, 2], [Float](arrayLiteral: 1, -1, 0.5, 2, -2, 0.25))]])
  }

  @Test func ofLoops() throws {
    let (module, samples) = try recurrence()
    let stages = try ["calibrate", "calibrate, quantize(signed: zero-point)"]
      .map { try run($0, on: module, calibration: samples).tensorModule }
    let outcome = mutate([module] + stages, seed: 43, count: 3000)
    #expect(outcome["verified", default: 0] > 300, "\(outcome)")
    #expect(outcome["pass.broken"] == nil, "\(outcome)")
    let lowering = "calibrate, quantize(signed: zero-point), lower-to-crossbar"
    let lowered = try [lowering, "\(lowering), slice-bits, form-units, place-blocks, schedule"]
      .map { try run($0, on: module, calibration: samples).crossbarModule }
    let below = mutate(lowered, seed: 44, count: 3000)
    #expect(below["verified", default: 0] > 300, "\(below)")
    #expect(below["pass.broken"] == nil, "\(below)")
  }

  @Test func ofTensorModules() throws {
    let (module, samples) = try network()
    let stages = try [
      "fold-batchnorm", "fold-batchnorm, calibrate",
      "fold-batchnorm, calibrate, quantize(signed: zero-point)",
    ]
    .map { try run($0, on: module, calibration: samples).tensorModule }
    let outcome = mutate([module] + stages, seed: 41, count: 4000)
    #expect(outcome["verified", default: 0] > 500, "\(outcome)")
    #expect(outcome["pass.broken"] == nil, "\(outcome)")
  }

  @Test func ofCrossbarModules() throws {
    let (module, samples) = try network()
    let lowering = "fold-batchnorm, calibrate, quantize(signed: zero-point), lower-to-crossbar"
    let stages = try [
      lowering, "\(lowering), slice-bits", "\(lowering), slice-bits, form-units, place-blocks, schedule",
    ]
    .map { try run($0, on: module, calibration: samples).crossbarModule }
    let outcome = mutate(stages + [LayerSample().module], seed: 42, count: 4000)
    #expect(outcome["verified", default: 0] > 500, "\(outcome)")
    #expect(outcome["pass.broken"] == nil, "\(outcome)")
  }

  @Test func emptyTensorsAreRefused() throws {
    for (x, w) in [([1, 0], [0, 3]), ([0, 3], [3, 2]), ([1, 3], [3, 0])] {
      do {
        var net = Net()
        net.output(try net.op(.gemm, [net.input(x), net.constant(w)]))
        var module = net.module
        module.machine = testMachine()
        _ = try run("calibrate, quantize, lower-to-crossbar, slice-bits, form-units", on: module)
        Issue.record("\(x) times \(w) should be refused")
      } catch let error as Diagnostic { #expect(error.id != "pass.broken", "\(x) times \(w): \(error)") }
    }
  }
}
