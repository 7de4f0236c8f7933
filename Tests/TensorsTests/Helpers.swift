import NaiveTwin
import Support
import Tensors
import Testing

/// Expects `body` to throw a diagnostic with this id.
func expectFailure(
  _ id: String, _ place: SourceLocation = #_sourceLocation, _ body: () throws(Diagnostic) -> Void
) {
  do throws(Diagnostic) {
    try body()
    Issue.record("expected \(id), nothing was thrown", sourceLocation: place)
  } catch {
    #expect(error.id == id, sourceLocation: place)
    #expect(!error.message.isEmpty && error.message.last != ".", sourceLocation: place)
  }
}

/// Expects an operator to throw a diagnostic with this id.
func expectFailure(
  _ id: String, _ op: DigitalOperator, _ arguments: [Tensor], _ place: SourceLocation = #_sourceLocation
) {
  expectFailure(id, place) { () throws(Diagnostic) in _ = try op.apply(to: arguments) }
}

extension SeededGenerator {
  /// Floats between -2 and 2.
  mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in Float(unit() * 4 - 2) } }

  /// Whole numbers in `range`.
  mutating func integers(_ count: Int, in range: ClosedRange<Int>) -> [Int64] {
    (0..<count).map { _ in Int64(inside(range)) }
  }

  /// A consistent window with at most a few hundred taps in which every position meets the input.
  mutating func window() -> Window {
    while true {
      let (kernelHeight, kernelWidth) = (inside(1...3), inside(1...4))
      let (channels, first) = (inside(1...4), below(2))
      let w = Window(
        batch: inside(1...2), channels: channels + first, height: inside(1...7), width: inside(1...12),
        channelStart: first, channelCount: inside(1...channels), kernelHeight: kernelHeight,
        kernelWidth: kernelWidth, strideHeight: inside(1...3), strideWidth: inside(1...3),
        padTop: below(kernelHeight), padLeft: below(kernelWidth), dilationHeight: inside(1...2),
        dilationWidth: inside(1...2), outHeight: inside(1...4), outWidth: inside(1...11))
      if (try? DigitalOperator.maxPool(w).resultShape(of: [w.inputShape])) != nil { return w }
    }
  }
}

extension Window {
  /// The shape of the input.
  var inputShape: [Int] { [batch, channels, height, width] }

  /// The same geometry on one channel.
  func onChannel(_ channel: Int) -> Window {
    var copy = self
    copy.channelStart = channel
    copy.channelCount = 1
    return copy
  }

  /// The elements of `values` in window `p`, nil in the padding: the definition, element by element.
  func taps<T>(_ values: [T], _ p: Int) -> [T?] { naiveWindow(self, values, position: p) }
}
