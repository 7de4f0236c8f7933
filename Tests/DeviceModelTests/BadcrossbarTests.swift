import DeviceModel
import Foundation
import Support
import TestTools
import Testing

/// A crossbar as the script reads it.
private struct BadcrossbarCase: Codable {
  let rows: Int
  let columns: Int
  let cells: [Double]
  let wordlineOhms: Double
  let bitlineOhms: Double

  var wires: Wires { Wires(wordlineOhms: wordlineOhms, bitlineOhms: bitlineOhms) }
}

/// Currents that badcrossbar computes, where Python has it; `XBAR_PYTHON` names another interpreter than `python3`.
/// The package knows neither drivers nor sensing circuits.
///
/// Source: D. Joksas, A. Mehonic, "badcrossbar: A Python tool for computing and plotting currents and voltages in
/// passive crossbar arrays", SoftwareX 2020.
@Suite("Agreement with badcrossbar")
struct BadcrossbarTests {
  /// Conductances over three decades, wires of 0.1 to 10 ohms.
  private func randomCases() -> [BadcrossbarCase] {
    var random = SeededGenerator(seed: 64)
    let shapes = [(1, 1), (1, 9), (9, 1), (4, 7), (16, 16), (33, 20), (20, 33), (64, 32), (64, 64), (64, 64)]
    func decades(_ count: Double, from low: Double) -> Double {
      (0..<Int(count)).reduce(low * (1 + 9 * random.unit())) { value, _ in
        random.chance(0.5) ? value * 10 : value
      }
    }
    return shapes.map { rows, columns in
      BadcrossbarCase(
        rows: rows, columns: columns, cells: (0..<rows * columns).map { _ in decades(2, from: 1e-6) },
        wordlineOhms: decades(1, from: 0.1), bitlineOhms: decades(1, from: 0.1))
    }
  }

  @Test func onRandomArrays() throws {
    guard Python.has("badcrossbar") else {
      return print("skipped: \(Python.command) has no badcrossbar; set XBAR_PYTHON to one that has")
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "xbar-wires-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (input, output) = (folder.appending(path: "cases.json"), folder.appending(path: "results.json"))
    let cases = randomCases()
    try JSONEncoder().encode(cases).write(to: input)
    let script = try #require(Bundle.module.url(forResource: "badcrossbar_currents", withExtension: "py"))
    _ = try #require(Python.output([script.path(), input.path(), output.path()]))
    let results = try JSONDecoder().decode([[Double]].self, from: Data(contentsOf: output))
    #expect(results.count == cases.count)
    var worst = 0.0
    for (sample, expected) in zip(cases, results) {
      let found = effectiveConductances(
        sample.cells, rows: sample.rows, columns: sample.columns, wires: sample.wires)
      let error = RelativeError(found, expected)
      #expect(error.largest < 1e-6, "\(sample.rows)x\(sample.columns), \(sample.wires)")
      worst = max(worst, error.largest)
    }
    print("\(cases.count) crossbars differ from badcrossbar by at most \(worst) of a current")
  }
}
