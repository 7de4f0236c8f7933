import ProgramFormat
import Tensors

/// What became of the values of a graph input before the first layer.
public struct InputCounts: Equatable, Sendable {
  /// The input's name.
  public let name: String
  /// Values of all samples.
  public internal(set) var values = 0
  /// Of these, NaN.
  public internal(set) var nans = 0
  /// Values that were put on the grid of a layer's inputs: those of the input, or what digital operators made of them and of
  /// constants alone.
  public internal(set) var quantized = 0
  /// Of these, values beyond the ends of the grid, which became its ends.
  public internal(set) var clamps = 0

  init(_ name: String) { self.name = name }

  /// The share of clamped values.
  public var clampedShare: Double { Double(clamps) / Double(max(1, quantized)) }

  mutating func add(_ other: InputCounts) {
    values &+= other.values
    nans &+= other.nans
    quantized &+= other.quantized
    clamps &+= other.clamps
  }
}

extension Program {
  /// For the results of `quantize` that follow from graph inputs and constants alone: from which inputs.
  var inputsOfGrids: [Int: [Int]] {
    var reached: [Int: Set<Int>] = [:]
    for (index, buffer) in buffers.enumerated() where buffer.initial != nil { reached[index] = [] }
    for (index, port) in inputs.enumerated() { reached[port.buffer] = [index] }
    var grids: [Int: [Int]] = [:]
    for instruction in code {
      guard case .digital(let op, let arguments, let output) = instruction.operation else { continue }
      let sources = arguments.compactMap { reached[$0] }
      let all = sources.reduce(into: Set<Int>()) { $0.formUnion($1) }
      reached[output] = sources.count == arguments.count ? all : nil
      guard case .quantize = op, sources.count == arguments.count, !all.isEmpty else { continue }
      grids[output] = all.sorted()
      reached[output] = nil
    }
    return grids
  }
}

extension DigitalOperator {
  /// How many of `values` a `quantize` puts on an end of its grid from beyond; none for other operators.
  func clampCount(_ values: [Float]) -> Int {
    guard case .quantize(let scale, let zero, let low, let high) = self else { return 0 }
    let ends = Double(low - zero)...Double(high - zero)
    return values.count { value in
      let level = Double((value / scale).rounded(.toNearestOrEven))
      return level < ends.lowerBound || level > ends.upperBound
    }
  }
}
