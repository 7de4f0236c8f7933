import CKernels
import DeviceModel
import Mapping
import ProgramFormat
import Support
import Tensors

// A loop as products of bytes: panels of windows, their digits counted, multiplied and put where they belong.
extension BatchRunner {
  func runProduct(_ product: ByteProduct) throws(Diagnostic) {
    for member in product.members {
      guard let weights = plan.layers[member.layer].bytes else { continue }
      var run = ByteRun(self, product, member, weights)
      try run.run()
      counts[member.layer].events += run.events
      counts[member.layer].inputDigits &+= run.inputDigits
    }
  }
}

/// The work of one layer for all positions of a batch's samples.
private struct ByteRun {
  let runner: BatchRunner
  let product: ByteProduct
  let member: ByteProduct.Member
  let weights: ByteWeights
  let plan: LayerPlan
  var events = Events()
  var inputDigits = 0
  /// Windows that are computed together, a multiple of 16.
  private let lanes: Int
  /// Positions of an image.
  private let positions: Int

  /// Neighboring windows of one image.
  private struct Stretch {
    let lane: Int
    let count: Int
    /// Where the image begins in the source, in elements.
    let source: Int
    /// The first window, counted from the first one of the image.
    let spot: Int
    /// Where the result of the first window and of channel 0 lies in the destination, in elements.
    let target: Int
  }

  init(_ runner: BatchRunner, _ product: ByteProduct, _ member: ByteProduct.Member, _ weights: ByteWeights) {
    (self.runner, self.product, self.member, self.weights) = (runner, product, member, weights)
    plan = runner.plan.layers[member.layer]
    positions = member.window.outHeight * member.window.outWidth
    let fitting = min((1 << 17) / (4 * weights.groups), 1024, runner.samples * product.positions + 15)
    lanes = max(1, fitting / Int(XBAR_BYTE_LANES)) * Int(XBAR_BYTE_LANES)
  }

  mutating func run() throws(Diagnostic) {
    let panel: UnsafeMutablePointer<UInt8> = try runner.scratch.take(.bytePanel, 4 * weights.groups * lanes)
    let digits: UnsafeMutablePointer<UInt32> = try runner.scratch.take(.digitCounts, 4 * weights.groups)
    digits.update(repeating: 0, count: 4 * weights.groups)
    let total = runner.samples * product.positions
    var counted = 0
    for first in stride(from: 0, to: total, by: lanes) {
      let windows = min(lanes, total - first)
      let used = (windows + Int(XBAR_BYTE_LANES) - 1) / Int(XBAR_BYTE_LANES) * Int(XBAR_BYTE_LANES)
      let stretches = stretches(first, windows)
      try fill(panel, stretches, windows, used)
      try count(panel, windows, used, digits)
      try multiply(panel, stretches, used)
      counted += windows
      if counted >= ByteRun.windowsCounted {
        addDigits(digits)
        counted = 0
      }
    }
    addDigits(digits)
  }

  /// Windows after which counts of digits, up to eight a window, are added up: far fewer than 32 bits hold.
  private static var windowsCounted: Int { 1 << 14 }

  /// Adds the events of what `digits` counted, and begins to count anew.
  private mutating func addDigits(_ digits: UnsafeMutablePointer<UInt32>) {
    let reading = plan.digitWeights[0]
    for input in 0..<plan.layer.rows {
      let count = Int(digits[input])
      events.wordlineDrives &+= count &* reading.drives[input]
      events.cellReads &+= count &* reading.reads[input]
      inputDigits &+= count
    }
    digits.update(repeating: 0, count: 4 * weights.groups)
  }

  /// The windows `first ..< first + count`, counted sample by sample and position by position.
  private func stretches(_ first: Int, _ count: Int) -> [Stretch] {
    let (window, layout) = (member.window, member.layout)
    let elements = runner.plan.places[product.destination].count
    var result: [Stretch] = []
    var lane = 0
    while lane < count {
      let (sample, position) = (first + lane).quotientAndRemainder(dividingBy: product.positions)
      let (image, spot) = position.quotientAndRemainder(dividingBy: positions)
      let (part, place) = position.quotientAndRemainder(dividingBy: layout.positions)
      let length = min(positions - spot, layout.positions - place, count - lane)
      result.append(
        Stretch(
          lane: lane, count: length,
          source: sample * window.inputCount
            + (image * window.channels + window.channelStart) * window.height * window.width,
          spot: spot, target: sample * elements + part * layout.channels * layout.positions + place))
      lane += length
    }
    return result
  }

  // MARK: Filling

  private func fill(
    _ panel: UnsafeMutablePointer<UInt8>, _ stretches: [Stretch], _ windows: Int, _ used: Int
  ) throws(Diagnostic) {
    let source = UnsafePointer(runner.elements(member.source, of: UInt8.self))
    let inputs = plan.layer.rows
    if let step = member.window.stepOfRuns {
      if used > windows { panel.update(repeating: 0, count: 4 * weights.groups * used) }
      for stretch in stretches {
        for k in 0..<stretch.count {
          xbar_fill_lane(
            source + stretch.source + (stretch.spot + k) * step, inputs, stretch.lane + k, used, panel)
        }
      }
      return
    }
    let pitch = used + Int(XBAR_BYTE_SLACK)
    let rows: UnsafeMutablePointer<UInt8> = try runner.scratch.take(.byteRows, inputs * pitch)
    var window = xbar_byte_window(member.window, padding: member.padding)
    for stretch in stretches {
      xbar_gather_rows(
        &window, source + stretch.source, stretch.spot, stretch.count, rows + stretch.lane, pitch)
    }
    xbar_interleave_rows(rows, pitch, inputs, windows, used, panel)
  }

  // MARK: Counting

  private mutating func count(
    _ panel: UnsafePointer<UInt8>, _ windows: Int, _ used: Int, _ digits: UnsafeMutablePointer<UInt32>
  ) throws(Diagnostic) {
    let layer = plan.layer
    let set = xbar_count_panel(
      panel, weights.groups, used, UInt32(layer.dacBits), layer.inputs.isSigned ? 1 : 0, digits)
    guard set >> UInt32(layer.inputs.magnitudeBits) == 0 else { throw plan.inputRange(largest: set) }
    if plan.units != nil { try countUnits(panel, windows, used) }
  }

  /// Counts zero-skipping and dynamic units, for 32 windows at a time.
  private mutating func countUnits(_ panel: UnsafePointer<UInt8>, _ windows: Int, _ used: Int)
    throws(Diagnostic)
  {
    let size = Int(XBAR_PANEL)
    let values: UnsafeMutablePointer<Int32> = try runner.scratch.take(.panel, 4 * weights.groups * size)
    let noResults: UnsafeMutablePointer<Int64> = try runner.scratch.take(.sums, 1)
    for first in stride(from: 0, to: windows, by: size) {
      xbar_widen_panel(panel, weights.groups, used, first, plan.layer.inputs.isSigned ? 1 : 0, values)
      var part = LayerRunner(plan, runner.program, windows: min(size, windows - first), results: noResults)
      try part.runPanel(values, &runner.scratch)
      events += part.events
    }
  }

  // MARK: Multiplying

  /// Some outputs at a time, so that their sums stay in the cache.
  private func multiply(
    _ panel: UnsafePointer<UInt8>, _ stretches: [Stretch], _ used: Int
  ) throws(Diagnostic) {
    let outputs = plan.layer.columns
    let step = max(4, (1 << 14) / used / 4 * 4)
    let sums: UnsafeMutablePointer<Int32> = try runner.scratch.take(.sums, step * used)
    let levels: UnsafeMutablePointer<UInt8> = try runner.scratch.take(.levels, used)
    let starts = startsOfSums
    for first in stride(from: 0, to: outputs, by: step) {
      let count = min(step, outputs - first)
      weights.weights.withUnsafeBufferPointer { weights in
        starts.withUnsafeBufferPointer { starts in
          guard let weights = weights.baseAddress, let starts = starts.baseAddress else { return }
          xbar_multiply_panel(
            panel, self.weights.groups, used, weights + 4 * self.weights.groups * first, count,
            starts + first,
            plan.layer.inputs.isSigned ? 1 : 0, sums)
        }
      }
      for row in 0..<count { store(sums + row * used, used, output: first + row, stretches, levels) }
    }
  }

  private var startsOfSums: [Int32] {
    guard !product.bias.isEmpty else { return weights.starts }
    let first = member.layout.channelStart
    return weights.starts.indices.map { weights.starts[$0] + product.bias[first + $0] }
  }

  private func store(
    _ sums: UnsafePointer<Int32>, _ used: Int, output: Int, _ stretches: [Stretch],
    _ levels: UnsafeMutablePointer<UInt8>
  ) {
    let channel = member.layout.channelStart + output
    let offset = channel * member.layout.positions
    switch product.result {
    case .sums:
      let target = runner.elements(product.destination, of: Int64.self) + offset
      for stretch in stretches {
        let (from, to) = (sums + stretch.lane, target + stretch.target)
        for k in 0..<stretch.count { to[k] = Int64(from[k]) }
      }
    case .levels(let scales):
      var scale = scales[scales.count == 1 ? 0 : channel]
      xbar_scale_sums(sums, used, &scale, levels)
      let target = runner.elements(product.destination, of: UInt8.self) + offset
      for stretch in stretches {
        let (from, to) = (levels + stretch.lane, target + stretch.target)
        if stretch.count == 1 { to[0] = from[0] } else { to.update(from: from, count: stretch.count) }
      }
    }
  }
}

extension Window {
  /// How far the elements of a window come after those of the one before it, where each window is a run of neighboring
  /// elements inside the image: the whole image, or a row of its only channel; nil for others.
  fileprivate var stepOfRuns: Int? {
    guard outWidth == 1, kernelWidth == width, padTop == 0, padLeft == 0, dilationWidth == 1 else {
      return nil
    }
    if outHeight == 1 && kernelHeight == height && dilationHeight == 1 { return 0 }
    let isRows = channelCount == 1 && kernelHeight == 1 && (outHeight - 1) * strideHeight < height
    return isRows ? strideHeight * width : nil
  }
}

extension xbar_byte_window {
  fileprivate init(_ window: Window, padding: UInt8) {
    self.init(
      channels: window.channelCount, height: Int32(window.height), width: Int32(window.width),
      kernel_height: Int32(window.kernelHeight), kernel_width: Int32(window.kernelWidth),
      stride_height: Int32(window.strideHeight), stride_width: Int32(window.strideWidth),
      pad_top: Int32(window.padTop), pad_left: Int32(window.padLeft),
      dilation_height: Int32(window.dilationHeight), dilation_width: Int32(window.dilationWidth),
      out_width: Int32(window.outWidth), padding: padding)
  }
}
