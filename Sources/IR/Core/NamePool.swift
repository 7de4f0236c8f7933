import Support

/// Gives out names that are unique in a module.
public struct NamePool {
  private var taken: Set<String>

  /// Starts with the names in `module`.
  public init<L: Level>(_ module: Module<L>) {
    taken = Set(module.values.elements.map(\.name))
  }

  /// `wish` made a legal name, with a number behind it where it is taken.
  public mutating func unique(_ wish: String) -> String {
    let base = sanitize(wish)
    var name = base
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(base).\(number)"
    }
    return name
  }
}
