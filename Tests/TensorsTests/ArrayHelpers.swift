import Foundation
import Support
import Tensors
import Testing

/// The path of a committed file; see `Fixtures/make.py`.
func fixturePath(_ name: String) -> String {
  Bundle.module.resourceURL?.appendingPathComponent("Fixtures/\(name)").path ?? name
}

/// The bytes of a committed file.
func fixture(_ name: String) throws -> [UInt8] {
  try InputFile(path: fixturePath(name)).withBytes { Array($0) }
}

/// Reads arrays from bytes.
func read(_ bytes: [UInt8]) throws(Diagnostic) -> [NamedTensor] {
  try bytes.withUnsafeBufferPointer { (buffer) throws(Diagnostic) in
    try readArrays(bytes: UnsafeRawBufferPointer(buffer), file: "file")
  }
}

/// Expects bytes to be refused with this id and a place in the file.
func expectRefusal(_ id: String, _ bytes: [UInt8], _ place: SourceLocation = #_sourceLocation) {
  do throws(Diagnostic) {
    _ = try read(bytes)
    Issue.record("expected \(id), nothing was thrown", sourceLocation: place)
  } catch {
    #expect(error.id == id, "\(error)", sourceLocation: place)
    #expect(error.location.file == "file", sourceLocation: place)
    guard case .bytes(_, let offset) = error.location.place else {
      Issue.record("no place: \(error)", sourceLocation: place)
      return
    }
    #expect(offset >= 0 && offset <= bytes.count, sourceLocation: place)
  }
}

/// The bytes of a `.npy` file with this header text.
func npy(_ header: String, _ data: [UInt8] = [], version: UInt8 = 1) -> [UInt8] {
  var writer = ByteWriter()
  writer.put(bytes: [0x93] + Array("NUMPY".utf8) + [version, 0])
  if version == 1 { writer.put(UInt16(header.utf8.count)) } else { writer.put(UInt32(header.utf8.count)) }
  writer.put(bytes: Array(header.utf8))
  writer.put(bytes: data)
  return writer.bytes
}

/// Whether two tensors have the same shape and the same bits.
func isIdentical(_ a: Tensor, _ b: Tensor) -> Bool {
  guard case .f32(let x) = a.data, case .f32(let y) = b.data else { return a == b }
  return a.shape == b.shape && x.map(\.bitPattern) == y.map(\.bitPattern)
}
