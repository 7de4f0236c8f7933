public import Support

/// A JSON text with one to four damages: bytes changed, left out or doubled, and pieces of JSON put in.
public func mutatedJSON(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
  let pieces = [
    "{", "}", "[", "]", "\"", ",", ":", "\\u", "\\", "1e999", "1e300", "-", "0", "9", "null", "\u{0}", "\n",
  ]
  var copy = bytes
  for _ in 0...random.below(3) where !copy.isEmpty {
    let at = random.below(copy.count)
    let length = min(copy.count - at, random.inside(1...40))
    switch random.below(4) {
    case 0: copy[at] = UInt8(random.below(256))
    case 1: copy.removeSubrange(at..<at + length)
    case 2: copy.insert(contentsOf: copy[at..<at + length], at: random.below(copy.count))
    default: copy.insert(contentsOf: pieces[random.below(pieces.count)].utf8, at: at)
    }
  }
  return copy
}
