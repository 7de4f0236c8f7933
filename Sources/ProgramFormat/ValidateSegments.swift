import Hardware

/// Segments are numbered from 0 without gaps; a crossbar belongs to one of them; each of several fits the machine.
func checkSegments(_ program: Program) throws(Issue) {
  let count = try checkNumbers(program.layers)
  guard count > 1 else { return }
  var owners = [Int?](repeating: nil, count: program.crossbars.count)
  var sizes = [Int](repeating: 0, count: count)
  for (index, layer) in program.layers.enumerated() {
    for block in program.blocks[layer.blocks] {
      if let owner = owners[block.crossbar] {
        guard owner == layer.segment else {
          throw Issue(
            .segment, "crossbar \(block.crossbar) belongs to the segments \(owner) and \(layer.segment)",
            .layer(index))
        }
      } else {
        owners[block.crossbar] = layer.segment
        sizes[layer.segment] += 1
      }
    }
  }
  try checkRoom(sizes, program)
}

/// The same for layers of `sizes` crossbars, each its own.
func checkSegments(_ program: Program, sizes: [Int]) throws(Issue) {
  let count = try checkNumbers(program.layers)
  guard count > 1 else { return }
  var sums = [Int](repeating: 0, count: count)
  for (layer, size) in zip(program.layers, sizes) { sums[layer.segment] += size }
  try checkRoom(sums, program)
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
    throw Issue(.segment, "segment \(gap) has no layer, but there is segment \(last)", .layer(0))
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
