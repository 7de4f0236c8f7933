import IR
import ONNX
import Support
import Tensors

/// Changes of type.
let castOperators: [SupportedOperator] = [
  SupportedOperator(
    "Cast", importCast, .exact, "between floats, integers and truth values; of levels and their sums",
    notes:
      "floats stay binary32; computed integers are floats without their fraction, whatever their type: none wraps"
  ),
  SupportedOperator(
    "CastLike", importCastLike, .exact, "as `Cast`, to the type of an initializer or of floats"),
]

@Sendable private func importCast(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  try cast(&context, node, to: ONNXElementType(rawValue: try node.int("to") ?? 0))
}

/// The type is that of input 1.
@Sendable private func importCastLike(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let name = try context.inputName(node, 1)
  switch context.entry(name) {
  case .initializer(let tensor)?: try cast(&context, node, to: tensor.elementType)
  case .value(let id)? where context.builder.type(id).element.isFloat: try cast(&context, node, to: .float)
  case .value?, .whole?, .integers?, .blocks?, .dynamic?, .failed?, nil:
    throw context.failure(
      "cast", "the type of '\(name)' is not known as such: computed integers have no width here", node,
      help: "use Cast with the type to cast to")
  }
}

/// Floats stay floats, numbers known at import become what is asked for, and computed ones whole numbers or truth
/// values.
private func cast(_ context: inout ImportContext, _ node: ONNXNode, to target: ONNXElementType?)
  throws(Diagnostic)
{
  if target?.isFloat == true, try castLevels(&context, node) { return }
  if let known = context.knownIntegers(node, 0) {
    if try castIntegers(&context, node, known, to: target) { return }
  } else if target?.isFloat == true {
    return try castToFloats(&context, node)
  } else if let target, let known = try context.knownFloats(node, 0) {
    if castFloats(&context, node, known, to: target) { return }
    // ONNX does not say which integer an infinity is; it matters only where it is chosen.
    if known.floats.contains(where: { !$0.isFinite }), let range = integerRange(target) {
      return try castComputed(&context, node, isTruth: target == .bool, range)
    }
  } else if let target, let range = integerRange(target) {
    return try castComputed(&context, node, isTruth: target == .bool, range)
  }
  throw context.failure(
    "cast",
    "a cast to \(target.map(\.name) ?? "an unknown type") is not supported, or a number is too large for it",
    node, help: "casts to floats, integers and truth values are, where the type holds the numbers")
}

private func castToFloats(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let id = try context.isWhole(node, 0) ? context.number(node, 0) : context.value(node, 0)
  context.bind(node.outputs.first ?? "", .value(id))
}

private func castIntegers(
  _ context: inout ImportContext, _ node: ONNXNode, _ known: (values: [Int64], shape: [Int]),
  to target: ONNXElementType?
) throws(Diagnostic) -> Bool {
  if target?.isFloat == true {
    context.bind(
      node.outputs.first ?? "",
      .initializer(try floatTensor(known.shape, known.values.map { Float($0) })))
    return true
  }
  if target == .bool {
    let flags = known.values.map { $0 == 0 ? 0 : 1 } as [Int64]
    context.bind(node, integers: Tensor(known.shape, flags))
    return true
  }
  guard let range = target.flatMap(integerRange), known.values.allSatisfy(range.contains) else {
    return false
  }
  context.bind(node, integers: Tensor(known.shape, known.values))
  return true
}

private func castFloats(
  _ context: inout ImportContext, _ node: ONNXNode, _ known: Tensor, to target: ONNXElementType
) -> Bool {
  let whole = known.floats.map { target == .bool ? ($0 == 0 ? 0 : 1) : $0.rounded(.towardZero) }
  guard let range = integerRange(target),
    whole.allSatisfy({ $0.magnitude < 0x1p62 && range.contains(Int64($0)) })
  else { return false }
  context.bind(node, integers: Tensor(known.shape, whole.map { Int64($0) }))
  return true
}

/// Floats lose their fraction; levels and whole numbers stay, where the type holds them.
private func castComputed(
  _ context: inout ImportContext, _ node: ONNXNode, isTruth: Bool, _ range: ClosedRange<Int64>
) throws(Diagnostic) {
  if case .value(let id)? = context.entry(try context.inputName(node, 0)), !isTruth {
    let element = context.builder.type(id).element
    if element.isFloat {
      return try context.bindOutput(node, whole: try context.truncated(id, for: node))
    }
    // Sums have 32 bits in ONNX.
    let bounds =
      element == .accumulator ? Int64(Int32.min)...Int64(Int32.max) : element.lowest...element.highest
    guard range.contains(bounds.lowerBound), range.contains(bounds.upperBound) else {
      throw context.failure(
        "cast", "a cast of levels of type \(element) to a type that does not hold all of them", node,
        help: "cast them to a wider type, or to floats")
    }
    return context.bind(node.outputs.first ?? "", .value(id))
  }
  let x = try context.number(node, 0)
  guard isTruth else { return try context.bindOutput(node, whole: x) }
  let isZero = try context.apply(.equal, x, 0, for: node)
  try context.bindOutput(node, whole: try context.not(isZero, for: node))
}

/// The values of an integer type, of `uint64` the lower half; nil for other types.
func integerRange(_ type: ONNXElementType) -> ClosedRange<Int64>? {
  switch type {
  case .int64: Int64.min...Int64.max
  case .int32: Int64(Int32.min)...Int64(Int32.max)
  case .int16: Int64(Int16.min)...Int64(Int16.max)
  case .int8: Int64(Int8.min)...Int64(Int8.max)
  case .int4: -8...7
  case .int2: -2...1
  case .uint64: 0...Int64.max
  case .uint32: 0...Int64(UInt32.max)
  case .uint16: 0...Int64(UInt16.max)
  case .uint8: 0...Int64(UInt8.max)
  case .uint4: 0...15
  case .uint2: 0...3
  case .bool: 0...1
  case .float, .double, .float16, .bfloat16, .string, .complex64, .complex128, .float8e4m3fn, .float8e4m3fnuz,
    .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1:
    nil
  }
}
