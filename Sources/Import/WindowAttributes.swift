import IR
import ONNX
import Support
import Tensors

/// Strides, pads and dilations of a Conv or a pool, with auto_pad resolved.
struct WindowAttributes {
  var strides: [Int]
  /// All begins, then all ends.
  var pads: [Int]
  var dilations: [Int]

  /// Reads them for an input of the given spatial lengths; without `resolvesAutoPad` the pads of SAME are left to the
  /// caller.
  init(
    _ context: ImportContext, _ node: ONNXNode, input: [Int], kernel: [Int], resolvesAutoPad: Bool = true
  ) throws(Diagnostic) {
    let ones = [Int](repeating: 1, count: input.count)
    strides = try node.ints("strides") ?? ones
    dilations = try node.ints("dilations") ?? ones
    pads = try node.ints("pads") ?? [Int](repeating: 0, count: 2 * input.count)
    let legal = 1..<(1 << 20)
    guard strides.count == input.count, dilations.count == input.count, pads.count == 2 * input.count,
      kernel.count == input.count, (strides + dilations + kernel).allSatisfy(legal.contains),
      pads.allSatisfy({ 0..<(1 << 20) ~= $0 })
    else {
      throw context.failure(
        "window", "strides, pads, dilations or kernel do not fit \(input.count) spatial axes", node,
        help: "negative pads are not supported; check the model with onnx.checker")
    }
    let mode = try node.string("auto_pad") ?? "NOTSET"
    switch mode {
    case "NOTSET": break
    case "VALID": pads = [Int](repeating: 0, count: 2 * input.count)
    case "SAME_UPPER", "SAME_LOWER":
      if resolvesAutoPad { padSame(input, kernel, extraFirst: mode == "SAME_LOWER") }
    default:
      throw context.failure(
        "auto-pad", "unknown auto_pad '\(mode)'", node, help: "use NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    }
  }

  /// Pads so that there are `ceil(length / stride)` positions; an odd element goes to the end, or to the beginning.
  private mutating func padSame(_ input: [Int], _ kernel: [Int], extraFirst: Bool) {
    for axis in input.indices {
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      let total = max(0, (ceilDivide(input[axis], strides[axis]) - 1) * strides[axis] + reach - input[axis])
      let begin = extraFirst ? total - total / 2 : total / 2
      pads[axis] = begin
      pads[axis + input.count] = total - begin
    }
  }
}
