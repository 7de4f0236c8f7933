internal import Synchronization

/// Which attributes of a node were looked at, so that one that nobody knows is not passed over. Copies of the node share it.
public final class AttributeReads: Sendable {
  private let names = Mutex<Set<String>>([])

  /// None yet.
  public init() {}

  /// Whether the attribute called `name` was looked at.
  public func contains(_ name: String) -> Bool { names.withLock { $0.contains(name) } }

  func note(_ name: String) { names.withLock { _ = $0.insert(name) } }
}
