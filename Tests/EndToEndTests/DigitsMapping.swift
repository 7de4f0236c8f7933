import Driver
import Passes
import ProgramFormat

/// The digits model, compiled with a scheme or an encoding.
struct DigitsMapping {
  let name: String
  let program: Program

  /// Every scheme, and `dense` with every encoding of signs.
  static func all() throws -> [DigitsMapping] {
    let encodings = ["differential", "offset", "twos-complement"].map {
      ("dense", "slice-bits(signs: \($0))", "dense, \($0)")
    }
    let others = schemes.map(\.name).filter { $0 != "dense" }.map { ($0, "", $0) }
    return try (encodings + others).map { scheme, options, name in
      let compiled = try compile(request("digits", "digits", scheme: scheme, options: options))
      return DigitsMapping(name: name, program: try decode(compiled.bytes, file: name))
    }
  }
}
