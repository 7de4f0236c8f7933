internal import COnnx
internal import Support

// Which versions of the format and of the standard operators are read.
//
// Operator sets 22 to 25 give the operators that the compiler knows more element types, and attributes that only these
// need; so a model of theirs means what it meant in version 21. Later ones are not known.

/// The versions of the file format that are read.
private let irVersions = 3...13
/// The versions of the standard operator set that are read.
private let opsetVersions = 7...25

private let opsetAdvice = [
  "export the model with an opset from 7 to 25, such as torch.onnx.export(..., opset_version=17)"
]

/// Refuses a file whose format is not known.
func checkIRVersion(_ version: Int) throws(Diagnostic) {
  guard irVersions.contains(version) else {
    throw Diagnostic(
      "onnx.ir-version",
      "IR version \(version) is not read; \(irVersions.lowerBound) to \(irVersions.upperBound) are",
      notes: [
        "export the model with another version of the exporter, or convert it with onnx.version_converter"
      ])
  }
}

/// Refuses unknown versions of the standard operators, and two versions of any domain.
func checkOpsets(_ opsets: [ONNXOpset], of whom: String) throws(Diagnostic) {
  var seen: [String: Int] = [:]
  for opset in opsets {
    if opset.domain.isEmpty, !opsetVersions.contains(opset.version) {
      throw Diagnostic(
        "onnx.opset",
        "\(whom) asks for operator set \(opset.version), which is not read; \(opsetVersions.lowerBound) to "
          + "\(opsetVersions.upperBound) are", notes: opsetAdvice)
    }
    if let other = seen.updateValue(opset.version, forKey: opset.domain), other != opset.version {
      let name = opset.domain.isEmpty ? "the standard domain" : "domain '\(opset.domain)'"
      throw Diagnostic(
        "onnx.opset", "\(name) is imported in versions \(other) and \(opset.version)", notes: opsetAdvice)
    }
  }
}

/// Refuses a graph with standard operators in a model that imports no version of them. A graph of calls needs none.
func checkStandardOpset(_ model: ONNXModel) throws(Diagnostic) {
  guard model.opset() == nil else { return }
  let functions = Set(model.functions.map(\.key))
  let isCall = model.graph.nodes.allSatisfy { !$0.domain.isEmpty || functions.contains($0.functionKey) }
  guard !isCall || model.graph.nodes.isEmpty else { return }
  throw Diagnostic("onnx.opset", "the model imports no standard operator set", notes: opsetAdvice)
}

/// A list of operator sets.
func opsetList(
  _ first: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__OperatorSetIdProto>?>?, _ count: Int
) -> [ONNXOpset] {
  array(first, count).compactMap { entry in
    entry.map {
      ONNXOpset(domain: plainDomain(text($0.pointee.domain)), version: Int(clamping: $0.pointee.version))
    }
  }
}
