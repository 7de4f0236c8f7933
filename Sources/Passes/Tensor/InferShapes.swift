import IR
import Support

/// Every value has the shape that its operation computes.
///
/// Spec: ir-spec.md, `infer-shapes`.
struct InferShapes: Pass {
  typealias L = TensorLevel
  static let name = "infer-shapes"
  static let summary = "every value has the shape that its operation computes"
  static let requires: Set<Fact> = []
  static let establishes: Set<Fact> = [.shaped]
  static let guarantee = Guarantee.exact("")
  static let options: [PassOptionSpec] = []

  init(_ options: PassOptions) {}

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    for op in module.flatOps {
      guard let result = op.results.first else { continue }
      if let type = try module.resultType(of: op) {
        let declared = module.values[result].type
        guard declared.shape == nil || declared.shape == type.shape else {
          throw Diagnostic(
            "infer-shapes.shape", "declared as \(declared), computed is \(type)", at: op.location)
        }
        module.values[result].type.shape = type.shape
      }
      guard module.values[result].type.shape != nil else {
        throw Diagnostic(
          "infer-shapes.unknown", "the shape of %\(module.values[result].name) is not known", at: op.location)
      }
    }
  }
}
