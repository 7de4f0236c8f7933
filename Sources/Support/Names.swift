/// `name` with every character that a name may not have there replaced by `_`.
///
/// Names start with a letter, a digit or `_`; one of these or `-` follows each dot.
public func sanitize(_ name: String) -> String {
  var text: [Unicode.Scalar] = []
  for scalar in name.unicodeScalars {
    if text.isEmpty && (scalar == "." || scalar == "-") { text.append("_") }
    if scalar == "." && text.last == "." { text[text.count - 1] = "_" }
    text.append(isNameScalar(scalar) ? scalar : "_")
  }
  if text.last == "." { text[text.count - 1] = "_" }
  return text.isEmpty ? "_" : String(String.UnicodeScalarView(text))
}

private func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar {
  case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": return true
  default: return false
  }
}
