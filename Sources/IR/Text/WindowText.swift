import Support
import Tensors

/// `window(1x20x24x24, kernel 2x2, stride 2x2, out 12x12)`; strides and dilations of 1, pads of 0 and the channel
/// range of all channels are left out.
func windowText(_ w: Window) -> String {
  var parts = ["\(w.batch)x\(w.channels)x\(w.height)x\(w.width)"]
  if w.channelStart != 0 || w.channelCount != w.channels {
    parts.append("channels \(w.channelStart)..\(w.channelStart + w.channelCount - 1)")
  }
  parts.append("kernel \(w.kernelHeight)x\(w.kernelWidth)")
  if w.strideHeight != 1 || w.strideWidth != 1 { parts.append("stride \(w.strideHeight)x\(w.strideWidth)") }
  if w.padTop != 0 || w.padLeft != 0 { parts.append("pad \(w.padTop)x\(w.padLeft)") }
  if w.dilationHeight != 1 || w.dilationWidth != 1 {
    parts.append("dilation \(w.dilationHeight)x\(w.dilationWidth)")
  }
  parts.append("out \(w.outHeight)x\(w.outWidth)")
  return "window(\(parts.joined(separator: ", ")))"
}

extension TokenStream {
  /// What follows the word `window`.
  mutating func takeWindow() throws(Diagnostic) -> Window {
    let place = Location(.text(current.position))
    try expect("(")
    let image = try takeSizes(4)
    var fields: [String: [Int]] = [
      "channels": [0, image[1]], "stride": [1, 1], "pad": [0, 0], "dilation": [1, 1],
    ]
    while try skip(",") {
      let word = try take(.word, "kernel, stride, pad, dilation, channels or out")
      switch word.text {
      case "kernel", "stride", "pad", "dilation", "out": fields[word.text] = try takeSizes(2)
      case "channels":
        let first = try takeCount(limit: Int(Int32.max))
        try expect("..")
        fields["channels"] = [first, try takeCount(limit: Int(Int32.max)) - first + 1]
      default:
        throw Diagnostic(
          "text.window", "expected kernel, stride, pad, dilation, channels or out, found '\(word.text)'",
          at: Location(.text(word.position)))
      }
    }
    try expect(")")
    guard let window = window(image, fields) else {
      throw Diagnostic("text.window", problem(image, fields), at: place)
    }
    return window
  }

  /// Why there is no such window.
  private func problem(_ image: [Int], _ fields: [String: [Int]]) -> String {
    for word in ["kernel", "out"] where fields[word] == nil { return "a window needs '\(word)'" }
    for word in ["kernel", "stride", "dilation", "out"] where fields[word]?.contains(0) == true {
      return "'\(word)' has a length of 0"
    }
    let channels = fields["channels"] ?? []
    if channels.count == 2, channels[1] < 1 || channels[0] + channels[1] > image[1] {
      return "'channels' are none of the \(image[1]) channels"
    }
    return "the sizes of the window do not go together"
  }

  private func window(_ image: [Int], _ fields: [String: [Int]]) -> Window? {
    guard let kernel = fields["kernel"], let out = fields["out"], let channels = fields["channels"],
      let stride = fields["stride"], let pad = fields["pad"], let dilation = fields["dilation"]
    else { return nil }
    return Window(numbers: image + channels + kernel + stride + pad + dilation + out)
  }

  /// `HxW` with `count` numbers.
  private mutating func takeSizes(_ count: Int) throws(Diagnostic) -> [Int] {
    let token = try take(.word, "sizes such as 2x2")
    let parts = token.text.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.utf8.first == UInt8(ascii: "+") ? nil : Int(part) }
    if parts.count == count, numbers.contains(where: { $0 >= 1 << 31 }) {
      throw Diagnostic(
        "text.window", "a size in '\(token.text)' is 2^31 or more", at: Location(.text(token.position)))
    }
    guard parts.count == count, numbers.count == count, numbers.allSatisfy({ $0 >= 0 }) else {
      throw Diagnostic(
        "text.window", "expected \(count) sizes joined by x, found '\(token.text)'",
        at: Location(.text(token.position)))
    }
    return numbers
  }
}
