import Mapping

/// Draws operation units of a device: cells with random levels, programmed and read once.
struct UnitSampler {
  private let device: Device
  private let shares: [Double]
  private let height: Int
  private let converter: Converter
  private let seed: UInt64

  init(_ device: Device, shares: [Double], height: Int, converter: Converter, seed: UInt64) {
    self.device = device
    self.shares = shares
    self.height = height
    self.converter = converter
    self.seed = seed
  }

  /// Codes of `samples` units with `active` active wordlines. Cells, bitlines and converters differ from unit to unit.
  func histograms(active: Int, samples: Int, sums: Int) -> CodeHistograms {
    var histograms = CodeHistograms(sums: sums)
    let programmer = CellProgrammer(device, levels: shares.count, seed: seed, trial: 0)
    let errors = RandomStream(seed: seed, trial: 0, .tables, part: 1)
    let levels = randomLevels(active: active, samples: samples)
    let batch = max(1, 65_536 / max(1, active))
    for first in stride(from: 0, to: samples, by: batch) {
      let units = first..<min(samples, first + batch)
      let cells = Array(levels[first * active..<units.upperBound * active])
      // Each batch of units counts as a crossbar of its own, so that no two cells are alike.
      let number = active * (samples + 1) + first
      let currents = programmer.conductances(cells, crossbar: number)
      let normals = errors.draw(first: 0, number, 0, count: units.count).normals
      let others = errors.draw(first: 0, number, 1, count: units.count).normals
      for unit in 0..<units.count {
        let range = unit * active..<(unit + 1) * active
        let code = sense(
          currents[range], normals: normals[4 * unit..<4 * unit + 4], others: others[4 * unit..<4 * unit + 4])
        histograms.add(sum: cells[range].reduce(0) { $0 + Int($1) }, code: code)
      }
    }
    return histograms
  }

  /// The code of a unit, with four normal numbers for its converter, one for its bitline and one for noise.
  private func sense(_ currents: ArraySlice<Float>, normals: ArraySlice<Float>, others: ArraySlice<Float>)
    -> Int
  {
    let line = SenseLine(
      device, levels: shares.count, weight: 1, height: height, converter: converter, paired: false,
      errors: ConverterDraw(device, normals: normals))
    let factor = clampFactor(device, normal: others[others.startIndex])
    let (current, squares) = currents.reduce(into: (Float(0), Float(0))) { sums, cell in
      sums.0 += cell * factor
      sums.1 += cell * factor * cell * factor
    }
    return line.openCode(
      at: line.position(
        current: current, active: Float(currents.count), squares: squares,
        noise: others[others.startIndex + 1]))
  }

  /// Levels of the cells, drawn by their shares.
  private func randomLevels(active: Int, samples: Int) -> [UInt8] {
    let stream = RandomStream(seed: seed, trial: 0, .tables)
    let words = stream.draw(first: 0, active, count: (samples * active + 3) / 4).words
    var bounds: [Double] = []
    let total = shares.reduce(0, +)
    for share in shares { bounds.append((bounds.last ?? 0) + share / max(total, .leastNormalMagnitude)) }
    return words.prefix(samples * active).map { word in
      let u = Double(word) * 0x1p-32
      return UInt8(
        truncatingIfNeeded: min(bounds.firstIndex { u < $0 } ?? shares.count - 1, shares.count - 1))
    }
  }
}
