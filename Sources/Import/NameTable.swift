import Support

/// What the names of a graph stand for, and the names of the function bodies and branches inside which the import is.
///
/// A branch sees the names around it; the body of a function sees its own alone.
struct NameTable {
  private struct Scope {
    var entries: [String: Entry] = [:]
    let seesOuter: Bool
  }

  private var scopes = [Scope(seesOuter: false)]

  /// What `name` stands for here, or nil. A new meaning for a name that is known replaces it where it is known.
  subscript(name: String) -> Entry? {
    get { scope(of: name).flatMap { scopes[$0].entries[name] } }
    set { scopes[scope(of: name) ?? scopes.count - 1].entries[name] = newValue }
  }

  /// Gives `name` a meaning of its own in the innermost branch or body.
  mutating func declare(_ name: String, _ entry: Entry) { scopes[scopes.count - 1].entries[name] = entry }

  /// The names from here on belong to a branch, or to the body of a function.
  mutating func enter(seesOuter: Bool) { scopes.append(Scope(seesOuter: seesOuter)) }

  /// Forgets the names since the last `enter`.
  mutating func leave() {
    if scopes.count > 1 { scopes.removeLast() }
  }

  private func scope(of name: String) -> Int? {
    for index in scopes.indices.reversed() {
      if scopes[index].entries[name] != nil { return index }
      if !scopes[index].seesOuter { return nil }
    }
    return nil
  }
}
