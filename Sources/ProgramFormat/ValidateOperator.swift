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
    let named = Array(zip(entry.parameters, values))
    let constants = named.compactMap { if case .constants(let values) = $1 { values } else { nil } }
    if named.contains(where: { if case .float(let number) = $1 { number.isNaN } else { false } }) {
      return "a parameter is not a number"
    }
    if constants.contains(where: { $0.count > ProgramLimits.constants }) {
      return "more than \(ProgramLimits.constants) constants"
    }
    for (place, (parameter, value)) in named.enumerated() {
      let previous = place > 0 ? named[place - 1].1 : nil
      if let reason = mismatch(parameter, value, after: previous) { return reason }
    }
    return nil
  }

  private func mismatch(
    _ parameter: OperatorParameter, _ value: OperatorValue, after previous: OperatorValue?
  ) -> String? {
    switch value {
    case .float, .integer, .flag, .constants: return nil
    case .axis(let axis): return axisMismatch([axis])
    case .window(let window):
      return Window(numbers: window.numbers) == nil ? "inconsistent window \(window.numbers)" : nil
    case .list(let numbers):
      if parameter.kind == .axes { return axisMismatch(numbers) }
      if parameter.kind == .moreLengths, case .list(let others)? = previous, others.count != numbers.count {
        return "\(others.count) and \(numbers.count) lengths for the same axes"
      }
      return numberMismatch(numbers)
    }
  }

  private func axisMismatch(_ axes: [Int]) -> String? {
    guard let wrong = axes.first(where: { !(0..<ProgramLimits.rank).contains($0) }) else {
      return axes.count > ProgramLimits.rank ? "\(axes.count) axes, limit \(ProgramLimits.rank)" : nil
    }
    return "axis \(wrong), expected one of 0 ..< \(ProgramLimits.rank)"
  }

  private func numberMismatch(_ numbers: [Int]) -> String? {
    if numbers.count > ProgramLimits.rank { return "more than \(ProgramLimits.rank) axes" }
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
    switch entry.elements {
    case .floats: fits = allFloat && output.isFloat
    case .numbers: fits = output.isFloat ? allFloat : allInteger
    case .kept: fits = inputs.allSatisfy { $0 == output } && takesPadding(output)
    case .floatsToIntegers: fits = allFloat && output.holds(clamp)
    case .integersToFloats: fits = allInteger && output.isFloat
    case .integers, .accumulatorsToIntegers: fits = allInteger && output.holds(clamp)
    case .accumulators: fits = allInteger && !output.isFloat
    }
    return fits ? nil : text
  }

  /// Whether `element` holds the number that pads, where the operator pads.
  private func takesPadding(_ element: ElementType) -> Bool {
    guard case .pad(_, _, let value) = self, !element.isFloat else { return true }
    guard let whole = Int64(exactly: value) else { return false }
    return element.holds((whole, whole))
  }
}

extension ElementType {
  /// Whether this is an integer type that holds all of `range`.
  fileprivate func holds(_ range: (low: Int64, high: Int64)?) -> Bool {
    guard let range else { return !isFloat }
    return !isFloat && lowest <= range.low && range.high <= highest
  }
}
