import IR
import Mapping
import Support
import Tensors

/// Which inputs of layers are one number in every position, whatever the inputs of the graph are.
///
/// One walk over the body keeps, for each value that is still to be used, which of its elements are known. The windows
/// of an image are never built as a whole: each `mvm` takes them from the image, some positions at a time.
struct ConstantInputs {
  /// For each `mvm`, the number that each input of its layer always has; nil for inputs that vary.
  private(set) var ofProducts: [OpID: [Int64?]] = [:]
  private let module: Module<CrossbarLevel>
  private let layers: [String: Layer]
  private var known: [ValueID: KnownElements] = [:]
  private var windows: [ValueID: WindowedValue] = [:]

  /// Walks over `module`, whose layers have no blocks yet.
  init(of module: Module<CrossbarLevel>) {
    self.module = module
    layers = Dictionary(module.layers.map { ($0.layer.name, $0.layer) }) { first, _ in first }
    let uses = Uses(of: module)
    for id in module.flatBody {
      visit(id)
      for operand in module.ops[id].operands where uses[operand].last == id {
        known[operand] = nil
        windows[operand] = nil
      }
    }
  }

  private mutating func visit(_ id: OpID) {
    let op = module.ops[id]
    guard let result = op.results.first else { return }
    let type = module.values[result].type
    switch op.opcode.kind {
    // What belongs to iterations of a scan is not followed.
    case .input, .carry, .scanSlice, .yield, .scanOutput: return
    case .constant:
      let value = module.tensor(op.find(.value), element: type.element, shape: type.shape ?? [])
      known[result] = value.map { KnownElements($0) }
    case .window: windows[result] = windowed(op)
    case .mvm: known[result] = product(id, op)
    case .col2im: known[result] = assembled(op, type)
    case .digital: known[result] = digital(op)
    case .output, .conv, .gemm, .batchNorm, .scan, .layer, .block, .buffer, .crossbar, .load, .drive,
      .convert, .accumulate, .store, .repeat:
      return
    }
  }

  /// What is known of each operand; nil where nothing is known of any.
  private func operands(_ op: Op, evenIfUnknown: Bool = false) -> [KnownElements]? {
    guard evenIfUnknown || op.operands.contains(where: { known[$0] != nil }) else { return nil }
    let found = op.operands.compactMap { known[$0] ?? KnownElements.nothing(of: module.values[$0].type) }
    return found.count == op.operands.count ? found : nil
  }

  private func digital(_ op: Op) -> KnownElements? {
    // Only a pad has known elements, its own, where nothing else is known.
    guard let digital = module.digitalOperator(of: op),
      let arguments = operands(op, evenIfUnknown: op.opcode == .pad)
    else { return nil }
    return digital.apply(to: arguments)
  }

  private func assembled(_ op: Op, _ type: ValueType) -> KnownElements? {
    guard let parts = operands(op), let shape = type.shape, let batch = shape.first,
      let joined = DigitalOperator.concat(axis: 1).apply(to: parts),
      let values = try? col2im(joined.values, batch: batch),
      let unknown = try? col2im(joined.unknown, batch: batch), values.count == checkedProduct(shape)
    else { return nil }
    return KnownElements(values.reshaped(shape), unknown: unknown.reshaped(shape))
  }

  private func windowed(_ op: Op) -> WindowedValue? {
    guard let window = op.window else { return nil }
    return WindowedValue(
      image: known[op.operands[0]], window: window, padding: op[.padding])
  }

  /// What an `mvm` gives, whose operand is the windows of a value or the rows of a matrix.
  private mutating func product(_ id: OpID, _ op: Op) -> KnownElements? {
    guard let layer = layers[op[.layer]],
      let shape = module.values[op.operands[0]].type.shape, shape.count == 2, shape[1] == layer.rows,
      shape[0] > 0,
      var scan = InputScan(layer, positions: shape[0])
    else { return nil }
    let rows = WindowedValue(
      image: known[op.operands[0]], window: .rows(shape[0], shape[1]), padding: 0)
    guard scan.run(over: windows[op.operands[0]] ?? rows) else { return nil }
    ofProducts[id] = scan.constants
    return scan.outputs
  }
}

/// The windows of a value: the operand of an `mvm` before it is built.
struct WindowedValue {
  /// What is known of the value; nil for nothing.
  let image: KnownElements?
  /// How windows walk over it.
  let window: Window
  /// What is outside of it.
  let padding: Int64

  /// Whether no window reaches beyond the image.
  var staysInside: Bool {
    window.padTop == 0 && window.padLeft == 0
      && (window.outHeight - 1) * window.strideHeight + (window.kernelHeight - 1) * window.dilationHeight
        < window.height
      && (window.outWidth - 1) * window.strideWidth + (window.kernelWidth - 1) * window.dilationWidth
        < window.width
  }
}
