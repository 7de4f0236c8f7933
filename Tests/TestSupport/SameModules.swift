package import IR
import Support

/// The module without unused parts and places in a text, in one order: equal for texts that say the same.
private func canonical<L: Level>(_ module: Module<L>) -> Module<L> {
  var result = module.compacted()
  for index in 0..<result.ops.count { result.ops[OpID(index)].position = nil }
  return result
}

/// Whether two modules say the same.
package func isSame(_ a: AnyModule, _ b: AnyModule) -> Bool {
  switch (a, b) {
  case (.tensor(let a), .tensor(let b)): return canonical(a) == canonical(b)
  case (.crossbar(let a), .crossbar(let b)): return canonical(a) == canonical(b)
  case (.program(let a), .program(let b)): return canonical(a) == canonical(b)
  default: return false
  }
}
