import IR
import ONNX
import Support
import Tensors

/// The default type of levels.
let byte = ElementType.integer(bits: 8, signed: false)

/// The scales, zero points and element type of a quantized tensor of a file.
struct QuantizationParameters {
  /// What 1 stands for: one scale, or one for each slice of an axis; positive and finite.
  var scales: [Float]
  /// The levels that stand for 0: one, or one for each slice.
  var zeros: [Int64]
  /// The type of the levels.
  var element: ElementType

  /// The one scale and zero point, or nil where slices differ.
  var single: Quantization? {
    guard scales.count == 1, zeros.count == 1 else { return nil }
    return Quantization(scale: scales[0], zero: zeros[0])
  }

  /// Reads input `scale` of `node`, and input `zero`, 0 of type `element` where there is none.
  init(_ context: ImportContext, _ node: ONNXNode, scale: Int, zero: Int, element: ElementType)
    throws(Diagnostic)
  {
    scales = try context.scales(node, scale)
    let zeros = try context.zeros(node, zero)
    self.zeros = zeros?.values ?? [0]
    self.element = zeros?.element ?? element
    let counts = Set([scales.count, self.zeros.count]).subtracting([1])
    guard counts.count <= 1 else {
      throw context.failure(
        "quantization", "\(scales.count) scales do not go with \(self.zeros.count) zero points", node,
        help: "check the model with onnx.checker")
    }
  }
}

extension QuantizationParameters {
  /// Levels that stand for themselves.
  static let unit = QuantizationParameters(scales: [1], zeros: [0], element: byte)

  init(scales: [Float], zeros: [Int64], element: ElementType) {
    self.scales = scales
    self.zeros = zeros
    self.element = element
  }
}

extension ElementType {
  /// The type of integers that are stored as `type`: levels of 2 to 16 bits, or sums of 32.
  init?(levels type: ONNXElementType) {
    switch type {
    case .uint2, .uint4, .uint8, .uint16: self = .integer(bits: type.bits ?? 8, signed: false)
    case .int2, .int4, .int8, .int16, .int32: self = .integer(bits: type.bits ?? 8, signed: true)
    case .uint32, .int64, .uint64, .bool, .float, .double, .float16, .bfloat16, .string, .complex64,
      .complex128,
      .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1:
      return nil
    }
  }
}
