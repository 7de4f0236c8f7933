import DeviceModel
import Foundation
import Mapping

// A second implementation of ir-spec.md, *Devices*, *Random numbers* and *Error tables*, from the words of that document
// alone.

/// The words and normal numbers of a key and a counter.
struct SpecifiedDraw {
  let words: [UInt32]
  let normals: [Float]

  init(seed: UInt64, trial: Int, purpose: UInt32, part: UInt32 = 0, _ counter: [Int]) {
    let key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32), UInt32(trial)]
    let padded = counter + [Int](repeating: 0, count: 4 - counter.count)
    words = threefry(key + [purpose | part << 8], padded.map { UInt32(truncatingIfNeeded: $0) })
    normals = boxMuller(words[0], words[1]) + boxMuller(words[2], words[3])
  }
}

private func threefry(_ key: [UInt32], _ counter: [UInt32]) -> [UInt32] {
  let k = key + [key.reduce(0x1BD1_1BDA, ^)]
  let rotations: [(UInt32, UInt32)] = [
    (10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20),
  ]
  func rotate(_ x: UInt32, _ bits: UInt32) -> UInt32 { x << bits | x >> (32 - bits) }
  var x = (0..<4).map { counter[$0] &+ k[$0] }
  for r in 0...12 {
    let (a, b) = r % 2 == 0 ? (1, 3) : (3, 1)
    x[0] &+= x[a]
    x[a] = rotate(x[a], rotations[r % 8].0) ^ x[0]
    x[2] &+= x[b]
    x[b] = rotate(x[b], rotations[r % 8].1) ^ x[2]
    guard r % 4 == 3 else { continue }
    let q = (r + 1) / 4
    for j in 0...3 { x[j] &+= k[(q + j) % 5] }
    x[3] &+= UInt32(q)
  }
  return x
}

private func boxMuller(_ a: UInt32, _ b: UInt32) -> [Float] {
  let u = (Float(Int32(a >> 1)) + 0.5) * 0x1p-31
  let radius = max(logarithm(u) * -2, 0).squareRoot()
  let angle = Float(Int32(b & 0x3FFF_FFFF) - (1 << 29)) * (0.785398163 * 0x1p-29)
  let q = angle * angle
  let s1: Float = 1.0 / 362880
  let s2: Float = -1.0 / 5040 + q * s1
  let s3: Float = 1.0 / 120 + q * s2
  let s4: Float = -1.0 / 6 + q * s3
  let sine = angle + angle * q * s4
  let c1: Float = -1.0 / 3628800
  let c2: Float = 1.0 / 40320 + q * c1
  let c3: Float = -1.0 / 720 + q * c2
  let c4: Float = 1.0 / 24 + q * c3
  let cosine = 1 + q * (-0.5 + q * c4)
  switch b >> 30 {
  case 0: return [radius * cosine, radius * sine]
  case 1: return [radius * -sine, radius * cosine]
  case 2: return [radius * -cosine, radius * -sine]
  default: return [radius * sine, radius * -cosine]
  }
}

private func logarithm(_ x: Float) -> Float {
  let bits = Int32(bitPattern: x.bitPattern)
  let e = (bits - 0x3F35_04F3) >> 23
  let m = Float(bitPattern: UInt32(bitPattern: bits - e << 23))
  let s = (m - 1) / (m + 1)
  let q = s * s
  let p1: Float = 1.0 / 7 + q * (1.0 / 9)
  let p2: Float = 1.0 / 5 + q * p1
  let p = q * (1.0 / 3 + q * p2)
  return Float(e) * 0.693147181 + 2 * (s + s * p)
}

private func exponential(_ value: Float) -> Float {
  let x = min(max(value, -80), 80)
  let n = Int32(x * 1.44269504 + 512.5) - 512
  let r = x - Float(n) * 0.693359375 + Float(n) * 2.12194440e-4
  let t1: Float = 1.0 / 720 + r * (1.0 / 5040)
  let t2: Float = 1.0 / 120 + r * t1
  let t3: Float = 1.0 / 24 + r * t2
  let t = 1.0 / 6 + r * t3
  let p = 1 + (r + r * r * (0.5 + r * t))
  return Float(bitPattern: UInt32(bitPattern: Int32(bitPattern: p.bitPattern) + n << 23))
}

/// The conductance of a cell of level `l`, in steps.
func specifiedConductance(
  _ device: Device, levels: Int, _ l: Int, cell: Int, crossbar: Int, seed: UInt64, trial: Int
) -> Float {
  let top = levels - 1
  let (on, off) = (1 / device.cell.onResistance, 1 / device.cell.offResistance)
  func conductance(_ level: Int) -> Double {
    let (p, low) = (Double(level) / Double(top), off == 0 ? on * 1e-6 : off)
    if level == 0 { return off }
    switch device.cell.spacing {
    case .conductance: return off + p * (on - off)
    case .resistance: return 1 / (1 / low + p * (device.cell.onResistance - 1 / low))
    case .logarithm: return low * pow(on / low, p)
    }
  }
  func nominal(_ level: Int) -> Float { Float(conductance(level) / ((on - off) / Double(top))) }
  if ![.variation, .stuckCells, .drift].contains(where: device.isOn) { return nominal(l) }
  func between(_ off: Double, _ on: Double) -> Float { Float(off + (on - off) * Double(l) / Double(top)) }
  let draw = SpecifiedDraw(seed: seed, trial: trial, purpose: 1, [cell, crossbar])
  let sigma = between(device.variation.off, device.variation.on)
  var g: Float
  switch device.variation.distribution {
  case .lognormal: g = nominal(l) * exponential(-sigma * draw.normals[0])
  case .normal: g = nominal(l) * max(1 + sigma * draw.normals[0], 0)
  }
  if device.isOn(.drift) {
    let exponent = between(device.drift.off, device.drift.on)
    let time = Float(device.drift.logarithm)
    g *= exponential(-max(exponent + Float(device.drift.spread) * draw.normals[1], 0) * time)
  }
  g = min(g, 1e12)
  let a = UInt32(min(device.stuckCells.on * 0x1p32, 0x1p32 - 1))
  let b = min(UInt32(min(device.stuckCells.off * 0x1p32, 0x1p32 - 1)), .max - a)
  if draw.words[2] < a { return nominal(top) }
  return draw.words[2] &- a < b ? nominal(0) : g
}

/// The factor of a bitline for a normal number.
func specifiedFactor(_ device: Device, _ z: Float) -> Float {
  Float(max(0, 1 + device.sensing.clampError / device.sensing.readVoltage * Double(z)))
}

/// What a conversion reads.
struct SpecifiedReading {
  var current: Float
  var active: Float
  var squares: Float
  /// The sum of the relative powers of two of a group.
  var weight = 1
  /// The largest sum of a unit's digits.
  var height: Int
  var isPair = false
}

/// The code of a conversion, up to `2^adc`, for the normal numbers of its converter and its own.
func specifiedCode(
  _ device: Device, levels: Int, _ reading: SpecifiedReading, bits: Int, fullScale: Int?,
  converter z: [Float],
  noise: Float
) -> Int {
  let (top, codes) = (Double(levels - 1), (1 << bits) - 1)
  let s = max(1, ((fullScale ?? 1) + codes - 1) / codes)
  let step = (1 / device.cell.onResistance - 1 / device.cell.offResistance) / top
  let hasLeak = !reading.isPair && device.cell.offResistance.isFinite
  let r = hasLeak ? 1 / (device.cell.offResistance * step) : 0
  let (w, h, range) = (Double(reading.weight), Double(reading.height), Double(codes) * Double(s))
  let reference = max(-0.9, device.sensing.referenceError * Double(z[0]))
  let offset = device.converter.offset * Double(z[1])
  let gain = max(-0.9, device.converter.gain * Double(z[2]))
  let inl = device.converter.inl * Double(z[3])
  let (e, d) = (1 / (1 + reference), r / top)
  let a = 1 / (1 + d / 2)
  let isFixed = device.sensing.references == .fixed && !reading.isPair
  let first = Float(isFixed ? e * a : e)
  let leak = Float(isFixed || reading.isPair ? 0 : r * w)
  let base = isFixed ? 0.5 - (1 + d + h * r * w) / 2 * a : 0
  let second = !isFixed && !reading.isPair && r > 0 ? Float(e / (1 + d)) : nil
  let added = Float(device.converter.noise * Double(s) * device.converter.noise * Double(s))
  let spread = Double(first) * (1 + gain) * device.readNoise.cell
  let cells = Float(spread * spread)
  let bow = Float(4 * inl * Double(s) / range)
  var y = reading.current * first - reading.active * leak
  if let second { y = min(y, reading.current * second) }
  y = y * Float(1 + gain) + Float(base * (1 + gain) + offset * Double(s))
  if bow != 0 { y += bow * y * (1 - y * Float(1 / range)) }
  if added != 0 || cells != 0 { y += noise * (added + reading.squares * cells).squareRoot() }
  let lowest: Float = reading.isPair ? -Float(codes) : 0
  let place = y * Float(1 / Double(s)) + Float((Double(s / 2) + 0.5) / Double(s))
  return Int(min(max(place, lowest), Float(codes + 1)).rounded(.down))
}

/// The codes of all sums in the order of an error table: `[active][sum]` of bound and code.
func specifiedTable(
  _ device: Device, shares: [Double], height: Int, bits: Int, samples: Int, seed: UInt64
) -> [[[(bound: UInt32, code: Int)]]] {
  let (levels, sums) = (shares.count, height * (shares.count - 1) + 1)
  return (0...height).map { active in
    var counts = [[Int: Int]](repeating: [:], count: sums)
    let batch = max(1, 65536 / max(1, active))
    for unit in 0..<samples {
      let first = unit / batch * batch
      let number = active * (samples + 1) + first
      func draw(_ which: Int) -> SpecifiedDraw {
        SpecifiedDraw(seed: seed, trial: 0, purpose: 5, part: 1, [unit - first, number, which])
      }
      let (converter, others) = (draw(0).normals, draw(1).normals)
      let f = specifiedFactor(device, others[0])
      var reading = SpecifiedReading(current: 0, active: Float(active), squares: 0, height: height)
      var sum = 0
      for wordline in 0..<active {
        let i = unit * active + wordline
        let word = SpecifiedDraw(seed: seed, trial: 0, purpose: 5, [i / 4, active]).words[i % 4]
        let level = specifiedLevel(shares, Double(word) * 0x1p-32)
        let g = specifiedConductance(
          device, levels: levels, level, cell: (unit - first) * active + wordline, crossbar: number,
          seed: seed,
          trial: 0)
        reading.current += g * f
        reading.squares += g * f * g * f
        sum += level
      }
      let code = specifiedCode(
        device, levels: levels, reading, bits: bits, fullScale: nil, converter: converter, noise: others[1])
      counts[sum][code, default: 0] += 1
    }
    return (0..<sums).map { specifiedCodes(counts, $0, bits: bits) }
  }
}

private func specifiedLevel(_ shares: [Double], _ u: Double) -> Int {
  var bound = 0.0
  for (level, share) in shares.enumerated() {
    bound += share / shares.reduce(0, +)
    if bound > u { return level }
  }
  return shares.count - 1
}

private func specifiedCodes(_ counts: [[Int: Int]], _ sum: Int, bits: Int) -> [(bound: UInt32, code: Int)] {
  let drawn = counts.indices.filter { !counts[$0].isEmpty }
  guard let near = drawn.min(by: { (abs($0 - sum), $0) < (abs($1 - sum), $1) }) else { return [(.max, sum)] }
  let ordered = counts[near].sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
  let total = Double(counts[near].values.reduce(0, +))
  var passed = 0
  return ordered.enumerated().map { place, entry in
    passed += entry.value
    let bound = UInt32(min(Double(passed) / total * 0x1p32, 0x1p32 - 1)) / 1024 * 1024
    return (place == ordered.count - 1 ? .max : bound, min(max(entry.key + sum - near, 0), 1 << bits))
  }
}
