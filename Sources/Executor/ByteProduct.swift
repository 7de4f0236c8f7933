import CKernels
import Mapping
import ProgramFormat
import Tensors

/// A loop over positions whose layers are products of bytes (`ByteWeights`): all positions of all samples are computed
/// together, and the bias and the requantization after them in the same pass.
struct ByteProduct: Sendable {
  /// A layer of the loop: the groups of a convolution are several.
  struct Member: Sendable {
    let layer: Int
    let source: Int
    let window: Window
    let padding: UInt8
    /// Where the outputs go.
    let layout: OutputLayout
  }

  /// What becomes of the sums.
  enum Result: Sendable {
    /// They are stored as they are.
    case sums
    /// They become levels; one scale for all channels or one for each.
    case levels([xbar_byte_scale])
  }

  /// Rounds of the loop.
  let positions: Int
  let members: [Member]
  /// The buffer of the sums or levels.
  let destination: Int
  /// What is added to each channel; none for sums.
  let bias: [Int32]
  let result: Result
}

/// Finds the loops of a program that are products of bytes.
struct ByteProductFinder {
  private let program: Program
  private let layers: [LayerPlan]
  /// How often each buffer is named, by instructions and as input or output.
  private let uses: [Int]

  init(_ program: Program, _ layers: [LayerPlan]) {
    self.program = program
    self.layers = layers
    var uses = countUses(program.code, buffers: program.buffers.count)
    for port in program.inputs + program.outputs { uses[port.buffer] += 1 }
    for (index, buffer) in program.buffers.enumerated() where buffer.initial != nil { uses[index] += 1 }
    self.uses = uses
  }

  /// The product that the first instruction of `code`, a loop of `count` rounds with `body`, computes, with what
  /// follows it, and how many instructions that is; nil for other loops.
  func product(_ count: Int, _ body: [Instruction], in code: ArraySlice<Instruction>) -> (ByteProduct, Int)? {
    guard let (members, destination) = members(count, body), isPrivate(members, body) else { return nil }
    if let (product, length) = levels(count, members, destination, code) { return (product, length) }
    guard !program.buffers[destination].element.isFloat,
      program.buffers[destination].element.storageBytes == 8
    else { return nil }
    return (
      ByteProduct(positions: count, members: members, destination: destination, bias: [], result: .sums), 1
    )
  }

  /// The layers of a body that is nothing but load, drive, convert, accumulate and store for each of them.
  private func members(_ count: Int, _ body: [Instruction]) -> ([ByteProduct.Member], Int)? {
    guard !body.isEmpty, body.count % 5 == 0 else { return nil }
    var members: [ByteProduct.Member] = []
    var destinations: Set<Int> = []
    for first in stride(from: 0, to: body.count, by: 5) {
      guard case .load(let x, let source, let window, let padding) = body[first].operation,
        case .drive(x, let layer) = body[first + 1].operation,
        case .convert(layer) = body[first + 2].operation,
        case .accumulate(let y, layer) = body[first + 3].operation,
        case .store(let destination, y, let layout) = body[first + 4].operation,
        layers[layer].bytes != nil, isByte(source, layer), source != destination,
        window.batch * window.outHeight * window.outWidth == count
      else { return nil }
      destinations.insert(destination)
      members.append(
        ByteProduct.Member(
          layer: layer, source: source, window: window, padding: UInt8(truncatingIfNeeded: padding),
          layout: layout))
    }
    guard destinations.count == 1, let destination = destinations.first,
      !members.contains(where: { $0.source == destination })
    else { return nil }
    return (members, destination)
  }

  /// Whether a buffer holds bytes that are inputs of the layer as they are.
  private func isByte(_ source: Int, _ layer: Int) -> Bool {
    guard case .integer(let bits, let signed) = program.buffers[source].element else { return false }
    return bits <= 8 && signed == program.layers[layer].inputs.isSigned
  }

  /// Whether the registers of a body are named in it alone, so that nobody misses what is left in them.
  private func isPrivate(_ members: [ByteProduct.Member], _ body: [Instruction]) -> Bool {
    let inside = countUses(body, buffers: program.buffers.count)
    let shared = Set(members.map(\.source) + body.compactMap(\.storeDestination))
    return inside.indices.allSatisfy { inside[$0] == 0 || shared.contains($0) || inside[$0] == uses[$0] }
  }

  /// The product with the bias and the requantization that follow it, where nothing else needs the sums.
  private func levels(
    _ count: Int, _ members: [ByteProduct.Member], _ destination: Int, _ code: ArraySlice<Instruction>
  ) -> (ByteProduct, Int)? {
    guard members.isComplete(program.layers), let layout = members.first?.layout,
      uses[destination] == members.count + 1
    else { return nil }
    var (sums, next) = (destination, code.startIndex + 1)
    var bias = [Int64](repeating: 0, count: layout.channels)
    if next < code.endIndex,
      case .digital(.addBias(let values, let axis), [sums], let biased) = code[next].operation,
      program.buffers[destination].isChannel(axis, of: layout), values.count == bias.count,
      uses[biased] == 2
    {
      (bias, sums, next) = (values, biased, next + 1)
    }
    guard next < code.endIndex,
      case .digital(.requantize(let rule), [sums], let output) = code[next].operation,
      program.buffers[destination].isChannel(rule.axis, of: layout) || rule.multipliers.count == 1,
      let scales = byteScales(rule, program.buffers[output].element)
    else { return nil }
    let reach = members.map { layers[$0.layer].bytes?.reach ?? .max }.max() ?? .max
    let largest = bias.map { Int64(clamping: $0.magnitude) }.max() ?? 0
    guard largest < 1 << 30, reach < 1 << 30 else { return nil }
    let product = ByteProduct(
      positions: count, members: members, destination: output,
      bias: bias.map { Int32(truncatingIfNeeded: $0) }, result: .levels(scales))
    return (product, next + 1 - code.startIndex)
  }
}

/// The scales of a requantization to bytes of type `element`; nil where a level may be no byte.
private func byteScales(_ rule: Requantization, _ element: ElementType) -> [xbar_byte_scale]? {
  guard case .integer(let bits, _) = element, bits <= 8, rule.low >= element.lowest,
    rule.high <= element.highest,
    abs(rule.zero) <= 1 << 31, rule.multipliers.count == rule.shifts.count
  else { return nil }
  return zip(rule.multipliers, rule.shifts).map { factor, shift in
    xbar_byte_scale(
      multiplier: factor, shift: shift, low: rule.low - rule.zero, high: rule.high - rule.zero,
      zero: rule.zero)
  }
}

extension [ByteProduct.Member] {
  /// Whether the layers write every channel of the destination.
  fileprivate func isComplete(_ layers: [Layer]) -> Bool {
    guard let first, allSatisfy({ $0.layout.hasShape(of: first.layout) }) else { return false }
    var next = 0
    for member in sorted(by: { $0.layout.channelStart < $1.layout.channelStart }) {
      guard member.layout.channelStart == next else { return false }
      next += layers[member.layer].columns
    }
    return next == first.layout.channels
  }
}

extension OutputLayout {
  fileprivate func hasShape(of other: OutputLayout) -> Bool {
    channels == other.channels && positions == other.positions
  }
}

extension Buffer {
  /// Whether the index on `axis` is the channel of elements that lie as `layout` says.
  fileprivate func isChannel(_ axis: Int, of layout: OutputLayout) -> Bool {
    shape.indices.contains(axis) && shape[axis] == layout.channels
      && shape[(axis + 1)...].reduce(1, *) == layout.positions
  }
}

extension Instruction {
  fileprivate var storeDestination: Int? {
    if case .store(let destination, _, _) = operation { return destination }
    return nil
  }
}

/// How often `code` names each buffer.
func countUses(_ code: [Instruction], buffers: Int) -> [Int] {
  var uses = [Int](repeating: 0, count: buffers)
  func count(_ code: [Instruction]) {
    for instruction in code {
      switch instruction.operation {
      case .loop(_, let body): count(body)
      case .load(let register, let source, _, _):
        uses[register] += 1
        uses[source] += 1
      case .drive(let register, _), .accumulate(let register, _): uses[register] += 1
      case .convert: continue
      case .store(let destination, let register, _), .scanOutput(let destination, let register, _):
        uses[destination] += 1
        uses[register] += 1
      case .scanSlice(let register, let source, _):
        uses[register] += 1
        uses[source] += 1
      case .digital(_, let inputs, let output):
        for input in inputs { uses[input] += 1 }
        uses[output] += 1
      }
    }
  }
  count(code)
  return uses
}
