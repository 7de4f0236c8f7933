import Hardware
import Mapping
import Support

extension Verifier {
  /// F-scheduled, of segments: they are numbered without gaps; a crossbar belongs to one of them; each of several fits
  /// the machine; operations of the body use layers of one segment each, and none goes back to an earlier one.
  mutating func checkSegments() {
    let layers = module.layers
    guard let last = layers.map(\.layer.segment).max(), last > 0 else { return }
    var owners: [Int: Int] = [:]
    var sizes: [Int: Int] = [:]
    for (id, layer) in layers {
      sizes[layer.segment, default: 0] += 0
      for crossbar in Set(layer.blocks.compactMap(\.placement?.crossbar)) {
        if let owner = owners[crossbar], owner != layer.segment {
          return fail(
            "scheduled", "crossbar \(crossbar) belongs to the segments \(owner) and \(layer.segment)",
            module.ops[id])
        }
        if owners.updateValue(layer.segment, forKey: crossbar) == nil {
          sizes[layer.segment, default: 0] += 1
        }
      }
    }
    guard sizes.count == last + 1 else {
      let gap = (0...last).first { sizes[$0] == nil } ?? last
      return failSegments("'segment': \(last), but no layer is in segment \(gap)", last)
    }
    if let room = module.machine?.hierarchy.crossbars,
      let (segment, size) = sizes.filter({ $0.value > room }).min(by: { $0.key < $1.key })
    {
      return failSegments("segment \(segment) needs \(size) crossbars, the machine has \(room)", segment)
    }
    checkOrder(layers.map(\.layer))
  }

  private mutating func checkOrder(_ layers: [Layer]) {
    let segments = Dictionary(layers.map { ($0.name, $0.segment) }, uniquingKeysWith: { first, _ in first })
    var current = 0
    for used in module.layerUses {
      let wanted = used.compactMap { segments[$0] }
      guard let first = wanted.first else { continue }
      if let other = used.first(where: { segments[$0] != first }) {
        return failSegments(
          "@\(other) and @\(used[0]) are used together, but lie in two segments", segments[other] ?? first)
      }
      if first < current {
        return failSegments("@\(used[0]) of segment \(first) is used after segment \(current)", first)
      }
      current = first
    }
  }

  /// Adds an error at the first layer of `segment`.
  private mutating func failSegments(_ message: String, _ segment: Int) {
    guard let place = module.layers.first(where: { $0.layer.segment == segment }) else { return }
    fail("scheduled", message, module.ops[place.id])
  }
}
