import ONNX
import Support
import Testing

/// Changes bytes at random; the sequence depends on the seed alone.
private struct Mutator {
  var random: SeededGenerator
  let corpus: [[UInt8]]

  mutating func next() -> [UInt8] {
    var bytes = corpus[random.below(corpus.count)]
    for _ in 0..<random.inside(1...3) { change(&bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let at = random.below(bytes.count + 1)
    // Most changes keep lengths as they are, so that they reach what lies behind the wire format.
    switch random.below(12) {
    case 0...3 where at < bytes.count: bytes[at] ^= 1 << UInt8(random.below(8))
    case 4...6 where at < bytes.count: bytes[at] = interesting()
    case 7: bytes.insert(contentsOf: (0..<random.inside(1...8)).map { _ in interesting() }, at: at)
    case 8: bytes.removeSubrange(at..<min(bytes.count, at + random.inside(1...16)))
    case 9: bytes.removeSubrange(at...)
    case 10: splice(&bytes, at: at)
    default: repeatPiece(&bytes, at: at)
    }
  }

  private mutating func interesting() -> UInt8 {
    random.chance(0.5) ? UInt8(random.below(256)) : [0, 1, 2, 0x0a, 0x7f, 0x80, 0xfe, 0xff][random.below(8)]
  }

  private mutating func splice(_ bytes: inout [UInt8], at: Int) {
    let other = corpus[random.below(corpus.count)]
    let from = random.below(other.count)
    bytes.insert(contentsOf: other[from..<min(other.count, from + random.inside(1...64))], at: at)
  }

  private mutating func repeatPiece(_ bytes: inout [UInt8], at: Int) {
    let piece = bytes[at..<min(bytes.count, at + 32)]
    bytes.insert(contentsOf: piece, at: at)
  }
}

@Suite("Mutated files")
struct MutationTests {
  /// Reads everything that a model leads to; counts tensors read and refused.
  private func walk(_ graph: ONNXGraph, _ outcome: inout [String: Int]) {
    for tensor in graph.initializers { walk(tensor, &outcome) }
    for node in graph.nodes {
      for attribute in node.attributes {
        if case .tensor(let tensor) = attribute.value { walk(tensor, &outcome) }
        if case .graph(let inner) = attribute.value { walk(inner, &outcome) }
      }
    }
  }

  private func walk(_ tensor: ONNXTensor, _ outcome: inout [String: Int]) {
    let floats = refusal { () throws(Diagnostic) in #expect(try tensor.floats().count == tensor.count) }
    let ints = refusal { () throws(Diagnostic) in #expect(try tensor.int64s().count == tensor.count) }
    for failure in [floats, ints] {
      if let failure { #expect(failure.id.hasPrefix("onnx."), "\(failure)") }
    }
    outcome[floats == nil ? "tensor" : "tensor refused", default: 0] += 1
  }

  private func survive(_ bytes: [UInt8], _ path: String, _ outcome: inout [String: Int]) {
    do throws(Diagnostic) {
      let model = try readModel(bytes: bytes, path: path)
      outcome["model", default: 0] += 1
      walk(model.graph, &outcome)
    } catch {
      #expect(error.id.hasPrefix("onnx."), "\(error)")
      #expect(error.location.file == path, "\(error)")
      #expect(!error.notes.isEmpty, "\(error)")
      outcome[error.id, default: 0] += 1
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func endInAModelOrADiagnostic(_ seed: UInt64) throws {
    let corpus = try modelFixtures.map { try bytes(of: fixture($0)) }
    var mutator = Mutator(random: SeededGenerator(seed: seed), corpus: corpus)
    var outcome: [String: Int] = [:]
    for _ in 0..<1_000 { survive(mutator.next(), fixture("mutated.onnx"), &outcome) }
    // The mutations must reach deep: models that open, tensors that read, and many kinds of refusal.
    #expect(outcome["model", default: 0] > 50, "\(outcome)")
    #expect(outcome["tensor", default: 0] > 50, "\(outcome)")
    #expect(outcome.count > 8, "\(outcome)")
  }

  @Test func randomBytesEndInADiagnostic() {
    var random = SeededGenerator(seed: 9)
    var outcome: [String: Int] = [:]
    for _ in 0..<1_000 {
      let bytes = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
      survive(bytes, "random.onnx", &outcome)
    }
    #expect(outcome["model"] == nil)
  }

  @Test func mutatedTensorFilesEndInATensorOrADiagnostic() throws {
    let corpus = [try bytes(of: fixture("tensor.pb"))]
    var mutator = Mutator(random: SeededGenerator(seed: 5), corpus: corpus)
    var outcome: [String: Int] = [:]
    for _ in 0..<1_000 {
      do throws(Diagnostic) {
        walk(try readTensor(bytes: mutator.next(), path: "t.pb"), &outcome)
      } catch {
        #expect(error.id.hasPrefix("onnx."), "\(error)")
        outcome[error.id, default: 0] += 1
      }
    }
    #expect(outcome["tensor", default: 0] > 50, "\(outcome)")
  }
}
