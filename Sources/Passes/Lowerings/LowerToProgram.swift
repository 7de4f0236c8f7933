import Hardware
public import IR
public import Support
import Tensors

/// Instructions on buffers and physical crossbars: a convolution is a loop over positions.
///
/// Every value becomes a buffer; every layer gets a register for a window and one for its outputs; constants move
/// into buffers only where a digital operation needs them. Spec: ir-spec.md, `lower-to-program`.
struct LowerToProgram: Lowering {
  typealias From = CrossbarLevel
  typealias To = ProgramLevel
  static let name = "lower-to-program"
  static let summary = "instructions on buffers and physical crossbars; a convolution is a loop"
  static let requires: Set<Fact> = [.shaped, .sliced, .partitioned, .placed, .scheduled]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")
  static let options: [PassOptionSpec] = []

  init(_ options: PassOptions) {}

  func run(on module: Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic)
    -> Module<ProgramLevel>
  {
    var lowering = ProgramLowering(module)
    try lowering.run()
    return lowering.result
  }
}

/// The instructions and buffers of the program that `module` becomes, without layers and crossbars: these follow layer by
/// layer.
///
/// Throws what `lower-to-program` throws.
public func lowerCode(of module: Module<CrossbarLevel>) throws(Diagnostic) -> Module<ProgramLevel> {
  var lowering = ProgramLowering(module)
  try lowering.lowerCode()
  return lowering.result
}

extension LayerView {
  /// The layer as a program has it: without weights, and with blocks whose cells stand in crossbars.
  public var withoutCells: LayerView {
    var bare = self
    bare.weights = nil
    bare.weightBits = 0
    bare.encoding = nil
    bare.cellBits = nil
    bare.stage = nil
    for index in bare.blocks.indices { bare.blocks[index].cells = [] }
    return bare
  }
}

/// The work of `lower-to-program`.
struct ProgramLowering {
  let source: Module<CrossbarLevel>
  var builder: Builder<ProgramLevel>
  var buffers: [ValueID: ValueID] = [:]
  private var producers: [ValueID: Op] = [:]
  private var declarations: [OpID] = []
  private var crossbars: [OpID] = []
  private var layers: [OpID] = []
  private var inputs: [OpID] = []
  var code: [OpID] = []
  private var outputs: [OpID] = []

  init(_ source: Module<CrossbarLevel>) {
    self.source = source
    builder = Builder(source.emptied(at: ProgramLevel.self))
  }

  var result: Module<ProgramLevel> {
    var module = builder.module
    module.body = declarations + crossbars + layers + inputs + code + outputs
    module.dropUnusedResources()
    return module
  }

  mutating func run() throws(Diagnostic) {
    try programCrossbars()
    try lowerCode()
  }

  mutating func lowerCode() throws(Diagnostic) {
    for op in source.bodyOps { try lower(op) }
  }

  mutating func lower(_ op: Op) throws(Diagnostic) {
    switch op.opcode.kind {
    case .layer, .state, .next: return
    case .window, .mvm: producers[op.results[0]] = op
    case .arrange: try loop(op)
    case .constant: try constant(op)
    case .input:
      let buffer = declare(op.results[0])
      inputs.append(builder.module.add(Op(.input, results: [buffer], attributes: op.attributes)))
    case .output:
      let value = try buffer(op.operands[0], op)
      outputs.append(builder.module.add(Op(.output, operands: [value], attributes: op.attributes)))
    case .loop: try timeLoop(op)
    case .step, .stack:
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
        "%\(source.values[id].name) is no buffer: windows and rows stay inside a loop",
        at: op.location)
    }
    return found
  }

  // MARK: Crossbars

  private mutating func programCrossbars() throws(Diagnostic) {
    let array = try source.requiredMachine().array
    let views = source.layers
    let used = Set(views.flatMap { $0.layer.blocks.compactMap(\.crossbar) })
    let count = used.count
    guard used.allSatisfy({ $0 < count }) else {
      throw Diagnostic(
        "lower-to-program.crossbars",
        "the numbers of the crossbars have gaps: \(count) are used, the highest is "
          + "\(used.max() ?? 0)", notes: ["run place-blocks"])
    }
    var images = [[UInt8]](repeating: [UInt8](repeating: 0, count: array.rows * array.columns), count: count)
    for (_, layer) in views {
      for block in layer.blocks {
        guard let crossbar = block.crossbar, let corner = block.corner else { continue }
        block.write(into: &images[crossbar], at: corner, width: array.columns)
      }
      layers.append(builder.module.add(builder.module.spell(layer.withoutCells, origin: nil)))
    }
    for (number, image) in images.enumerated() {
      let cells = builder.module.constant(
        Tensor([array.rows, array.columns], .u8(image)),
        element: .integer(bits: array.cellBits, signed: false), name: "crossbar\(number)")
      crossbars.append(
        builder.module.add(
          Op(
            .crossbar,
            attributes: [NamedAttribute(.crossbarNumber, number), NamedAttribute(.cells, cells)])))
    }
  }

  // MARK: Code

  /// For each part of an arrangement a loop over its positions.
  private mutating func loop(_ op: Op) throws(Diagnostic) {
    let target = declare(op.results[0])
    let shape = source.values[op.results[0]].type.shape ?? []
    let channels = shape.count > 1 ? shape[1] : 1
    let spots = shape.dropFirst(2).reduce(1, *)
    var start = 0
    for operand in op.operands {
      guard let product = producers[operand], product.opcode == .mvm,
        let window = producers[product.operands[0]],
        window.opcode == .window, let geometry = window.window
      else {
        throw Diagnostic(
          "lower-to-program.shape", "arrange takes the rows of a product of windows", at: op.location)
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
            NamedAttribute(.channels, channels), NamedAttribute(.spots, spots),
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
    let (opcode, attributes) = builder.module.spelling(of: digital, name: builder.module.values[target].name)
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

extension BlockView {
  /// Copies the cells into the image of a crossbar of `width` bitlines, in which the block lies at `corner`.
  public func write(into image: inout [UInt8], at corner: [Int], width: Int) {
    let count = columns.count
    image.withUnsafeMutableBufferPointer { image in
      cells.withUnsafeBufferPointer { cells in
        for row in rows.indices {
          let target = (corner[0] + row) * width + corner[1]
          for column in 0..<count { image[target + column] = cells[row * count + column] }
        }
      }
    }
  }
}
