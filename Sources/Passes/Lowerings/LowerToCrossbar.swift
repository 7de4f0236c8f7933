import IR
import Mapping
import Support
import Tensors

/// Every convolution and product is a layer: an integer matrix, fed by the windows of its input.
///
/// A convolution gives one layer for each group. A zero point moves into the bias: `W(x - z) = Wx - z * sum(W)`.
/// All other operations stay as they are. Spec: ir-spec.md, `lower-to-crossbar`.
struct LowerToCrossbar: Lowering {
  typealias From = TensorLevel
  typealias To = CrossbarLevel
  static let name = "lower-to-crossbar"
  static let summary = "every convolution and product is an integer matrix fed by windows of its input"
  static let requires: Set<Fact> = [.shaped, .quantized]
  // Ranges are left out, and the elements of crossbar operations are integers anyway.
  static let invalidates: Set<Fact> = [.calibrated, .quantized]
  static let establishes: Set<Fact> = [.shaped]
  static let guarantee = Guarantee.exact("")
  static let options: [PassOptionSpec] = []

  init(_ options: PassOptions) {}

  func run(on module: Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic)
    -> Module<CrossbarLevel>
  {
    var lowering = CrossbarLowering(module)
    for op in module.bodyOps { try lowering.lower(op) }
    lowering.builder.module.dropUnusedConstantOps()
    return lowering.builder.module.compacted()
  }
}

extension Module {
  /// Removes constants that nothing uses.
  mutating func dropUnusedConstantOps() {
    let uses = Uses(of: self)
    body.removeAll { ops[$0].opcode == .constant && ops[$0].results.allSatisfy { uses[$0].isEmpty } }
  }
}

private struct CrossbarLowering {
  let source: Module<TensorLevel>
  var builder: Builder<CrossbarLevel>
  private var names: [ValueID: ValueID] = [:]
  private var constants: [ValueID: Op] = [:]
  private var symbols: Set<String> = []

  init(_ source: Module<TensorLevel>) {
    self.source = source
    builder = Builder(source.emptied(at: CrossbarLevel.self))
  }

  mutating func lower(_ op: Op) throws(Diagnostic) {
    switch op.opcode.kind {
    case .conv: try convolution(op)
    case .gemm: try product(op)
    case .scan:
      builder.openScan(count: op[.rounds], origin: op.origin)
      for id in op.body { try lower(source.ops[id]) }
      builder.closeScan()
    case .constant:
      constants[op.results[0]] = op
      copy(op)
    case .input, .output, .batchNorm, .digital, .carry, .scanSlice, .yield, .scanOutput, .window, .mvm,
      .col2im, .layer,
      .block, .buffer, .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat:
      copy(op)
    }
  }

  private mutating func copy(_ op: Op) {
    let attributes = builder.module.importAttributes(op.attributes.without(.range), from: source)
    let results = op.results.map { id in
      let value = source.values[id]
      let new = builder.value(value.name, value.type)
      names[id] = new
      return new
    }
    builder.append(
      Op(
        op.opcode, operands: op.operands.compactMap { names[$0] }, results: results, attributes: attributes,
        origin: op.origin))
  }

  private func tensor(_ id: ValueID, _ op: Op) throws(Diagnostic) -> Tensor {
    let type = source.values[id].type
    guard let constant = constants[id],
      let tensor = source.tensor(constant.find(.value), element: type.element, shape: type.shape ?? [])
    else { throw Diagnostic("lower-to-crossbar.weights", "the weights are not constant", at: op.location) }
    return tensor
  }

  private func weightBits(_ op: Op) throws(Diagnostic) -> Int {
    guard case .integer(let bits, signed: true) = source.values[op.operands[1]].type.element, 2...16 ~= bits
    else {
      throw Diagnostic(
        "lower-to-crossbar.weights", "weights must be signed integers of 2 to 16 bits", at: op.location)
    }
    return bits
  }

  private mutating func convolution(_ op: Op) throws(Diagnostic) {
    let weights = try tensor(op.operands[1], op)
    let type = source.values[op.operands[0]].type
    guard let window = convWindow(op, input: type.shape ?? [], weights: weights.shape),
      let x = names[op.operands[0]]
    else { throw Diagnostic("lower-to-crossbar.shape", "the shapes do not go together", at: op.location) }
    let groups = op[.groups]
    let parts = (0..<groups).map { group in
      (window: window.group(group, of: groups), matrix: groupMatrix(weights, group, of: groups))
    }
    names[op.results[0]] = try matrix(
      op, x, parts, shape: source.values[op.results[0]].type.shape ?? [], axis: 1)
  }

  private mutating func product(_ op: Op) throws(Diagnostic) {
    let weights = try tensor(op.operands[1], op)
    let shape = source.values[op.results[0]].type.shape ?? []
    let rows = shape.dropLast().reduce(1, *)
    guard let x = names[op.operands[0]] else {
      throw Diagnostic("lower-to-crossbar.shape", "the input is not known", at: op.location)
    }
    let part = (window: Window.rows(rows, weights.shape[0]), matrix: weights)
    let flat = try matrix(op, x, [part], shape: [rows, weights.shape[1]], axis: 1)
    names[op.results[0]] =
      shape == [rows, weights.shape[1]]
      ? flat
      : builder.emit(
        .reshape(shape), [flat], type: ValueType(.accumulator, shape),
        name: source.values[op.results[0]].name,
        origin: op.origin)
  }

  /// Window, layer and layout for each part, and the bias of all.
  private mutating func matrix(
    _ op: Op, _ x: ValueID, _ parts: [(window: Window, matrix: Tensor)], shape: [Int], axis: Int
  ) throws(Diagnostic) -> ValueID {
    let name = source.values[op.results[0]].name
    guard parts.allSatisfy({ $0.window.positions > 0 && $0.matrix.count > 0 }) else {
      throw Diagnostic("lower-to-crossbar.shape", "the product has no elements", at: op.location)
    }
    let inputs = builder.type(x)
    guard let coding = InputCoding(inputs.element) else {
      throw Diagnostic(
        "lower-to-crossbar.inputs", "inputs must be integers of 1 to 32 bits, signed ones of 2 at least",
        at: op.location)
    }
    let zero = inputs.quantization?.zero ?? 0
    var rows: [ValueID] = []
    var correction: [Int64] = []
    for (number, part) in parts.enumerated() {
      let symbol = symbols.unique(layerName(op, name) + (parts.count > 1 ? ".\(number)" : ""))
      var layer = Layer(
        name: symbol, rows: part.matrix.shape[0], columns: part.matrix.shape[1], inputs: coding,
        weightBits: try weightBits(op))
      layer.weights = part.matrix.contained(as: .integer(bits: layer.weightBits, signed: true))
      let encoded = builder.module.encode(layer, origin: op.origin)
      // The layers of a scan precede it.
      builder.module.append(encoded)
      let window = builder.emit(
        .window, [x],
        [NamedAttribute(.window, part.window), NamedAttribute(.padding, zero)],
        type: ValueType(inputs.element, [part.window.positions, part.window.length]),
        name: "\(symbol).windows",
        origin: op.origin)
      rows.append(
        builder.emit(
          .mvm, [window], [NamedAttribute(.layer, symbol)],
          type: ValueType(.accumulator, [part.window.positions, layer.columns]), name: "\(symbol).rows",
          origin: op.origin))
      for sum in columnSums(part.matrix) {
        let product = try exact(sum.multipliedReportingOverflow(by: zero), op)
        correction.append(try exact(Int64(0).subtractingReportingOverflow(product), op))
      }
    }
    let sums = builder.emit(
      .col2im, rows, type: ValueType(.accumulator, shape), name: name, origin: op.origin)
    if op.operands.count > 2 {
      let bias = try tensor(op.operands[2], op).integers
      for k in correction.indices {
        correction[k] = try exact(correction[k].addingReportingOverflow(bias[k]), op)
      }
    }
    guard correction.contains(where: { $0 != 0 }) else { return sums }
    return builder.emit(
      .addBias(values: correction, axis: axis), [sums], type: ValueType(.accumulator, shape), name: name,
      origin: op.origin)
  }

  /// A number of the bias, which must fit into 64 bits.
  private func exact(_ result: (partialValue: Int64, overflow: Bool), _ op: Op) throws(Diagnostic) -> Int64 {
    guard !result.overflow else {
      throw Diagnostic("lower-to-crossbar.bias", "the bias does not fit into 64 bits", at: op.location)
    }
    return result.partialValue
  }

  private func layerName(_ op: Op, _ fallback: String) -> String {
    guard let name = op.origin?.name, !name.isEmpty else { return fallback }
    let part = op[.part]
    return sanitize(part.isEmpty ? name : "\(name).\(part)")
  }

  private func columnSums(_ matrix: Tensor) -> [Int64] {
    switch matrix.data {
    case .i8(let values): return sums(values, matrix.shape[1])
    case .i16(let values): return sums(values, matrix.shape[1])
    case .f32, .u8, .u16, .i32, .i64: return sums(matrix.integers, matrix.shape[1])
    }
  }

  private func sums<T: FixedWidthInteger>(_ values: [T], _ columns: Int) -> [Int64] {
    var sums = [Int64](repeating: 0, count: columns)
    for start in stride(from: 0, to: values.count, by: max(1, columns)) {
      for column in 0..<columns { sums[column] += Int64(values[start + column]) }
    }
    return sums
  }
}
