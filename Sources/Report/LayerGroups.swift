/// A line of a table of layers: one layer, or all groups of a convolution, which are layers of their own.
public struct LayerGroup: Equatable, Sendable {
  /// The layers, by their place among all.
  public let members: Range<Int>
  /// The layer's name, or that of the convolution with the number of its groups: `dw (64 groups)`.
  public let name: String
}

/// The lines of a table of layers called `names`.
///
/// Layers `base.0`, `base.1` and so on are one line where `follows` says of each that it belongs to what the layer
/// before it belongs to: names alone do not tell, as a model may call two products `fc.0` and `fc.1`.
public func layerGroups(_ names: [String], follows: (Int) -> Bool) -> [LayerGroup] {
  var groups: [LayerGroup] = []
  var start = 0
  while start < names.count {
    var end = start + 1
    if names[start].hasSuffix(".0") {
      let base = names[start].dropLast(2)
      while end < names.count, names[end] == "\(base).\(end - start)", follows(end) { end += 1 }
    }
    let count = end - start
    let name = count == 1 ? names[start] : "\(names[start].dropLast(2)) (\(count) groups)"
    groups.append(LayerGroup(members: start..<end, name: name))
    start = end
  }
  return groups
}
