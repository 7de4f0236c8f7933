import Foundation
import IR
import Support
import Tensors
import Testing

@testable import Passes

@Suite("Fixed-point factors")
struct FixedPointTests {
  private func error(_ factor: Double) throws -> Double {
    let (multiplier, shift) = try #require(fixedPoint(factor))
    guard 0..<(1 << 31) ~= multiplier, 1...62 ~= shift else { return .infinity }
    return abs(Double(multiplier) * pow(2, -Double(shift)) - factor)
  }

  @Test func relativeErrorIsAtMostTwoToTheMinus31() throws {
    var random = SeededGenerator(seed: 30)
    var worst = 0.0
    for exponent in -32..<29 {
      for _ in 0..<200 {
        let factor = pow(2, Double(exponent)) * (1 + random.unit())
        worst = max(worst, try error(factor) / factor)
      }
      let edge = pow(2, Double(exponent + 1)) * (1 - 0x1p-52)
      worst = max(worst, try error(edge) / edge, try error(pow(2, Double(exponent))))
    }
    #expect(worst <= 0x1p-31)
    #expect(worst > 0x1p-33, "the sweep must come near the bound")
  }

  @Test func smallFactorsLosePrecisionGradually() throws {
    for exponent in -1074 ..< -32 { #expect(try error(pow(2, Double(exponent)) * 1.3) <= 0x1p-63) }
  }

  @Test func extremes() {
    #expect(fixedPoint(0)?.multiplier == 0)
    #expect(fixedPoint(1).map { $0 == (1 << 30, 30) } == true)
    for factor in [0x1p30, 0x1p31, 1e300, .infinity, -1, -.infinity, .nan] {
      #expect(fixedPoint(factor) == nil)
    }
    #expect(fixedPoint(0x1p30 - 64) != nil)
    // Rounds up to 2^30, which has no form.
    #expect(fixedPoint((0x1p30).nextDown) == nil)
  }
}

@Suite("Parameters of quantize")
struct QuantizationParameterTests {
  private func pass(_ text: String) throws -> Quantize {
    let call = try #require(try parsePipeline("quantize(\(text))").first)
    return Quantize(try PassOptions(call.options, Quantize.options, pass: "quantize"))
  }

  /// Every value of the range is within half a step of its level, and 0 is a level.
  @Test(arguments: ["two-pass", "zero-point"]) func inputsMoveByHalfAStep(mode: String) throws {
    var random = SeededGenerator(seed: 31)
    var wrong = 0
    for _ in 0..<2000 {
      let bits = random.inside(2...16)
      let size = Float(exp2(random.unit() * 60 - 30))
      let range = [random.chance(0.4) ? 0 : -size * Float(random.unit()), size * Float(random.unit())]
      let grid = try #require(try pass("inputs: \(bits), signed: \(mode)").inputs.parameters(for: range))
      if grid.low < grid.type.lowest || grid.high > grid.type.highest { wrong += 1 }
      if !(grid.low...grid.high).contains(grid.quantization.zero) { wrong += 1 }
      for value in [range[0], range[1], range[0] + (range[1] - range[0]) * Float(random.unit())] {
        let step = Double(grid.quantization.scale)
        let level = (Double(value) / step).rounded(.toNearestOrEven) + Double(grid.quantization.zero)
        let kept = max(Double(grid.low), min(Double(grid.high), level))
        // Beyond one half only by the rounding of the scale to binary32.
        let slack = 0.5 + Double(grid.high) * 0x1p-22
        if abs((kept - Double(grid.quantization.zero)) * step - Double(value)) > slack * step { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }

  @Test func extremeRangesHaveParameters() throws {
    let top = Float.greatestFiniteMagnitude
    for mode in ["two-pass", "zero-point"] {
      for bits in [1, 2, 8, 16] {
        for range in [
          [0, 0], [-top, top], [-top, 0], [0, top], [-Float.leastNonzeroMagnitude, .leastNonzeroMagnitude],
          [-1e-38, 1e38], [1, 2], [-2, -1],
        ] {
          guard let grid = try pass("inputs: \(bits), signed: \(mode)").inputs.parameters(for: range) else {
            #expect(bits == 1 && mode == "two-pass" && range[0] < 0)
            continue
          }
          #expect(grid.quantization.scale > 0 && grid.quantization.scale.isFinite)
          #expect((grid.low...grid.high).contains(grid.quantization.zero))
        }
      }
    }
  }

  @Test func weightsMoveByHalfAStep() throws {
    var random = SeededGenerator(seed: 32)
    var wrong = 0
    for _ in 0..<600 {
      let bits = random.inside(2...16)
      let (outputs, count) = (random.inside(1...5), random.inside(1...20))
      let perOutput = random.chance(0.5)
      let size = Float(exp2(random.unit() * 60 - 30))
      let weights = (0..<outputs * count).map { _ in size * Float(random.unit() * 2 - 1) }
      let (codes, scales) = try pass("weights: \(bits), scale: \(perOutput ? "output" : "tensor")")
        .weights.integers(for: weights, slots: perOutput ? outputs : 1) { perOutput ? $0 % outputs : 0 }
      let levels = Tensor([codes.count], codes).integers
      if scales.count != (perOutput ? outputs : 1) { wrong += 1 }
      let limit = Int64(1) << Int64(bits - 1) - 1
      for (k, level) in levels.enumerated() {
        let scale = Double(scales[perOutput ? k % outputs : 0])
        if abs(level) > limit { wrong += 1 }
        if abs(Double(level) * scale - Double(weights[k])) > scale * (0.5 + Double(limit) * 0x1p-22) {
          wrong += 1
        }
      }
    }
    #expect(wrong == 0)
  }

  @Test func zerosStayZeros() throws {
    let (codes, scales) = try pass("scale: output").weights.integers(for: [0, 1, 0, -2], slots: 2) { $0 % 2 }
    #expect(Tensor([4], codes).integers == [0, 64, 0, -127] && scales[0] == 1)
  }

  /// Of the weights 1, 0.5 and -0.3 in steps of 1/3 (two bits of magnitude), 0.5 moves to 2/3 and 0.3 to 1/3.
  @Test func relativeErrors() throws {
    let coding = try pass("weights: 3").weights
    let weights: [Float] = [1, 0.5, -0.3]
    let (levels, scales) = coding.integers(for: weights, slots: 1) { _ in 0 }
    #expect(Tensor([3], levels).integers == [3, 2, -1])
    let expected = ((1.0 / 36 + 1.0 / 900) / (1 + 0.25 + 0.09)).squareRoot()
    #expect(abs(coding.relativeError(of: weights, scales: scales) { _ in 0 } - expected) < 1e-6)
    #expect(coding.relativeError(of: [0, 0], scales: [1]) { _ in 0 } == 0)
  }
}
