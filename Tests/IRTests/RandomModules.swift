import Hardware
import IR
import Mapping
import Support
import Tensors

extension SeededGenerator {
  /// One of `choices`.
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  /// A map of wordlines with runs, jumps and shifts.
  mutating func rows(limit: Int, count: Int, shift: Int = 15) -> [RowEntry] {
    var rows: [RowEntry] = []
    while rows.count < count {
      let entry = RowEntry(input: below(limit), shift: chance(0.7) ? 0 : below(shift + 1))
      for step in 0..<inside(1...8) where rows.count < count && entry.input + step < limit {
        rows.append(RowEntry(input: entry.input + step, shift: entry.shift))
      }
    }
    return rows
  }

  /// A map of bitlines with repeated digits and single ones.
  mutating func columns(limit: Int, count: Int, shift: Int = 20) -> [ColumnEntry] {
    var columns: [ColumnEntry] = []
    while columns.count < count {
      let digits = (0..<inside(1...4)).map { _ in (below(shift + 1), chance(0.5)) }
      let first = below(limit)
      for output in first..<min(limit, first + inside(1...4)) {
        columns += digits.map { ColumnEntry(output: output, shift: $0.0, negative: $0.1) }
      }
    }
    return Array(columns.prefix(count))
  }

  /// A consistent window.
  mutating func window() -> Window {
    let channels = inside(1...5)
    let start = below(channels)
    return Window(
      batch: inside(1...3), channels: channels, height: inside(1...20), width: inside(1...20),
      channelStart: start,
      channelCount: inside(1...(channels - start)), kernelHeight: inside(1...4), kernelWidth: inside(1...4),
      strideHeight: inside(1...3), strideWidth: inside(1...3), padTop: below(3), padLeft: below(3),
      dilationHeight: inside(1...2), dilationWidth: inside(1...2), outHeight: inside(1...9),
      outWidth: inside(1...9))
  }

  /// A name that a text can hold.
  mutating func name() -> String { pick(["x", "conv1", "a.b", "0", "_-", "relu", "layer", "16x16"]) }

  /// A node of a graph, or none.
  mutating func origin() -> NodeOrigin? {
    chance(0.5)
      ? nil : NodeOrigin(index: below(100), name: pick(["", "a/b", "\"q\"", "é"]), op: pick(["Conv", ""]))
  }

  mutating func float() -> Float { pick([0, -0.0, 1.5, -2, 1e-20, 3e30, .infinity, .nan, Float(unit())]) }

  /// A module of the tensor level whose operations all fit.
  mutating func tensorModule() -> Module<TensorLevel> {
    var builder = Builder(Module<TensorLevel>(name: name(), facts: [.shaped]))
    if chance(0.5) { builder.module.info.append(InfoLine(key: "pipeline", text: "a(b: \"c\")\n")) }
    var values: [ValueID] = []
    for number in 0..<inside(1...2) {
      let shape = (0..<inside(1...4)).map { _ in inside(1...4) }
      values.append(
        builder.emit(
          .input, [], [NamedAttribute("name", .string("in\(number)"))], type: ValueType(.float32, shape),
          name: name(),
          origin: nil))
    }
    for _ in 0..<inside(1...12) {
      values.append(chance(0.1) ? loop(on: values, &builder) : operation(on: values, &builder))
    }
    let floats = values.filter { builder.type($0).element.isFloat }
    builder.module.append(
      Op(.output, operands: [pick(floats)], attributes: [NamedAttribute("name", .string("out"))]))
    return builder.module
  }

  /// Appends a random operation on random values; a constant where nothing fits.
  private mutating func operation(on values: [ValueID], _ builder: inout Builder<TensorLevel>) -> ValueID {
    let x = pick(values)
    let type = builder.type(x)
    let shape = type.shape ?? []
    let digital = digitalOperator(shape)
    if type.element.isFloat, let result = try? digital.resultShape(of: [shape]) {
      return builder.emit(digital, [x], type: ValueType(.float32, result), name: name(), origin: origin())
    }
    let count = inside(1...90)
    let element = pick([
      ElementType.float32, .integer(bits: 5, signed: false), .integer(bits: 9, signed: true),
    ])
    let tensor =
      element.isFloat
      ? Tensor([count], (0..<count).map { _ in float() })
      : Tensor([count], (0..<count).map { _ in Int64(inside(0...31)) }, as: element)
    let isQuantized = !element.isFloat && chance(0.5)
    return builder.constant(
      tensor, element: element, name: name(),
      quantization: isQuantized ? Quantization(scale: 0.1, zero: 3) : nil,
      origin: origin())
  }

  /// Appends a loop with a state, a step and operations on both; its stack comes back.
  private mutating func loop(on values: [ValueID], _ builder: inout Builder<TensorLevel>) -> ValueID {
    let (source, first) = (pick(values), pick(values))
    let shape = builder.type(source).shape ?? []
    let axis = below(shape.count)
    let count = pick((1...shape[axis]).filter { shape[axis] % $0 == 0 })
    func emit(_ opcode: Opcode, _ operands: [ValueID], _ out: inout Builder<TensorLevel>, reversed: Bool)
      -> ValueID
    {
      let isPart = opcode == .scanSlice || opcode == .scanOutput
      let attributes =
        !isPart
        ? []
        : [
          NamedAttribute("axis", .int(Int64(axis))), NamedAttribute("parts", .int(Int64(count))),
          NamedAttribute("reverse", .bool(reversed)),
        ]
      let op = Op(opcode, operands: operands, attributes: attributes)
      let type = (try? out.module.resultType(of: op)) ?? out.type(operands[0])
      return out.emit(opcode, operands, attributes, type: type, name: opcode.rawValue, origin: nil)
    }
    builder.openScan(count: count, origin: origin())
    let state = emit(.carry, [first], &builder, reversed: false)
    var inner = [emit(.scanSlice, [source], &builder, reversed: chance(0.5)), state]
    for _ in 0..<below(3) { inner.append(operation(on: inner, &builder)) }
    let stack = emit(.scanOutput, [inner[0]], &builder, reversed: chance(0.5))
    _ = emit(.yield, [state, chance(0.5) ? state : first], &builder, reversed: false)
    builder.closeScan()
    return stack
  }

  private mutating func digitalOperator(_ shape: [Int]) -> DigitalOperator {
    switch below(12) {
    case 10: return .reduceMax(axes: [below(shape.count)])
    case 0: return .unary(pick([.relu, .tanh, .abs, .erf, .floor, .round, .sign, .ceil]))
    case 1: return .unary(pick([.clip(low: -1, high: float()), .leakyRelu(slope: float()), .elu(alpha: 1)]))
    case 2: return .softmax(axis: below(shape.count))
    case 3: return .mean(axes: [below(shape.count)])
    case 4: return .reshape([shape.reduce(1, *)])
    case 5: return .transpose(Array(shape.indices.reversed()))
    case 6: return .concat(axis: 0)
    case 7:
      return .pad(before: shape.map { _ in below(2) }, after: shape.map { _ in below(2) }, value: float())
    case 8:
      let start = shape.map { below($0) }
      return .slice(start: start, end: zip(start, shape).map { inside($0 + 1...$1) })
    case 9:
      let axis = below(shape.count)
      return .gather(indices: (0..<inside(1...90)).map { _ in Int64(below(shape[axis])) }, axis: axis)
    default: return .binary(.add)
    }
  }

  /// A target as it is, or one with changed memories, or none.
  private mutating func machine() -> Machine? {
    guard var machine = try? Machine.target(named: pick(["sre", "recom"])) else { return nil }
    if chance(0.5) {
      machine.memory = MemorySystem(
        clockMegahertz: 2000 * unit() + 0.001, sramBytes: inside(1...Int(Int32.max)),
        bufferBytes: inside(1...1024), dramLatencyNanoseconds: 50 * unit(), valuesPerClock: inside(1...65_536)
      )
    }
    if chance(0.5) {
      machine.writing =
        chance(0.5) ? nil : WriteFigures(wordlineNanoseconds: 100 * unit(), cellPicojoules: 9000 * unit())
    }
    return machine
  }

  /// A module of the crossbar level with layers whose cells decode to their weights.
  mutating func crossbarModule() -> Module<CrossbarLevel> {
    var module = Module<CrossbarLevel>(name: name(), facts: [.shaped])
    if chance(0.5) { module.machine = machine() }
    if chance(0.5) { module.facts.insert(.sliced) }
    for number in 0..<inside(1...3) {
      let layer = self.layer("l\(number)", sliced: module.facts.contains(.sliced))
      module.append(module.encode(layer, origin: origin()))
    }
    return module
  }

  /// A layer; where it is sliced, random blocks, and the weights that they decode to.
  mutating func layer(_ name: String, sliced: Bool) -> Layer {
    let (rows, columns) = (inside(1...12), inside(1...6))
    let bits = inside(2...8)
    let inputs = chance(0.5) ? InputCoding.twoPass(bits: bits) : .unsigned(bits: bits)
    var layer = Layer(
      name: name, rows: rows, columns: columns, inputs: inputs, weightBits: 16, weights: nil)
    var weights = [Int64](repeating: 0, count: rows * columns)
    if sliced {
      let bits = inside(1...4)
      layer.coding.cellBits = bits
      layer.coding.signs = pick(SignCoding.allCases)
      layer.coding.offset = Int64(chance(0.5) ? 0 : below(100))
      for k in weights.indices { weights[k] = -layer.coding.offset }
      for _ in 0..<below(4) { layer.blocks.append(block(rows, columns, bits)) }
      for block in layer.blocks { block.decode(into: &weights, columns: columns) }
      if !weights.allSatisfy({ -32768...32767 ~= $0 }) { return self.layer(name, sliced: true) }
    } else {
      for k in weights.indices { weights[k] = Int64(inside(-32768...32767)) }
    }
    layer.weights = Tensor([rows, columns], weights, as: .integer(bits: 16, signed: true))
    if chance(0.5) { layer.readout = Readout(dacBits: inside(1...8), adcBits: inside(1...16)) }
    if chance(0.5) { layer.stage = below(100) }
    return layer
  }

  private mutating func block(_ rows: Int, _ columns: Int, _ bits: Int) -> Block {
    let lines = self.rows(limit: rows, count: inside(1...8), shift: 2)
    let bitlines = self.columns(limit: columns, count: inside(1...8), shift: 3)
    var block = Block(
      rows: lines, columns: bitlines,
      cells: (0..<lines.count * bitlines.count).map { _ in UInt8(below(1 << bits)) })
    if chance(0.5) { block.units = pick([.fixed(height: 4, width: 4), .dynamic(height: 2, width: 3)]) }
    if chance(0.5) {
      block.placement = Placement(crossbar: below(9), row: below(9), column: below(9))
    }
    return block
  }
}
