import IR
import Mapping
import Support
import Tensors

/// Reads the inputs of a layer, position by position: which of them never change, and which outputs are known.
struct InputScan {
  /// The number that an input had in every position so far; nil once it varied or was not known.
  private(set) var constants: [Int64?]
  private let rows: Int
  private let columns: Int
  private let positions: Int
  /// The numbers that inputs can be. Others, which the elements of a pad may be, count as not known.
  private let inputs: ClosedRange<Int64>
  private let weights: [Int64]
  /// The columns that hold a weight; the others always give 0.
  private let occupied: [Int]
  /// The inputs that did not vary so far.
  private var steady: [Int]
  private var sums: [Int64]
  private var unknown: [UInt8]

  /// Windows are read in pieces of about this many elements.
  private static let pieceSize = 1 << 18

  /// Nil for a layer without weights, or whose sums could leave 62 bits.
  init?(_ layer: Layer, positions: Int) {
    guard let matrix = layer.weights, layer.weightsStayInAccumulators else { return nil }
    (rows, columns, weights) = (layer.rows, layer.columns, matrix.integers)
    self.positions = positions
    inputs = layer.inputs.element.lowest...layer.inputs.element.highest
    var holds = [Bool](repeating: false, count: columns)
    for k in weights.indices where weights[k] != 0 { holds[k % layer.columns] = true }
    occupied = holds.indices.filter { holds[$0] }
    constants = Array(repeating: nil, count: rows)
    steady = Array(0..<rows)
    sums = Array(repeating: 0, count: positions * columns)
    unknown = Array(repeating: 0, count: positions * columns)
  }

  /// Reads all positions; false where the windows do not belong to the layer.
  mutating func run(over value: WindowedValue) -> Bool {
    guard value.window.positions == positions, value.window.length == rows else { return false }
    guard let image = value.image else { return runOverUnknown(value) }
    let values = image.values.integers
    let unknown = zip(values, image.unknown.flags).map { inputs.contains($0) ? $1 : 1 }
    return run(value) { (range) throws(Diagnostic) in
      (try patches(value, range, values, value.padding), try patches(value, range, unknown, 0))
    }
  }

  /// Without knowledge of the image only the padding is known.
  private mutating func runOverUnknown(_ value: WindowedValue) -> Bool {
    if value.staysInside {
      forgetOccupied(in: 0..<positions)
      steady = []
      return true
    }
    let unknown = [UInt8](repeating: 1, count: value.window.inputCount)
    return run(value) { (range) throws(Diagnostic) in
      let flags = try patches(value, range, unknown, 0)
      return (flags.map { $0 == 0 ? value.padding : 0 }, flags)
    }
  }

  private mutating func run(
    _ value: WindowedValue, _ piece: (Range<Int>) throws(Diagnostic) -> ([Int64], [UInt8])
  ) -> Bool {
    let step = max(1, Self.pieceSize / rows)
    for start in stride(from: 0, to: positions, by: step) {
      let range = start..<min(positions, start + step)
      guard let (values, unknown) = try? piece(range) else { return false }
      for position in range {
        let line = (position - start) * rows..<(position - start + 1) * rows
        read(position, values[line], unknown[line])
      }
    }
    return true
  }

  private mutating func read(_ position: Int, _ x: ArraySlice<Int64>, _ flags: ArraySlice<UInt8>) {
    let start = x.startIndex
    steady.removeAll { row in
      let varies = flags[start + row] != 0 || (constants[row] ?? x[start + row]) != x[start + row]
      constants[row] = varies ? nil : x[start + row]
      return varies
    }
    var open = occupied
    for row in 0..<rows where flags[start + row] != 0 {
      open.removeAll { column in
        guard weights[row * columns + column] != 0 else { return false }
        unknown[position * columns + column] = 1
        return true
      }
      if open.isEmpty { return }
    }
    for row in 0..<rows where flags[start + row] == 0 && x[start + row] != 0 {
      for column in open {
        sums[position * columns + column] += x[start + row] &* weights[row * columns + column]
      }
    }
  }

  private mutating func forgetOccupied(in range: Range<Int>) {
    for position in range {
      for column in occupied { unknown[position * columns + column] = 1 }
    }
  }

  /// What is known of the sums `[positions, columns]`; nil for nothing.
  var outputs: KnownElements? {
    KnownElements(
      Tensor([positions, columns], .i64(sums)), unknown: Tensor([positions, columns], .u8(unknown)))
  }
}

private func patches<T: BitwiseCopyable>(
  _ value: WindowedValue, _ range: Range<Int>, _ elements: [T], _ padding: T
) throws(Diagnostic) -> [T] {
  try elements.withUnsafeBufferPointer { (input) throws(Diagnostic) -> [T] in
    try im2col(window: value.window, positions: range, from: input, padding: padding)
  }
}

extension Layer {
  /// Whether no sum of weights times inputs, nor any part of one, reaches 2^62.
  var weightsStayInAccumulators: Bool {
    guard let weights else { return false }
    var reach = [Double](repeating: 0, count: columns)
    for (k, weight) in weights.integers.enumerated() { reach[k % columns] += Double(weight.magnitude) }
    let largest = Double(sign: .plus, exponent: inputs.magnitudeBits, significand: 1)
    return reach.allSatisfy { $0 * largest < 0x1p62 }
  }
}
