import Mapping
public import ProgramFormat
public import Support

/// `program` cut into segments at random places where it can be cut: between instructions outside of loops, where no
/// crossbar is needed on both sides.
public func segmented(_ program: Program, _ random: inout SeededGenerator) -> Program {
  var cut = program
  var segment = 0
  var seen: Set<Int> = []
  for instruction in program.code {
    let used = drivenLayers(instruction.operation)
    if used.isEmpty { continue }
    let crossbars = { (layers: Set<Int>) in Set(layers.flatMap { program.crossbars(of: $0) }) }
    let isFree = seen.isDisjoint(with: used) && crossbars(seen).isDisjoint(with: crossbars(used))
    if !seen.isEmpty && isFree && random.chance(0.6) { segment += 1 }
    // What is needed again later keeps its first segment, so that such a program may not be valid.
    for layer in used where !seen.contains(layer) { cut.layers[layer].segment = segment }
    seen.formUnion(used)
  }
  // Layers that nothing drives go with the last ones.
  for layer in program.layers.indices where !seen.contains(layer) { cut.layers[layer].segment = segment }
  return (try? validate(cut)) == nil ? program : cut
}

/// The layers that an instruction drives, in its body too.
public func drivenLayers(_ operation: Operation) -> Set<Int> {
  switch operation {
  case .drive(_, let layer): return [layer]
  case .loop(_, let body): return body.reduce(into: []) { $0.formUnion(drivenLayers($1.operation)) }
  default: return []
  }
}

extension Program {
  /// The crossbars that hold blocks of a layer.
  public func crossbars(of layer: Int) -> Set<Int> { Set(layers[layer].blocks.map(\.crossbar)) }
}
