import IR
import ONNX
import Support
import Tensors

/// ConvTranspose as a convolution that crossbars compute.
///
/// A transposed convolution is a convolution with the filters mirrored and turned round, over the input spread out:
/// between neighbors on an axis lie stride - 1 zeros. The zeros come from a pad of one element that `gather` repeats,
/// so that they are at the zero point where the input is quantized.
@Sendable func importConvTranspose(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let x = try context.shape(node, 0)
  let w = try context.shape(node, 1)
  let groups = try node.int("group") ?? 1
  guard x.count == 3 || x.count == 4, w.count == x.count else {
    throw context.failure(
      "conv-rank", "ConvTranspose on \(max(0, x.count - 2)) spatial axes is not supported", node,
      help: "one- and two-dimensional convolutions are")
  }
  let kernel = try node.ints("kernel_shape") ?? Array(w.dropFirst(2))
  guard kernel == Array(w.dropFirst(2)), groups >= 1, x[1] == w[0], x[1] % groups == 0 else {
    throw context.failure(
      "conv-kernel",
      "kernel_shape \(kernel), \(groups) groups and the weights \(w) do not go with the input \(x)",
      node, help: "check the model with onnx.checker")
  }
  let walk = try TransposedWalk(context, node, input: Array(x.dropFirst(2)), kernel: kernel)
  var operands = [
    try spread(&context, try context.value(node, 0), walk, node),
    try mirrored(&context, try context.value(node, 1), groups: groups, node),
  ]
  if context.hasInput(node, 2) { operands.append(try context.value(node, 2)) }
  let ones = [Int](repeating: 1, count: kernel.count)
  try context.emit(
    .conv, operands,
    [
      NamedAttribute(.strides, ones),
      NamedAttribute(.pads, (walk.begins + walk.ends).map { max(0, $0) }),
      NamedAttribute(.dilations, walk.dilations), NamedAttribute(.groups, groups),
    ], for: node)
}

/// How a transposed convolution walks, as the convolution over the spread input that it is.
private struct TransposedWalk {
  let strides: [Int]
  let dilations: [Int]
  /// Pads of the convolution before the spread input; negative ones cut it.
  private(set) var begins: [Int] = []
  /// Pads after it.
  private(set) var ends: [Int] = []

  init(_ context: ImportContext, _ node: ONNXNode, input: [Int], kernel: [Int]) throws(Diagnostic) {
    let walk = try WindowAttributes(context, node, input: input, kernel: kernel, resolvesAutoPad: false)
    (strides, dilations) = (walk.strides, walk.dilations)
    let extra = try node.ints("output_padding") ?? input.map { _ in 0 }
    let mode = try node.string("auto_pad") ?? "NOTSET"
    let isSame = mode == "SAME_UPPER" || mode == "SAME_LOWER"
    let isDesired = node.attribute("output_shape") != nil
    let desired = try node.ints("output_shape") ?? (isSame ? zip(input, strides).map { $0 * $1 } : nil)
    guard extra.count == input.count, extra.allSatisfy({ 0..<(1 << 20) ~= $0 }),
      desired.map({ $0.count >= input.count && $0.allSatisfy { 1..<(1 << 30) ~= $0 } }) ?? true
    else {
      throw context.failure(
        "window", "output_padding or output_shape does not fit \(input.count) spatial axes", node,
        help: "check the model with onnx.checker")
    }
    for axis in input.indices {
      let reach = (kernel[axis] - 1) * dilations[axis]
      var (first, last) = (walk.pads[axis], walk.pads[axis + input.count] - extra[axis])
      if let desired = desired?.suffix(input.count) {
        let full = (input[axis] - 1) * strides[axis] + reach + 1 + extra[axis]
        let total = full - desired[desired.startIndex + axis]
        // ONNX's reference adds zeros then, ONNX's shapes and onnxruntime do not.
        guard total >= 0 || !isSame || isDesired else {
          throw context.failure(
            "auto-pad",
            "ConvTranspose with auto_pad SAME and a stride above the kernel is not the same in all runtimes",
            node,
            help: "give output_shape, or pads and output_padding")
        }
        let half = max(0, total) / 2
        first = mode == "SAME_UPPER" ? half : max(0, total) - half
        last = total - first - extra[axis]
      }
      begins.append(reach - first)
      ends.append(reach - last)
    }
  }

  /// The part of an axis of `length`, spread out, that the convolution sees before its pads.
  func part(of axis: Int, length: Int) -> Range<Int> {
    let first = max(0, -begins[axis])
    return first..<max(first, (length - 1) * strides[axis] + 1 + min(0, ends[axis]))
  }

  /// The elements of that part; `length` stands for a zero.
  func elements(of axis: Int, length: Int) -> [Int64] {
    part(of: axis, length: length).map {
      Int64($0 % strides[axis] == 0 ? $0 / strides[axis] : length)
    }
  }
}

/// The input with zeros between neighbors, and without what negative pads cut.
private func spread(_ context: inout ImportContext, _ x: ValueID, _ walk: TransposedWalk, _ node: ONNXNode)
  throws(Diagnostic) -> ValueID
{
  let shape = context.shape(of: x)
  let counts = shape.indices.dropFirst(2).map { walk.part(of: $0 - 2, length: shape[$0]).count }
  guard isComputable(shape.prefix(2) + counts), counts.allSatisfy({ 1...longestList ~= $0 }) else {
    throw context.failure(
      "window", "nothing of the input is left between the pads, or it is spread too far", node,
      help: "check the model with onnx.checker")
  }
  let lists = shape.indices.dropFirst(2).map { walk.elements(of: $0 - 2, length: shape[$0]) }
  let after = shape.indices.map { $0 >= 2 && lists[$0 - 2].contains(Int64(shape[$0])) ? 1 : 0 }
  var result = x
  if after.contains(1) {
    result = try context.apply(
      .pad(before: shape.map { _ in 0 }, after: after, value: 0), result, for: node)
  }
  for (axis, list) in lists.enumerated() where list != (0..<Int64(shape[axis + 2])).map({ $0 }) {
    result = try context.apply(.gather(indices: list, axis: axis + 2), result, for: node)
  }
  return result
}

/// Filters `[channels, filters / groups, kernel ...]` as a convolution has them, `[filters, channels / groups, kernel
/// ...]`, mirrored on every axis of the kernel.
private func mirrored(_ context: inout ImportContext, _ w: ValueID, groups: Int, _ node: ONNXNode)
  throws(Diagnostic) -> ValueID
{
  let shape = context.shape(of: w)
  let kernel = Array(shape.dropFirst(2))
  let split = [groups, shape[0] / groups, shape[1]] + kernel
  var result = try context.reshape(w, split, for: node)
  result = try context.apply(.transpose([0, 2, 1] + kernel.indices.map { $0 + 3 }), result, for: node)
  result = try context.reshape(result, [groups * shape[1], shape[0] / groups] + kernel, for: node)
  for (axis, length) in kernel.enumerated() where length > 1 {
    result = try context.apply(
      .gather(indices: (0..<Int64(length)).reversed(), axis: axis + 2), result, for: node)
  }
  return result
}
