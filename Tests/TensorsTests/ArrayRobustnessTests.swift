import Support
import Tensors
import Testing

/// Whatever the bytes, reading gives arrays or a diagnostic with a place; nothing traps and no memory is wasted.
@Suite struct ArrayRobustnessTests {
  static let files = [
    "image.npy", "scalar.npy", "version2.npy", "version3.npy", "types.npz", "types-deflated.npz", "zip64.npz",
    "f4-raw.pb", "f4-typed.pb", "i8-typed.pb",
  ]

  /// Reads and returns the id of the diagnostic, if any.
  private func outcome(_ bytes: [UInt8]) -> String? {
    do throws(Diagnostic) {
      let arrays = try read(bytes)
      for array in arrays { #expect(array.tensor.shape.reduce(1, *) == array.tensor.count) }
      return nil
    } catch {
      if case .bytes(_, let offset) = error.location.place {
        #expect(offset >= 0)
      } else {
        Issue.record("\(error)")
      }
      #expect(error.id.hasPrefix("array."))
      return error.id
    }
  }

  @Test(arguments: files)
  func refusesEveryTruncation(_ name: String) throws {
    let bytes = try fixture(name)
    let step = bytes.count > 2000 ? 37 : 1
    // The name of a TensorProto stands at its end and may be missing.
    let nameless = bytes.count - 4
    for length in stride(from: 0, to: bytes.count, by: step)
    where !(name.hasSuffix(".pb") && length == nameless) {
      #expect(outcome(Array(bytes[..<length])) != nil, "\(length) bytes of \(bytes.count)")
    }
  }

  @Test(arguments: files)
  func standsMutations(_ name: String) throws {
    var bytes = try fixture(name)
    // The archives of all types are long: two thousand mutations of a short one reach every field.
    if name.hasPrefix("types") { bytes = try shortArchive(bytes) }
    var random = SeededGenerator(seed: 71)
    var refused = 0
    for _ in 0..<2000 {
      if outcome(mutated(bytes, &random)) != nil { refused += 1 }
    }
    #expect(refused > 200)
  }

  /// Stored archives cut to three arrays; compressed ones, which cannot be written here, as they are.
  private func shortArchive(_ bytes: [UInt8]) throws -> [UInt8] {
    bytes[8] == 8 ? bytes : try npzBytes(Array(try read(bytes).prefix(3)))
  }

  /// Some bytes flipped, set to an end of their range, removed, doubled or moved.
  private func mutated(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var copy = bytes
    for _ in 0...random.below(3) where !copy.isEmpty {
      let at = random.chance(0.5) ? random.below(copy.count) : max(0, copy.count - 1 - random.below(120))
      let length = min(copy.count - at, random.inside(1...8))
      switch random.below(6) {
      case 0: copy[at] ^= 1 << UInt8(random.below(8))
      case 1: for k in at..<at + length { copy[k] = 0xFF }
      case 2: for k in at..<at + length { copy[k] = 0 }
      case 3: copy.removeSubrange(at..<at + length)
      case 4: copy.insert(contentsOf: copy[at..<at + length], at: random.below(copy.count))
      default: copy[at] = UInt8(random.below(256))
      }
    }
    return copy
  }

  @Test func standsNoise() {
    var random = SeededGenerator(seed: 72)
    let starts: [[UInt8]] = [
      [], [0x93] + Array("NUMPY".utf8) + [1, 0], [0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [8, 2, 16, 1],
    ]
    for round in 0..<5000 {
      let noise = (0..<random.below(120)).map { _ in UInt8(random.below(256)) }
      _ = outcome(starts[round % starts.count] + noise)
    }
    expectRefusal("array.format", [])
    expectRefusal("array.format", Array("hello, world".utf8))
    expectRefusal("array.format", Array("{\"json\": 1}".utf8))
  }
}
