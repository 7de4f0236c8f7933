import IR
import Mapping
import Support

extension Layer {
  /// Throws where operation units are formed already, so that lines cannot be left out any more, and where the layer's
  /// sparsity masks say which lines its blocks have.
  func requireOpenLines(_ pass: String, at location: Location) throws(Diagnostic) {
    guard readout == nil else {
      throw Diagnostic(
        "pass.units", "@\(name) has operation units already", at: location,
        notes: ["run \(pass) before form-units"])
    }
    guard !hasMasks else {
      throw Diagnostic(
        "pass.masks", "sparsity masks tell which wordlines and bitlines the blocks of @\(name) have",
        at: location,
        notes: ["leave out remove-zero-lines(scope: layer) before \(pass), or take another scope"])
    }
  }
}
