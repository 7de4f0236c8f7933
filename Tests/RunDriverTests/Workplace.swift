import CommandLineTools
import Foundation
import ProgramFormat
import ProgramSamples
import RunDriver
import Support
import Tensors

/// A folder for one test, removed at the end.
final class Workplace {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "xbarrun-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The path of a file in the folder.
  func path(_ name: String) -> String { folder.appending(path: name).path() }

  /// Writes arrays as an `.npz` and returns its path.
  func npz(_ name: String, _ arrays: [(String, Tensor)]) throws -> String {
    let named = arrays.map { NamedTensor(name: $0.0, tensor: $0.1) }
    try writeFile(try npzBytes(named), to: path(name))
    return path(name)
  }

  /// Writes an array as an `.npy` and returns its path.
  func npy(_ name: String, _ tensor: Tensor) throws -> String {
    try writeFile(npyBytes(tensor), to: path(name))
    return path(name)
  }

  /// Writes a program and returns its path.
  func program(_ program: Program, _ name: String = "p.xbar") throws -> String {
    try writeFile(try encode(program), to: path(name))
    return path(name)
  }

  /// A JSON file of the folder.
  func json(_ name: String) throws -> JSON {
    try JSON(parsing: String(contentsOfFile: path(name), encoding: .utf8))
  }
}

/// LeNet-5 with random weights on a converter that saturates.
let sampleNetwork = DenseBuilder.leNet(machine: sampleMachine(adcBits: 4))

/// What `body` throws, or nil.
func refusal(_ body: () throws(Diagnostic) -> Void) -> Diagnostic? {
  do throws(Diagnostic) {
    try body()
    return nil
  } catch { return error }
}
