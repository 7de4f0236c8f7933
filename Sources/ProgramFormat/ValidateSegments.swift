import Hardware
import Mapping

/// Segments are numbered from 0 without gaps; a crossbar belongs to one of them; each of several fits the machine.
func checkSegments(_ program: Program) throws(Issue) {
  guard program.segments > 1 else { return }
  try checkSegments(program, holders: program.layers.map { Set($0.blocks.map(\.crossbar)) })
}

/// The same for layers that lie in the crossbars `holders`.
func checkSegments(_ program: Program, holders: [Set<Int>]) throws(Issue) {
  let count = try checkNumbers(program.layers)
  guard count > 1 else { return }
  var owners: [Int: Int] = [:]
  var sizes = [Int](repeating: 0, count: count)
  for (index, layer) in program.layers.enumerated() {
    for crossbar in holders[index].sorted() {
      if let owner = owners[crossbar] {
        guard owner == layer.segment else {
          throw Issue(
            .segment, "crossbar \(crossbar) belongs to the segments \(owner) and \(layer.segment)",
            .layer(index))
        }
      } else {
        owners[crossbar] = layer.segment
        sizes[layer.segment] += 1
      }
    }
  }
  try checkRoom(sizes, program)
}

/// How many segments there are; every number below has a layer, so there are no more of them than layers.
private func checkNumbers(_ layers: [Layer]) throws(Issue) -> Int {
  var isUsed = [Bool](repeating: false, count: layers.count)
  var last = 0
  for (index, layer) in layers.enumerated() {
    guard isUsed.indices.contains(layer.segment) else {
      throw Issue(.segment, "segment \(layer.segment) of \(layers.count) layers", .layer(index))
    }
    isUsed[layer.segment] = true
    last = max(last, layer.segment)
  }
  if let gap = isUsed.prefix(last).firstIndex(of: false) {
    let place = layers.firstIndex { $0.segment == last } ?? 0
    throw Issue(.segment, "segment \(gap) has no layer, but there is segment \(last)", .layer(place))
  }
  return last + 1
}

/// A single segment may be too large: such a program was compiled as if the machine had enough crossbars.
private func checkRoom(_ sizes: [Int], _ program: Program) throws(Issue) {
  guard let room = program.machine.hierarchy.crossbars,
    let segment = sizes.firstIndex(where: { $0 > room })
  else { return }
  let first = program.layers.firstIndex { $0.segment == segment } ?? 0
  throw Issue(
    .segment, "segment \(segment) needs \(sizes[segment]) crossbars, the machine has \(room)", .layer(first))
}
