import Hardware
import IR
import Support
import Tensors

/// The instructions and buffers of the program that `module` becomes, without layers and crossbars.
///
/// Every value becomes a buffer; every layer gets a register for a window and one for its outputs; constants move into
/// buffers only where a digital operation needs them. Throws `lower-to-program.*`.
func lowerCode(of module: Module<CrossbarLevel>) throws(Diagnostic) -> Module<ProgramLevel> {
  var lowering = CodeLowering(module)
  for op in module.bodyOps { try lowering.lower(op) }
  return lowering.result
}

/// The work of `lowerCode`.
struct CodeLowering {
  let source: Module<CrossbarLevel>
  var builder: Builder<ProgramLevel>
  var buffers: [ValueID: ValueID] = [:]
  private var producers: [ValueID: Op] = [:]
  private var declarations: [OpID] = []
  private var inputs: [OpID] = []
  var code: [OpID] = []
  private var outputs: [OpID] = []

  init(_ source: Module<CrossbarLevel>) {
    self.source = source
    builder = Builder(source.emptied(at: ProgramLevel.self))
  }

  var result: Module<ProgramLevel> {
    var module = builder.module
    module.body = declarations + inputs + code + outputs
    module.dropUnusedResources()
    return module
  }

  mutating func lower(_ op: Op) throws(Diagnostic) {
    switch op.opcode.kind {
    case .layer, .carry, .yield: return
    case .window, .mvm: producers[op.results[0]] = op
    case .col2im: try loop(op)
    case .constant: try constant(op)
    case .input:
      let buffer = declare(op.results[0])
      inputs.append(builder.module.add(Op(.input, results: [buffer], attributes: op.attributes)))
    case .output:
      let value = try buffer(op.operands[0], op)
      outputs.append(builder.module.add(Op(.output, operands: [value], attributes: op.attributes)))
    case .scan: try scan(op)
    case .scanSlice, .scanOutput:
      let value = try buffer(op.operands[0], op)
      emit(
        Op(
          op.opcode, operands: [value], results: [declare(op.results[0])], attributes: op.attributes,
          origin: op.origin))
    case .digital, .conv, .gemm, .batchNorm, .block, .buffer, .crossbar, .load, .drive, .convert, .accumulate,
      .store, .repeat:
      try digital(op)
    }
  }

  mutating func emit(_ op: Op) { code.append(builder.module.add(op)) }

  mutating func declare(_ id: ValueID) -> ValueID {
    let buffer = declare(source.values[id].name, source.values[id].type)
    buffers[id] = buffer
    return buffer
  }

  mutating func declare(_ name: String, _ type: ValueType) -> ValueID {
    let buffer = builder.value(name, ValueType(type.element, type.shape))
    declarations.append(builder.module.add(Op(.buffer, results: [buffer])))
    return buffer
  }

  func buffer(_ id: ValueID, _ op: Op) throws(Diagnostic) -> ValueID {
    guard let found = buffers[id] else {
      throw Diagnostic(
        "lower-to-program.value",
        "%\(source.values[id].name) is no buffer: only col2im takes the rows of a product, and only a product takes windows",
        at: op.location)
    }
    return found
  }

  // MARK: Code

  /// For each part of an layout a loop over its positions.
  private mutating func loop(_ op: Op) throws(Diagnostic) {
    let target = declare(op.results[0])
    let shape = source.values[op.results[0]].type.shape ?? []
    let channels = shape.count > 1 ? shape[1] : 1
    let positions = shape.dropFirst(2).reduce(1, *)
    var start = 0
    for operand in op.operands {
      guard let product = producers[operand], product.opcode == .mvm,
        let window = producers[product.operands[0]],
        window.opcode == .window, let geometry = window.window
      else {
        throw Diagnostic(
          "lower-to-program.shape", "col2im takes the rows of a product of windows", at: op.location)
      }
      let layer = product[.layer]
      let outputs = source.values[product.results[0]].type.shape?.last ?? 0
      let image = try buffer(window.operands[0], window)
      let register = declare(
        "\(layer).x", ValueType(source.values[window.operands[0]].type.element, [geometry.length]))
      let sums = declare("\(layer).y", ValueType(.accumulator, [outputs]))
      let body = [
        Op(.load, operands: [image], results: [register], attributes: window.attributes, origin: op.origin),
        Op(.drive, operands: [register], attributes: product.attributes, origin: op.origin),
        Op(.convert, attributes: product.attributes, origin: op.origin),
        Op(.accumulate, results: [sums], attributes: product.attributes, origin: op.origin),
        Op(
          .store, operands: [sums], results: [target],
          attributes: [
            NamedAttribute(.channels, channels), NamedAttribute(.positions, positions),
            NamedAttribute(.channelStart, start),
          ], origin: op.origin),
      ].map { builder.module.add($0) }
      code.append(
        builder.module.add(
          Op(
            .repeat, attributes: [NamedAttribute(.repetitions, geometry.positions)], body: body,
            origin: op.origin)))
      start += outputs
    }
  }

  /// Constants of the operator are named after its result, as they are when a program is lifted.
  private mutating func digital(_ op: Op) throws(Diagnostic) {
    guard let digital = source.digitalOperator(of: op), let result = op.results.first else {
      throw Diagnostic(
        "lower-to-program.operator", "\(op.opcode.rawValue) is no digital operator", at: op.location)
    }
    var operands: [ValueID] = []
    for operand in op.operands { operands.append(try buffer(operand, op)) }
    let target = declare(result)
    let (opcode, attributes) = builder.module.encoding(of: digital, name: builder.module.values[target].name)
    code.append(
      builder.module.add(
        Op(opcode, operands: operands, results: [target], attributes: attributes, origin: op.origin)))
  }

  /// A constant operand of a digital operation: a buffer that holds its numbers from the start.
  private mutating func constant(_ op: Op) throws(Diagnostic) {
    let result = op.results[0]
    let type = source.values[result].type
    guard let tensor = source.tensor(op.find(.value), element: type.element, shape: type.shape ?? []) else {
      throw Diagnostic(
        "lower-to-program.constant", "the numbers do not have the type \(type)", at: op.location)
    }
    let buffer = builder.value(source.values[result].name, ValueType(type.element, type.shape))
    let name = builder.module.values[buffer].name
    let value = builder.module.constant(tensor, element: type.element, name: name)
    buffers[result] = buffer
    declarations.append(
      builder.module.add(Op(.buffer, results: [buffer], attributes: [NamedAttribute(.value, value)])))
  }
}
