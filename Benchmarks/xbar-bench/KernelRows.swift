import CKernels
import Support

/// The kernels of products of bytes on the second convolution of LeNet-5: 500 inputs, 50 outputs, 256 windows.
func kernelRows(_ limits: Limits) throws(Diagnostic) -> [Row] {
  let (groups, outputs, lanes, rounds) = (125, 50, 256, 400)
  let panel = (0..<4 * groups * lanes).map { UInt8(truncatingIfNeeded: $0 &* 7) }
  let weights = (0..<4 * groups * outputs).map { Int8(truncatingIfNeeded: $0 &* 11) }
  let starts = [Int32](repeating: 0, count: outputs)
  var sums = [Int32](repeating: 0, count: outputs * lanes)
  var counts = [UInt32](repeating: 0, count: 4 * groups)
  var levels = [UInt8](repeating: 0, count: outputs * lanes)
  var scale = xbar_byte_scale(multiplier: 1 << 30, shift: 38, low: 0, high: 255, zero: 0)
  func rate(_ work: Int, _ body: () -> Void) throws(Diagnostic) -> Double {
    let seconds = try measure(15) { () throws(Diagnostic) in for _ in 0..<rounds { body() } }
    return Double(work * rounds) / seconds * 1e-9
  }
  let products = try rate(panel.count * outputs) {
    xbar_multiply_panel(panel, groups, lanes, weights, outputs, starts, 0, &sums)
  }
  let counted = try rate(panel.count) { _ = xbar_count_panel(panel, groups, lanes, 1, 0, &counts) }
  let scaled = try rate(sums.count) { xbar_scale_sums(sums, sums.count, &scale, &levels) }
  let section = "kernels"
  return [
    Row(
      section: section, what: "products of bytes", number: 2 * products, unit: .products,
      limit: 2 * limits.byteProducts * 1e-9, note: "a product and its addition are two operations"),
    Row(section: section, what: "digits counted", number: counted, unit: .bytes, limit: limits.bytesAdded * 1e-9),
    Row(section: section, what: "sums made levels", number: scaled, unit: .numbers),
  ]
}
