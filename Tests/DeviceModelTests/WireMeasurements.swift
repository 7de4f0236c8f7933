@testable import DeviceModel
import Foundation
import Support
import Testing

/// The tables of `docs/wires.md`, and the fit of the approximation; only with LONG_TESTS=1.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"))
struct WireMeasurements {
  private func seconds(_ body: () -> Void) -> Double {
    (0..<3).map { _ in
      let time = ContinuousClock().measure(body).components
      return Double(time.seconds) + 1e-18 * Double(time.attoseconds)
    }.min() ?? 0
  }

  private func percent(_ part: Double) -> String {
    part < 1e-5 ? "< 0.001 %" : String(format: "%.2g %%", 100 * part)
  }

  private func row(_ texts: [String]) { print("| \(texts.joined(separator: " | ")) |") }

  /// Crossbars of each kind of cells, and of unlike lines.
  private func samples(_ size: Int) -> [(name: String, sample: WireSample)] {
    [CellRange.highOhms, .twoLevels, .twoDecades, .lowOhms].map {
      ($0.rawValue, $0.sample(size, size, seed: size))
    } + [("unlike lines", WireSample.unlikeLines(size, size, seed: size))]
  }

  @Test func accuracy() {
    row(["cells", "array", "segment", "current left", "T max", "T mean", "sums max", "sums mean"])
    for kind in samples(1).indices {
      for size in [64, 128, 256] {
        let (name, sample) = samples(size)[kind]
        for ohms in [0.1, 1, 5] {
          let error = WireAccuracy(sample, Wires(wordlineOhms: ohms, bitlineOhms: ohms))
          row(
            [
              name, "\(size)x\(size)", String(format: "%g ohm", ohms),
              String(format: "%.0f %%", 100 * error.kept),
            ]
              + error.all.map(percent))
        }
      }
    }
  }

  /// The exponent of the spread of lines: the one in use leaves the least mean errors of conductances, all samples
  /// taken together.
  @Test func fit() {
    let exponents = [0, 0.5, 1, 1.5, 2]
    var sums = [Double](repeating: 0, count: exponents.count)
    row(["cells", "segment", "first term alone"] + exponents.map { "exponent \($0)" })
    for (name, sample) in samples(96) + samples(128) {
      for ohms in [0.1, 1, 5] {
        let wires = Wires(wordlineOhms: ohms, bitlineOhms: ohms)
        let exact = sample.exact(wires)
        let errors = exponents.map { exponent in
          let found = DeviceModel.approximate(
            sample.cells, rows: sample.rows, columns: sample.columns, wires: wires, exponent: exponent)
          return RelativeError(found, exact).mean
        }
        for (k, error) in errors.enumerated() { sums[k] += error }
        let network = WireNetwork(sample.cells, rows: sample.rows, columns: sample.columns, wires: wires)
        let alone = RelativeError(WireSeparation(network).products, exact).mean
        row(["\(name), \(sample.rows)", String(format: "%g ohm", ohms)] + ([alone] + errors).map(percent))
      }
    }
    #expect(sums.min() == sums[2])
  }

  @Test func speed() {
    row(["array", "exact", "approximate"])
    for (rows, columns) in [(32, 32), (64, 64), (128, 128), (256, 256), (512, 256), (512, 512)] {
      let sample = CellRange.twoLevels.sample(rows, columns, seed: 1)
      let wires = Wires(wordlineOhms: 1, bitlineOhms: 1)
      let times = [seconds { _ = sample.exact(wires) }, seconds { _ = sample.approximate(wires) }]
      row(["\(rows)x\(columns)"] + times.map { String(format: "%.2f ms", 1000 * $0) })
    }
  }
}
