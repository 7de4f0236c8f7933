import Mapping
import Support

/// What decides which layers are written together.
struct SegmentDemand {
  /// The layers that operations use, in the order in which they run (`Module.layerUses`).
  let uses: [[String]]
  /// The crossbars of each layer.
  let crossbars: [String: Set<Int>]
  /// Crossbars of the machine.
  let room: Int

  /// Layers that are in crossbars at the same time.
  private struct Group {
    var layers: [String] = []
    var crossbars: Set<Int> = []
  }

  /// The segment of each layer: groups of layers that are needed at the same time follow each other into segments, and
  /// a new segment begins where the next group does not fit any more.
  ///
  /// Throws `schedule.segment` for a group that alone needs more than the machine has.
  func segments(machine name: String) throws(Diagnostic) -> [String: Int] {
    var segments: [String: Int] = [:]
    var (segment, taken) = (0, 0)
    for group in groups {
      let needed = group.crossbars.count
      guard needed <= room else { throw shortage(group, name) }
      if taken + needed > room { (segment, taken) = (segment + 1, 0) }
      taken += needed
      for layer in group.layers { segments[layer] = segment }
    }
    return segments
  }

  /// Layers that one operation uses belong together, as do all that run between two uses of a layer or of a crossbar.
  private var groups: [Group] {
    var lastUse: [String: Int] = [:]
    var lastHold: [Int: Int] = [:]
    for (place, layers) in uses.enumerated() {
      for layer in layers {
        lastUse[layer] = place
        for crossbar in crossbars[layer] ?? [] { lastHold[crossbar] = place }
      }
    }
    var groups: [Group] = []
    var end = -1
    for (place, layers) in uses.enumerated() {
      if place > end { groups.append(Group()) }
      for layer in layers where !groups[groups.count - 1].layers.contains(layer) {
        let held = crossbars[layer] ?? []
        groups[groups.count - 1].layers.append(layer)
        groups[groups.count - 1].crossbars.formUnion(held)
        end = max(end, lastUse[layer] ?? place, held.lazy.compactMap { lastHold[$0] }.max() ?? place)
      }
      end = max(end, place)
    }
    return groups
  }

  private func shortage(_ group: Group, _ machine: String) -> Diagnostic {
    let names = group.layers.prefix(2).map { "@\($0)" }.joined(separator: ", ")
    let rest = group.layers.count - 2
    let who =
      group.layers.count == 1
      ? "\(names) alone needs" : "\(names)\(rest > 0 ? " and \(rest) more" : ""), which run together, need"
    return Diagnostic(
      "schedule.segment", "\(who) \(group.crossbars.count) crossbars, the machine \(machine) has \(room)",
      notes: ["take a scheme that leaves out more cells, fewer bits for weights, or a target with more tiles"]
    )
  }
}
