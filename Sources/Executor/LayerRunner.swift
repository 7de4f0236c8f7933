import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support

/// Computes one layer for a batch of input vectors and counts the events that depend on them.
struct LayerRunner {
  let plan: LayerPlan
  let program: Program
  let windows: Int
  /// `[windows][outputs]`.
  let results: UnsafeMutablePointer<Int64>
  var events = Events()
  /// What happened to the buffers of each position; only where spans are recorded.
  var positions: [[BufferSpan]] = []
  let recordsSpans: Bool
  /// What conversions are computed with on a device that is not ideal.
  let analog: AnalogRun?
  /// How codes differ from those of an ideal device, where that is measured.
  var partialSums = PartialSumErrors()
  /// Digits of the inputs that are not 0, in all passes.
  private(set) var inputDigits = 0

  var layer: Layer { plan.layer }

  /// Prepares for `windows` input vectors.
  init(
    _ plan: LayerPlan, _ program: Program, windows: Int, results: UnsafeMutablePointer<Int64>,
    recordsSpans: Bool = false, analog: AnalogRun? = nil
  ) {
    self.recordsSpans = recordsSpans
    self.analog = analog
    self.plan = plan
    self.program = program
    self.windows = windows
    self.results = results
  }

  /// Fills `results` with the layer's outputs for `values[windows][inputs]`, the bits of the inputs' low 32 bits.
  ///
  /// Throws `execute.input-range` for a signed input without a counterpart of the other sign, and `execute.memory`.
  mutating func run(_ values: UnsafePointer<Int32>, _ scratch: inout Scratch) throws(Diagnostic) {
    results.update(repeating: 0, count: windows * layer.columns)
    if layer.inputs.isSigned {
      let count = windows * layer.rows
      let positive: UnsafeMutablePointer<UInt32> = try scratch.take(.positive, count)
      let negative: UnsafeMutablePointer<UInt32> = try scratch.take(.negative, count)
      let largest = xbar_split_signs(values, count, positive, negative)
      guard largest >> UInt32(truncatingIfNeeded: layer.inputs.magnitudeBits) == 0 else {
        throw plan.inputRange(largest: largest)
      }
      try runPass(positive, subtract: false, &scratch)
      try runPass(negative, subtract: true, &scratch)
    } else {
      try values.withMemoryRebound(to: UInt32.self, capacity: windows * layer.rows) {
        magnitudes throws(Diagnostic) in
        try runPass(magnitudes, subtract: false, &scratch)
      }
    }
    countFetches(values)
    addDenseProduct(values)
    try runPanels(values, &scratch)
    if let reference = plan.reference { return multiply(values, as: reference) }
    subtractOffset(values)
  }

  /// What the definition of the readout gives.
  private mutating func multiply(_ values: UnsafePointer<Int32>, as reference: ReferenceReadout) {
    var saturations = 0
    for window in 0..<windows {
      let inputs = (0..<layer.rows).map { index in
        let value = values[window * layer.rows + index]
        return layer.inputs.isSigned ? Int64(value) : Int64(UInt32(bitPattern: value))
      }
      let outputs = reference.multiply(inputs, saturations: &saturations)
      for (index, output) in outputs.enumerated() { results[window * layer.columns + index] = output }
    }
    events.adcSaturations += saturations
  }

  private func addDenseProduct(_ values: UnsafePointer<Int32>) {
    guard let dense = plan.dense else { return }
    dense.weights.withUnsafeBufferPointer { weights in
      xbar_multiply(
        values, layer.rows, windows, weights.baseAddress, layer.columns, dense.padded,
        dense.isNarrow ? 1 : 0, results, layer.columns)
    }
  }

  private func subtractOffset(_ values: UnsafePointer<Int32>) {
    guard layer.coding.hasExcess else { return }
    let excess = (0..<layer.columns).map { layer.coding.excess(of: $0) }
    for window in 0..<windows {
      let x = values + window * layer.rows
      var sum: Int64 = 0
      for index in 0..<layer.rows {
        sum &+= layer.inputs.isSigned ? Int64(x[index]) : Int64(UInt32(bitPattern: x[index]))
      }
      let y = results + window * layer.columns
      for index in 0..<layer.columns { y[index] &-= excess[index] &* sum }
    }
  }

  /// Counts the digits of `magnitudes` and adds, or subtracts, what the bitlines that are not linear give for them, as
  /// far as that is not done panel by panel.
  private mutating func runPass(
    _ magnitudes: UnsafePointer<UInt32>, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    try countDigits(magnitudes, &scratch)
    if let analog { try runAnalog(analog, magnitudes, subtract: subtract, &scratch) }
    for pattern in plan.patterns {
      switch pattern.method {
      case .nibbles(let wide):
        try runNibbles(pattern, magnitudes, wide: wide, subtract: subtract, &scratch)
      case .steps(let division):
        try runNibbles(pattern, magnitudes, wide: true, division, subtract: subtract, &scratch)
      case .bits, .cells: continue
      case .listed, .composed: try runListed(pattern, magnitudes, subtract: subtract, &scratch)
      }
    }
  }

  private mutating func countDigits(
    _ magnitudes: UnsafePointer<UInt32>, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let counts: UnsafeMutablePointer<UInt32> = try scratch.take(.digitCounts, layer.rows)
    for weights in plan.digitWeights {
      counts.update(repeating: 0, count: layer.rows)
      xbar_count_digits(
        magnitudes, layer.rows, windows, UInt32(layer.dacBits), UInt32(weights.shift), counts)
      for input in 0..<layer.rows {
        let count = Int(counts[input])
        events.wordlineDrives &+= count &* weights.drives[input]
        events.cellReads &+= count &* weights.reads[input]
        if weights.shift == 0 { inputDigits &+= count }
      }
    }
  }
}

extension LayerPlan {
  /// What is thrown for an input without a counterpart of the other sign.
  func inputRange(largest: UInt32) -> Diagnostic {
    Diagnostic(
      "execute.input-range",
      "an input of layer '\(layer.name)' has the magnitude \(largest), more than \(layer.inputs.magnitudeBits) bits"
    )
  }
}
