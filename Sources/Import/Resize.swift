import IR
import ONNX
import Support
import Tensors

/// Resize and Upsample: elements chosen on each axis, or neighbors weighted by their distance.
let resizeOperators: [SupportedOperator] = [
  SupportedOperator(
    "Resize", importResize, .exact,
    "scales or sizes, axes, mode nearest (every nearest_mode), linear and cubic (cubic_coeff_a, exclude_outside), every coordinate_transformation_mode but tf_crop_and_resize",
    integers: "yes, mode nearest", notes: "no antialias; scales and sizes must be known at import"),
  SupportedOperator(
    "Upsample", importResize, .exact, "scales as attribute or input, mode nearest and linear",
    integers: "yes, mode nearest"
  ),
]

@Sendable private func importResize(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let rule = try ResizeRule(context, node)
  let axes = try rule.axes(context, node, shape)
  var x = try context.value(node, 0)
  for axis in axes where axis.length != shape[axis.axis] || axis.scale != 1 {
    switch rule.mode {
    case .nearest:
      let places = (0..<axis.length).map { Int64(rule.nearest($0, axis, shape[axis.axis])) }
      x = try context.apply(.gather(indices: places, axis: axis.axis), x, for: node)
    case .linear: x = try interpolated(&context, x, axis, rule, node)
    case .cubic(let curve, let excludes):
      x = try bent(&context, x, axis, rule, curve, excludes, node)
    }
  }
  try context.emit(.reshape(context.shape(of: x)), [x], for: node)
}

/// `(1 - w) * x[low] + w * x[low + 1]` on one axis.
private func interpolated(
  _ context: inout ImportContext, _ x: ValueID, _ axis: ResizedAxis, _ rule: ResizeRule, _ node: ONNXNode
) throws(Diagnostic) -> ValueID {
  let shape = context.shape(of: x)
  let last = shape[axis.axis] - 1
  let points = (0..<axis.length).map { max(0, min(Float(last), rule.origin($0, axis, last + 1))) }
  let lows = points.map { min(last, Int($0)) }
  let weights = zip(points, lows).map { $0 - Float($1) }
  var side = shape.map { _ in 1 }
  side[axis.axis] = axis.length
  let base = node.outputs.first ?? node.op
  let low = try context.apply(.gather(indices: lows.map { Int64($0) }, axis: axis.axis), x, for: node)
  if weights.allSatisfy({ $0 == 0 }) { return low }
  let high = try context.apply(
    .gather(indices: lows.map { Int64(min(last, $0 + 1)) }, axis: axis.axis), x, for: node)
  let near = context.constant(Tensor(side, weights.map { 1 - $0 }), name: "\(base).weights")
  let far = context.constant(Tensor(side, weights), name: "\(base).weights")
  return try context.apply(
    .add, context.apply(.multiply, low, near, for: node), context.apply(.multiply, high, far, for: node),
    for: node)
}

/// The sum of four neighbors on one axis, weighted by a cubic curve. Those outside of the axis are its ends, or count
/// as nothing where `excludes` says so; the weights of the others then sum to 1.
private func bent(
  _ context: inout ImportContext, _ x: ValueID, _ axis: ResizedAxis, _ rule: ResizeRule, _ curve: Float,
  _ excludes: Bool, _ node: ONNXNode
) throws(Diagnostic) -> ValueID {
  let shape = context.shape(of: x)
  let length = shape[axis.axis]
  var places = [[Int64]](repeating: [], count: 4)
  var weights = [[Float]](repeating: [], count: 4)
  for index in 0..<axis.length {
    let limit = Float(length) + 2
    let origin = max(-2, min(limit, rule.origin(index, axis, length)))
    let first = Int(origin.rounded(.down)) - 1
    var own = cubicWeights(origin - origin.rounded(.down), curve)
    if excludes {
      for tap in 0..<4 where !(0..<length ~= first + tap) { own[tap] = 0 }
      let sum = own.reduce(0, +)
      if sum != 0 { own = own.map { $0 / sum } }
    }
    for tap in 0..<4 {
      places[tap].append(Int64(max(0, min(length - 1, first + tap))))
      weights[tap].append(own[tap])
    }
  }
  var side = shape.map { _ in 1 }
  side[axis.axis] = axis.length
  var sum: ValueID?
  for tap in 0..<4 {
    let factors = context.constant(
      Tensor(side, weights[tap]), name: "\(node.outputs.first ?? node.op).weights")
    let taken = try context.apply(.gather(indices: places[tap], axis: axis.axis), x, for: node)
    let part = try context.apply(.multiply, taken, factors, for: node)
    sum =
      try sum.map { (known) throws(Diagnostic) in try context.apply(.add, known, part, for: node) } ?? part
  }
  return sum ?? x
}

/// The weights of the neighbors at distances `1 + t`, `t`, `1 - t` and `2 - t`: the cubic convolution of R. Keys (IEEE
/// Trans. ASSP 29, 1981) with parameter `a`.
private func cubicWeights(_ t: Float, _ a: Float) -> [Float] {
  func near(_ d: Float) -> Float { ((a + 2) * d - (a + 3)) * d * d + 1 }
  func far(_ d: Float) -> Float { ((a * d - 5 * a) * d + 8 * a) * d - 4 * a }
  return [far(1 + t), near(t), near(1 - t), far(2 - t)]
}

/// One axis that gets another length.
private struct ResizedAxis {
  let axis: Int
  let length: Int
  let scale: Float
}

/// Which elements of an axis a result is made of; places are computed in binary32, as other runtimes do, so that ties
/// agree.
private struct ResizeRule {
  enum Mode {
    case nearest, linear
    /// The parameter of the curve, and whether elements outside count as nothing.
    case cubic(Float, excludes: Bool)
  }

  let mode: Mode
  private let coordinates: String
  private let rounding: String

  init(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) {
    let isOld = context.opset < 11
    func refusal(_ what: String) -> Diagnostic {
      context.failure(
        "resize", "\(what) is not supported", node,
        help: "modes nearest, linear and cubic are, with scales or sizes known at compile time")
    }
    switch try node.string("mode") ?? "nearest" {
    case "nearest": mode = .nearest
    case "linear", "bilinear": mode = .linear
    case "cubic":
      let curve = try node.float("cubic_coeff_a") ?? -0.75
      guard curve.magnitude <= 1024 else { throw refusal("cubic_coeff_a \(curve)") }
      mode = .cubic(curve, excludes: try node.int("exclude_outside") ?? 0 != 0)
    case let other: throw refusal("mode '\(other)'")
    }
    coordinates = try node.string("coordinate_transformation_mode") ?? (isOld ? "asymmetric" : "half_pixel")
    let known = [
      "asymmetric", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
      "tf_half_pixel_for_nn",
    ]
    guard known.contains(coordinates) else {
      throw refusal("coordinate_transformation_mode '\(coordinates)'")
    }
    rounding = isOld ? "simple" : try node.string("nearest_mode") ?? "round_prefer_floor"
    guard ["simple", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"].contains(rounding) else {
      throw refusal("nearest_mode '\(rounding)'")
    }
    guard try node.int("antialias") ?? 0 == 0 else { throw refusal("antialias") }
    guard try node.string("keep_aspect_ratio_policy") ?? "stretch" == "stretch" else {
      throw refusal("keep_aspect_ratio_policy")
    }
  }

  /// The axes with their new lengths: from sizes, or from scales, an attribute or an input by opset.
  func axes(_ context: ImportContext, _ node: ONNXNode, _ shape: [Int]) throws(Diagnostic) -> [ResizedAxis] {
    let axes = try node.ints("axes").map { $0.map { $0 < 0 ? $0 + shape.count : $0 } } ?? Array(shape.indices)
    var scales = try node.floats("scales") ?? []
    let input = context.opset < 11 ? 1 : 2
    if scales.isEmpty, context.hasInput(node, input), try context.shape(node, input) != [0] {
      scales = try context.floats(node, input)
    }
    var lengths: [Int] = []
    if scales.isEmpty, context.hasInput(node, 3) {
      lengths = try context.integers(node, 3).values.map { Int(clamping: $0) }
    }
    let count = max(scales.count, lengths.count)
    guard count == axes.count, Set(axes).count == axes.count, axes.allSatisfy(shape.indices.contains),
      scales.allSatisfy({ 0x1p-20 <= $0 && $0 <= 0x1p20 }), lengths.allSatisfy({ 1...longestList ~= $0 }),
      zip(axes, scales).allSatisfy({ Float(shape[$0]) * $1 <= Float(longestList) })
    else {
      throw context.failure(
        "resize", "scales \(scales) or sizes \(lengths) do not go with \(shape)", node,
        help: "check the model with onnx.checker")
    }
    return axes.enumerated().map { k, axis in
      if scales.isEmpty {
        return ResizedAxis(axis: axis, length: lengths[k], scale: Float(lengths[k]) / Float(shape[axis]))
      }
      return ResizedAxis(axis: axis, length: max(1, Int(Float(shape[axis]) * scales[k])), scale: scales[k])
    }
  }

  /// Where element `index` of the result lies among `length` elements.
  func origin(_ index: Int, _ axis: ResizedAxis, _ length: Int) -> Float {
    let x = Float(index)
    switch coordinates {
    case "asymmetric": return x / axis.scale
    case "align_corners":
      return axis.length == 1 ? 0 : x * Float(length - 1) / Float(axis.length - 1)
    case "pytorch_half_pixel": return axis.length > 1 ? (x + 0.5) / axis.scale - 0.5 : 0
    case "tf_half_pixel_for_nn": return (x + 0.5) / axis.scale
    case "half_pixel_symmetric":
      // In binary64, so that the center of the result lies on the center of the argument.
      let (scale, length) = (Double(axis.scale), Double(length))
      let center = length / 2 * (1 - Double(axis.length) / (scale * length))
      return Float(center + (Double(index) + 0.5) / scale - 0.5)
    default: return (x + 0.5) / axis.scale - 0.5
    }
  }

  /// The element nearest to where element `index` of the result lies.
  func nearest(_ index: Int, _ axis: ResizedAxis, _ length: Int) -> Int {
    let x = origin(index, axis, length)
    let place: Float
    switch rounding {
    case "simple": place = axis.scale < 1 ? x.rounded(.up) : x.rounded(.down)
    case "floor": place = x.rounded(.down)
    case "ceil": place = x.rounded(.up)
    case "round_prefer_ceil": place = (x + 0.5).rounded(.down)
    default: place = (x - 0.5).rounded(.up)
    }
    return Int(max(0, min(Float(length - 1), place)))
  }
}
