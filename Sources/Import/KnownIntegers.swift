import IR
import ONNX
import Support
import Tensors

// What exporters compute on shapes beside sums and products: conditions of If, and lengths in other types. All of it is
// done at import; truth values are the integers 0 and 1.

/// Comparisons and logic of integers known at import.
let knownIntegerImporters: [String: OperatorImporter] = [
  "Equal": compared { $0 == $1 }, "Less": compared { $0 < $1 }, "LessOrEqual": compared { $0 <= $1 },
  "Greater": compared { $0 > $1 }, "GreaterOrEqual": compared { $0 >= $1 },
  "And": compared { $0 != 0 && $1 != 0 }, "Or": compared { $0 != 0 || $1 != 0 },
  "Xor": compared { ($0 != 0) != ($1 != 0) },
  "Not": { (context, node) throws(Diagnostic) in
    let (values, shape) = try context.integers(node, 0)
    context.bind(node, integers: Tensor(shape, values.map { Int64($0 == 0 ? 1 : 0) }))
  },
  "Size": { (context, node) throws(Diagnostic) in
    let count = try context.shape(node, 0).reduce(1, *)
    context.bind(node, integers: Tensor([], [Int64(count)]))
  },
]

/// The rows of docs/operators.md for these.
let knownIntegerSupport: [OperatorSupport] = [
  OperatorSupport("Equal", .gone, notes: "one shape for both sides, or a single number on one"),
  OperatorSupport("Less", .gone, notes: "as `Equal`"),
  OperatorSupport("LessOrEqual", .gone, notes: "as `Equal`"),
  OperatorSupport("Greater", .gone, notes: "as `Equal`"),
  OperatorSupport("GreaterOrEqual", .gone, notes: "as `Equal`"),
  OperatorSupport("And", .gone, notes: "as `Equal`"),
  OperatorSupport("Or", .gone, notes: "as `Equal`"),
  OperatorSupport("Xor", .gone, notes: "as `Equal`"),
  OperatorSupport("Not", .gone),
  OperatorSupport("Size", .gone, "of any value"),
]

/// Both sides have one shape, or one of them is a single number.
private func compared(_ holds: @escaping @Sendable (Int64, Int64) -> Bool) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    let (a, b) = (try context.integers(node, 0), try context.integers(node, 1))
    guard a.shape == b.shape || a.values.count == 1 || b.values.count == 1 else {
      throw context.failure(
        "integer", "\(node.op) of the shapes \(a.shape) and \(b.shape) is not supported", node,
        help: "one shape for both, or a single number on one side, is")
    }
    let count = a.values.count == 1 ? b.values.count : a.values.count
    let truths = (0..<count).map { k in
      let (x, y) = (a.values[a.values.count == 1 ? 0 : k], b.values[b.values.count == 1 ? 0 : k])
      return Int64(holds(x, y) ? 1 : 0)
    }
    let isWide = a.values.count > 1 || a.values.count == b.values.count && a.shape.count >= b.shape.count
    context.bind(node, integers: Tensor(isWide ? a.shape : b.shape, truths))
  }
}

/// The integers of input 0 of a Cast to `type`, which must hold them; nil where they are not known at import.
func castIntegers(_ context: ImportContext, _ node: ONNXNode, to type: ONNXElementType?) throws(Diagnostic)
  -> Entry?
{
  guard let (values, shape) = context.knownIntegers(node, 0) else { return nil }
  switch type {
  case .bool?: return .integers(values: values.map { $0 == 0 ? 0 : 1 }, shape: shape)
  case .float?, .double?: return .initializer(try floatTensor(shape, values.map { Float($0) }))
  case let type?:
    guard let range = type.integerRange, values.allSatisfy(range.contains) else { return nil }
    return .integers(values: values, shape: shape)
  case nil: return nil
  }
}

extension ONNXElementType {
  /// The integers of the type that fit into 64 bits with a sign; nil where it is none of 8 bits or more.
  fileprivate var integerRange: ClosedRange<Int64>? {
    switch self {
    case .int8: Int64(Int8.min)...Int64(Int8.max)
    case .uint8: 0...Int64(UInt8.max)
    case .int16: Int64(Int16.min)...Int64(Int16.max)
    case .uint16: 0...Int64(UInt16.max)
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .uint32: 0...Int64(UInt32.max)
    case .int64: .min ... .max
    case .uint64: 0 ... .max
    default: nil
    }
  }
}
