/// A typed index into an `Arena<Element>`.
public struct ID<Element>: Hashable, Comparable, Sendable {
  /// The position in the arena.
  public let index: Int

  /// Names the element at `index`.
  public init(_ index: Int) { self.index = index }

  /// Orders by position.
  public static func < (a: ID, b: ID) -> Bool { a.index < b.index }
}

/// An append-only array whose elements are named by typed indices.
public struct Arena<Element> {
  /// The elements in the order in which they were added.
  public private(set) var elements: [Element] = []

  /// Creates an empty arena.
  public init() {}

  /// Adds `element` and returns its name.
  public mutating func add(_ element: Element) -> ID<Element> {
    elements.append(element)
    return ID(elements.count - 1)
  }

  /// The element called `id`.
  public subscript(id: ID<Element>) -> Element {
    get { elements[id.index] }
    _modify { yield &elements[id.index] }
  }

  /// How many elements there are.
  public var count: Int { elements.count }
}

extension Arena: Sendable where Element: Sendable {}
extension Arena: Equatable where Element: Equatable {}
