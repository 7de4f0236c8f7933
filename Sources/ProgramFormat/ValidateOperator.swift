import Support
import Tensors

extension DigitalOperator {
  /// Why the operator cannot take `arguments` to `result`, or nil where it can.
  func mismatch(arguments: [Buffer], result: Buffer) -> String? {
    if let reason = parameterMismatch() { return reason }
    do throws(Diagnostic) {
      let shape = try resultShape(of: arguments.map(\.shape))
      guard shape == result.shape else {
        return "the result has the shape \(shape), the buffer has \(result.shape)"
      }
    } catch { return error.message }
    return typeMismatch(arguments.map(\.element), result.element)
  }

  private func parameterMismatch() -> String? {
    if floats.contains(where: \.isNaN) { return "a parameter is not a number" }
    if constants.contains(where: { $0.count > ProgramLimits.constants }) {
      return "more than \(ProgramLimits.constants) constants"
    }
    switch self {
    case .softmax(let axis), .concat(let axis), .addBias(_, let axis), .take(_, let axis),
      .argMax(let axis, _):
      return axisMismatch([axis])
    case .requantize(let rule): return axisMismatch([rule.axis])
    case .maxPool(let window), .averagePool(let window, _):
      return Window(numbers: window.numbers) == nil ? "inconsistent window \(window.numbers)" : nil
    case .mean(let numbers), .transpose(let numbers): return axisMismatch(numbers)
    case .reshape(let numbers): return numberMismatch(numbers)
    case .pad(let before, let after, _):
      return before.count == after.count ? numberMismatch(before + after) : "pads of different lengths"
    case .slice(let start, let end):
      return start.count == end.count ? numberMismatch(start + end) : "starts and ends of different lengths"
    default: return nil
    }
  }

  private func axisMismatch(_ axes: [Int]) -> String? {
    guard let wrong = axes.first(where: { !(0..<ProgramLimits.rank).contains($0) }) else {
      return axes.count > ProgramLimits.rank ? "\(axes.count) axes, limit \(ProgramLimits.rank)" : nil
    }
    return "axis \(wrong), expected one of 0 ..< \(ProgramLimits.rank)"
  }

  private func numberMismatch(_ numbers: [Int]) -> String? {
    if numbers.count > 2 * ProgramLimits.rank { return "more than \(ProgramLimits.rank) axes" }
    guard let wrong = numbers.first(where: { !(0...ProgramLimits.bufferElements).contains($0) }) else {
      return nil
    }
    return "a length of \(wrong), expected 0 ... \(ProgramLimits.bufferElements)"
  }

  /// Whether element types fit; integer results must hold every value that the parameters allow.
  private func typeMismatch(_ inputs: [ElementType], _ output: ElementType) -> String? {
    let text = "takes \(inputs.map(\.description).joined(separator: ", ")) to \(output)"
    let allFloat = inputs.allSatisfy(\.isFloat)
    let allInteger = !inputs.contains(where: \.isFloat)
    let fits: Bool
    switch self {
    case .unary, .softmax, .matmul, .averagePool, .mean, .argMax: fits = allFloat && output.isFloat
    case .binary: fits = output.isFloat ? allFloat : allInteger
    case .maxPool, .reshape, .transpose, .concat, .slice, .take: fits = inputs.allSatisfy { $0 == output }
    case .pad(_, _, let value):
      fits = inputs.allSatisfy { $0 == output } && (output.isFloat || output.holds(value))
    case .quantize(_, _, let low, let high): fits = allFloat && output.holds(low, high)
    case .dequantize: fits = allInteger && output.isFloat
    case .requantize(let rule): fits = allInteger && output.holds(rule.low, rule.high)
    case .addBias: fits = allInteger && !output.isFloat
    case .lookup(let table, _):
      fits = allInteger && output.holds(table.min() ?? 0, table.max() ?? 0)
    }
    return fits ? nil : text
  }
}

extension ElementType {
  /// Whether this is an integer type that holds `low ... high`.
  fileprivate func holds(_ low: Int64, _ high: Int64) -> Bool {
    !isFloat && lowest <= low && high <= highest
  }

  /// Whether this is an integer type that holds `value`, a whole number.
  fileprivate func holds(_ value: Float) -> Bool {
    guard let whole = Int64(exactly: value) else { return false }
    return holds(whole, whole)
  }
}
