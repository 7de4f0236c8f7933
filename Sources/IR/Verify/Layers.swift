import Mapping
import Support

extension Verifier {
  /// S11: the attributes of a layer and its blocks fit together.
  mutating func checkLayer(_ id: OpID, _ op: Op) {
    switch module.readLayer(id) {
    case .failure(let error): fail(error, op)
    case .success(let layer):
      if let problem = layer.problem(at: L.name == .program ? .program : .module, on: module.machine) {
        fail(problem, op)
      }
    }
  }

  /// Adds a problem of the layer that `op` describes.
  mutating func fail(_ problem: LayerProblem, _ op: Op) {
    let place = problem.block.flatMap { op.body.indices.contains($0) ? module.ops[op.body[$0]] : nil }
    fail(problem.fault.rawValue, problem.text, place ?? op)
  }
}
