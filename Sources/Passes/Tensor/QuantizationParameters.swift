import IR
import Tensors

/// Which integers stand for the real numbers of a value: their type, scale, zero point and bounds.
struct QuantizationParameters: Equatable {
  var type: ElementType
  var quantization: Quantization
  /// The lowest level in use.
  var low: Int64
  /// The highest level in use.
  var high: Int64

  /// The level of `real`, as `quantize` computes it.
  func level(_ real: Float) -> Int64 {
    let rule = DigitalOperator.quantize(
      scale: quantization.scale, zero: quantization.zero, low: low, high: high)
    return (try? rule.apply(to: [Tensor([1], [real])]))?.integers.first ?? quantization.zero
  }

  /// Whether each level here is one of `other`, whose numbers are `offset` higher.
  func holds(_ other: QuantizationParameters, _ offset: Int64) -> Bool {
    quantization.scale == other.quantization.scale
      && quantization.zero == other.quantization.zero - offset && low >= other.low - offset
      && high <= other.high - offset
  }
}

/// The parameters that the file gives a value.
struct PrequantizedParameters {
  /// The parameters, with the levels as they are numbered here.
  var parameters: QuantizationParameters
  /// What was added to the numbers of the file.
  var offset: Int64

  /// The numbers of the file that the type holds.
  private var span: ClosedRange<Int64> {
    parameters.type.lowest - offset...parameters.type.highest - offset
  }

  /// The one of `parts` whose type holds the levels of all, with their bounds; nil where scales or zero
  /// points differ.
  static func union(_ parts: [PrequantizedParameters]) -> PrequantizedParameters? {
    let widest = parts.max { $0.span.count < $1.span.count }
    guard var result = widest else { return nil }
    for part in parts {
      let (low, high) = (part.parameters.low - part.offset, part.parameters.high - part.offset)
      guard part.parameters.quantization.scale == result.parameters.quantization.scale,
        part.parameters.quantization.zero - part.offset
          == result.parameters.quantization.zero - result.offset,
        result.span.contains(low), result.span.contains(high)
      else { return nil }
      result.parameters.low = min(result.parameters.low, low + result.offset)
      result.parameters.high = max(result.parameters.high, high + result.offset)
    }
    return result
  }
}
