import Support
import Tensors

extension ValueType: CustomStringConvertible {
  /// The text form, such as `tensor<1x28x28xu8, scale 0.004, zero 0>`.
  public var description: String {
    let dimensions = shape.map { $0.map { "\($0)x" }.joined() } ?? "*x"
    let quantized = quantization.map { ", scale \($0.scale), zero \($0.zero)" } ?? ""
    return "tensor<\(dimensions)\(element)\(quantized)>"
  }
}

extension TokenStream {
  /// `tensor<...>`.
  mutating func takeType() throws(Diagnostic) -> ValueType {
    try expectWord("tensor")
    try expect("<")
    let unshaped = try skip("*")
    let token = try take(.word, "dimensions and an element type such as 1x28x28xf32")
    guard var type = parseDimensions(token.text, unshaped: unshaped) else {
      throw Diagnostic(
        "text.type", "expected dimensions and an element type such as 1x28x28xf32, found '\(token.text)'",
        at: Location(.text(token.position)))
    }
    if try skip(",") { type.quantization = try takeQuantization() }
    try expect(">")
    return type
  }

  private mutating func takeQuantization() throws(Diagnostic) -> Quantization {
    try expectWord("scale")
    let place = current.position
    guard case .float(let scale) = try takeAttribute(depth: 0), scale > 0, scale.isFinite else {
      throw Diagnostic("text.type", "a scale is a positive float", at: Location(.text(place)))
    }
    try expect(",")
    try expectWord("zero")
    return Quantization(scale: scale, zero: try takeInt())
  }
}

/// Reads `1x28x28xf32`, or `xf32` after the star of an unknown shape.
private func parseDimensions(_ text: String, unshaped: Bool) -> ValueType? {
  var parts = text.split(separator: "x", omittingEmptySubsequences: false)
  guard let last = parts.popLast(), let element = ElementType(text: String(last)) else { return nil }
  if unshaped { return parts == [""] ? ValueType(element, nil) : nil }
  guard parts.count <= TextLimits.rank else { return nil }
  var shape: [Int] = []
  for part in parts {
    guard let first = part.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-"),
      first != UInt8(ascii: "0") || part == "0", let length = Int(part)
    else { return nil }
    shape.append(length)
  }
  guard isComputable(shape) else { return nil }
  return ValueType(element, shape)
}
