import Foundation
public import Support
public import Tensors

/// A folder for one test, removed at the end.
public final class Workplace {
  private let folder: URL

  /// Makes the folder.
  public init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "xbar-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The path of a file in the folder.
  public func path(_ name: String) -> String { folder.appending(path: name).path() }

  /// Writes arrays as an `.npz` and returns its path.
  public func npz(_ name: String, _ arrays: [(String, Tensor)]) throws -> String {
    let named = arrays.map { NamedTensor(name: $0.0, tensor: $0.1) }
    try writeFile(try npzBytes(named), to: path(name))
    return path(name)
  }

  /// Writes an array as an `.npy` and returns its path.
  public func npy(_ name: String, _ tensor: Tensor) throws -> String {
    try writeFile(npyBytes(tensor), to: path(name))
    return path(name)
  }
}

/// What `body` throws, or nil.
public func refusal(_ body: () throws(Diagnostic) -> Void) -> Diagnostic? {
  do throws(Diagnostic) {
    try body()
    return nil
  } catch { return error }
}
