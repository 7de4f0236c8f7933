/// The ONNX node that something came from: what every level and every message can lead back to.
public struct NodeOrigin: Hashable, Sendable {
  /// Position of the node in the graph, counted from 0.
  public let index: Int
  /// The node's name; empty when the file gives none.
  public let name: String
  /// The node's operator type, such as `Conv`.
  public let op: String

  /// Creates the origin of node `index`.
  public init(index: Int, name: String, op: String) {
    self.index = index
    self.name = name
    self.op = op
  }
}

extension NodeOrigin: CustomStringConvertible {
  /// `node 12 'conv1' (Conv)`, or without the name where there is none.
  public var description: String {
    name.isEmpty ? "node \(index) (\(op))" : "node \(index) '\(name)' (\(op))"
  }
}

/// A place in a text file, counted from 1.
public struct TextPosition: Hashable, Sendable {
  /// The line.
  public let line: Int
  /// The column, in bytes.
  public let column: Int
  /// How many bytes the marked text has.
  public let length: Int

  /// Marks `length` bytes at `line` and `column`.
  public init(line: Int, column: Int, length: Int = 1) {
    self.line = line
    self.column = column
    self.length = length
  }
}

/// Where a diagnostic points: a file and, where known, a place in it.
public struct Location: Hashable, Sendable {
  /// The kind of place inside the file.
  public enum Place: Hashable, Sendable {
    /// The file as a whole.
    case whole
    /// A place in a text.
    case text(TextPosition)
    /// A node of an ONNX graph.
    case node(NodeOrigin)
    /// A byte offset inside a named section of a binary file.
    case bytes(section: String, offset: Int)
    /// A named thing, such as an initializer or a command-line option.
    case item(String)
  }

  /// The file's path as the user gave it; empty where there is none.
  public var file: String
  /// The place in the file.
  public var place: Place

  /// Creates a location.
  public init(file: String = "", _ place: Place = .whole) {
    self.file = file
    self.place = place
  }

  /// No location at all.
  public static let none = Location()
}

extension Location: CustomStringConvertible {
  /// The location as printed before `: error:`, such as `net.xir:14:8` or `a.xbar: CODE+0x1a4`.
  public var description: String {
    switch place {
    case .whole: return file
    case .text(let p): return "\(file.isEmpty ? "<text>" : file):\(p.line):\(p.column)"
    case .node(let n): return file.isEmpty ? "\(n)" : "\(file): \(n)"
    case .bytes(let section, let offset):
      let spot = "\(section)+0x\(String(offset, radix: 16))"
      return file.isEmpty ? spot : "\(file): \(spot)"
    case .item(let name): return file.isEmpty ? name : "\(file): \(name)"
    }
  }
}
