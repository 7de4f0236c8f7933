import IR
import Support
import Tensors

/// A constant whose integers the file gives: `(levels - zero) * scale`.
///
/// The integers are what crossbars hold, so operations that leave them as they are, or move them, are done on
/// them.
struct PrequantizedConstant {
  /// The integers as the file has them.
  private(set) var levels: Tensor
  /// Their type.
  private(set) var element: ElementType
  /// The level that stands for 0.
  private(set) var zero: Int64
  /// What 1 stands for: one scale, or one for each slice of `axis`.
  private(set) var scales: [Float] = [1]
  /// The axis of the scales.
  private(set) var axis = 0

  /// Levels of one scale.
  init(_ levels: Tensor, element: ElementType, scale: Float, zero: Int64) {
    self.levels = levels
    self.element = element
    self.zero = zero
    scales = [scale]
  }

  /// The levels less their zero point, and the narrowest signed type of at least as many bits that holds
  /// them; nil where a difference leaves 64 bits.
  var centered: (values: [Int64], element: ElementType)? {
    var values = levels.integers
    if zero != 0 {
      for k in values.indices {
        let (value, overflow) = values[k].subtractingReportingOverflow(zero)
        if overflow { return nil }
        values[k] = value
      }
    }
    return (values, element.signed(holding: values))
  }

  /// The scale of element `k`.
  func scale(of k: Int) -> Float {
    scales.count == 1 ? scales[0] : scales[k / inner % scales.count]
  }

  /// How many neighbors share a scale.
  private var inner: Int { max(1, levels.shape.dropFirst(axis + 1).reduce(1, *)) }

  /// The real numbers, computed as `dequantize` and `multiply` do.
  func reals() throws(Diagnostic) -> Tensor {
    let first = try DigitalOperator.dequantize(scale: scales.count == 1 ? scales[0] : 1, zero: zero)
      .apply(to: [levels])
    if scales.count == 1 { return first }
    return try DigitalOperator.binary(.multiply).apply(to: [first, Tensor(scaleShape, scales)])
  }

  /// The shape in which the scales broadcast.
  var scaleShape: [Int] {
    [scales.count] + [Int](repeating: 1, count: max(0, levels.shape.count - 1 - axis))
  }

  // MARK: Operations

  /// The result of `op`, whose other operands are the constants `others`; nil where it is none of this kind.
  func after(_ op: Op, others: [Tensor], shape: [Int]) -> PrequantizedConstant? {
    guard let code = op.opcode.digital?.code else { return nil }
    switch code {
    case .transpose: return transposed(op[.order])
    case .reshape: return reshaped(shape)
    case .slice: return sliced(op[.sliceStart], op[.sliceEnd])
    case .pad: return op[.padValue] == 0 ? padded(op[.before], op[.after]) : nil
    case .binary where op.opcode == .multiply:
      return others.first.flatMap { shape == levels.shape ? multiplied(by: $0) : nil }
    case .binary where op.opcode == .subtract:
      return others.first.flatMap { shape == levels.shape ? less($0) : nil }
    case .unary, .binary, .select, .softmax, .matmul, .maxPool, .averagePool, .mean, .reduceMax, .argMax,
      .concat,
      .gather,
      .quantize,
      .dequantize, .requantize, .addBias, .lookup:
      return nil
    }
  }

  private func transposed(_ order: [Int]) -> PrequantizedConstant? {
    guard let moved = try? DigitalOperator.transpose(order).apply(to: [levels]) else { return nil }
    var result = self
    result.levels = moved
    result.axis = order.firstIndex(of: axis) ?? 0
    return result
  }

  private func sliced(_ start: [Int], _ end: [Int]) -> PrequantizedConstant? {
    guard let part = try? DigitalOperator.slice(start: start, end: end).apply(to: [levels]) else {
      return nil
    }
    var result = self
    result.levels = part
    if scales.count > 1 { result.scales = Array(scales[start[axis]..<end[axis]]) }
    return result
  }

  /// The elements at `indices` on an axis, each with its scale.
  func taken(_ indices: [Int64], axis place: Int) -> PrequantizedConstant? {
    guard let part = try? DigitalOperator.gather(indices: indices, axis: place).apply(to: [levels]) else {
      return nil
    }
    var result = self
    result.levels = part
    if scales.count > 1 && place == axis { result.scales = indices.map { scales[Int($0)] } }
    return result
  }

  /// Zeros around the levels are their zero point; slices that are added have any scale.
  private func padded(_ before: [Int], _ after: [Int]) -> PrequantizedConstant? {
    let pad = DigitalOperator.pad(before: before, after: after, value: Float(zero))
    guard abs(zero) <= 1 << 24, element.lowest...element.highest ~= zero,
      let wide = try? pad.apply(to: [levels])
    else { return nil }
    var result = self
    result.levels = wide
    if scales.count > 1 {
      let filler = scales[0]
      result.scales =
        [Float](repeating: filler, count: before[axis]) + scales
        + [Float](repeating: filler, count: after[axis])
    }
    return result
  }

  /// `parts` joined along an axis, less their zero points; nil where one slice would have several scales.
  static func joined(_ parts: [PrequantizedConstant], axis place: Int) -> PrequantizedConstant? {
    guard let first = parts.first, parts.allSatisfy({ $0.levels.shape.count == first.levels.shape.count })
    else {
      return nil
    }
    var centered: [Tensor] = []
    for part in parts {
      guard let (values, _) = part.centered else { return nil }
      centered.append(Tensor(part.levels.shape, values))
    }
    guard let whole = try? DigitalOperator.concat(axis: place).apply(to: centered) else { return nil }
    var result = first
    if parts.allSatisfy({ $0.scales == first.scales && ($0.axis == first.axis || $0.scales.count == 1) })
      && (first.scales.count == 1 || first.axis != place)
    {
      result.scales = first.scales
    } else {
      guard parts.allSatisfy({ $0.scales.count == 1 || $0.axis == place }) else { return nil }
      result.axis = place
      result.scales = parts.flatMap { part in
        (0..<part.levels.shape[place]).map { part.scales[part.scales.count == 1 ? 0 : $0] }
      }
    }
    result.zero = 0
    let widest = parts.map(\.element).max { $0.highest < $1.highest } ?? first.element
    result.element = widest.signed(holding: whole.integers)
    result.levels = Tensor(whole.shape, whole.integers, as: result.element)
    return result
  }

  /// The scales keep their axis where as many elements precede and follow it.
  private func reshaped(_ shape: [Int]) -> PrequantizedConstant? {
    var result = self
    result.levels = levels.reshaped(shape)
    if scales.count == 1 { return result }
    let same = shape.indices.first { k in
      shape[k] == scales.count && shape.dropFirst(k + 1).reduce(1, *) == inner
    }
    guard let same else { return nil }
    result.axis = same
    return result
  }

  /// Positive factors become part of the scales.
  private func multiplied(by factors: Tensor) -> PrequantizedConstant? {
    guard factors.data.isFloat, factors.floats.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    guard let (list, position) = slices(factors) else { return nil }
    guard list.count == 1 || scales.count == 1 || position == axis else { return nil }
    var result = self
    if list.count > 1 { result.axis = position }
    result.scales = (0..<max(list.count, scales.count)).map {
      scales[scales.count == 1 ? 0 : $0] * list[list.count == 1 ? 0 : $0]
    }
    return result.scales.allSatisfy { $0 > 0 && $0.isFinite } ? result : nil
  }

  /// Whole numbers are zero points where 1 stands for 1.
  private func less(_ zeros: Tensor) -> PrequantizedConstant? {
    guard zeros.data.isFloat, scales == [1], let (list, position) = slices(zeros),
      list.allSatisfy({ $0 == $0.rounded() && abs($0) <= 0x1p20 })
    else { return nil }
    var result = self
    if list.count == 1 {
      let (sum, overflow) = zero.addingReportingOverflow(Int64(list[0]))
      result.zero = sum
      return overflow ? nil : result
    }
    guard let (values, _) = centered else { return nil }
    let inner = max(1, levels.shape.dropFirst(position + 1).reduce(1, *))
    var moved = values
    for k in moved.indices {
      let (value, overflow) = moved[k].subtractingReportingOverflow(Int64(list[k / inner % list.count]))
      if overflow { return nil }
      moved[k] = value
    }
    result.element = element.signed(holding: moved)
    result.levels = Tensor(levels.shape, moved, as: result.element)
    result.zero = 0
    return result
  }

  /// A constant that broadcasts to the levels as one number for each slice of an axis.
  private func slices(_ constant: Tensor) -> (values: [Float], axis: Int)? {
    let lead = levels.shape.count - constant.shape.count
    let long = constant.shape.indices.filter { constant.shape[$0] != 1 }
    guard lead >= 0, long.count <= 1 else { return nil }
    return (constant.floats, long.first.map { $0 + lead } ?? 0)
  }
}
