public import IR
public import Support

/// Every value has the shape that its operation computes.
///
/// Spec: ir-spec.md, `infer-shapes`.
public struct InferShapes: Pass {
  public typealias L = TensorLevel
  public static let name = "infer-shapes"
  public static let summary = "every value has the shape that its operation computes"
  public static let requires: Set<Fact> = []
  public static let establishes: Set<Fact> = [.shaped]
  public static let guarantee = Guarantee.exact("")
  public static let options: [PassOption] = []

  public init(_ options: PassOptions) {}

  public func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    for op in module.bodyOps {
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
