import Support
import Tensors
import Testing

@Suite struct ArrayWriterTests {
  private var samples: [NamedTensor] {
    var random = SeededGenerator(seed: 61)
    var arrays: [NamedTensor] = []
    for (index, shape) in [[], [0], [1], [7], [2, 3], [3, 0, 5], [1, 2, 3, 4, 5]].enumerated() {
      let count = shape.reduce(1, *)
      arrays.append(NamedTensor(name: "float \(index)", tensor: Tensor(shape, random.floats(count))))
      for (bits, signed) in [(8, true), (8, false), (16, true), (16, false), (32, true), (64, true)] {
        let element = ElementType.integer(bits: bits, signed: signed)
        let values = (0..<count).map { _ in
          max(element.lowest, min(element.highest, Int64(truncatingIfNeeded: random.next())))
        }
        arrays.append(NamedTensor(name: "\(element)/\(index)", tensor: Tensor(shape, values, as: element)))
      }
    }
    return arrays
  }

  @Test func readsBackWhatItWrites() throws {
    for sample in samples {
      let bytes = npyBytes(sample.tensor)
      #expect(try read(bytes) == [NamedTensor(name: "", tensor: sample.tensor)])
      #expect((bytes.count - sample.tensor.count * sample.tensor.data.container.byteWidth) % 64 == 0)
    }
    #expect(try read(npzBytes(samples)) == samples)
    #expect(try read(npzBytes([])) == [])
  }

  @Test func keepsEveryBitOfAFloat() throws {
    let bits: [UInt32] = [0x7FC0_0001, 0x7F80_0001, 0xFF80_0000, 0x8000_0000, 1, 0x7F7F_FFFF]
    let tensor = Tensor([6], bits.map { Float(bitPattern: $0) })
    #expect(isIdentical(try read(npyBytes(tensor))[0].tensor, tensor))
  }

  @Test func isDeterministic() throws {
    #expect(try npzBytes(samples) == npzBytes(samples))
    #expect(try npzBytes(samples) != npzBytes(samples.reversed()))
  }

  @Test func writesNamesInUTF8() throws {
    let names = ["a", "päper", "Φ/б.npy", "with space", "x.npy"]
    let arrays = names.map { NamedTensor(name: $0, tensor: Tensor([1], [1 as Float])) }
    #expect(try read(npzBytes(arrays)).map(\.name) == names)
  }

  @Test func refusesNamesThatCannotBeRead() {
    let one = Tensor([1], [1 as Float])
    for names in [[""], ["a", "a"], [String(repeating: "x", count: 60_001)]] {
      expectFailure("array.name") { () throws(Diagnostic) in
        _ = try npzBytes(names.map { NamedTensor(name: $0, tensor: one) })
      }
    }
    expectFailure("array.size") { () throws(Diagnostic) in
      _ = try npzBytes((0..<0xFFFF).map { NamedTensor(name: "\($0)", tensor: one) })
    }
  }

  @Test func writesManyAxes() throws {
    let tensor = Tensor([Int](repeating: 1, count: 60), [3 as Float])
    #expect(try read(npyBytes(tensor))[0].tensor == tensor)
    let bytes = npyBytes(Tensor([Int](repeating: 1, count: 30_000), [3 as Float]))
    #expect(bytes[6] == 2, "a long header takes version 2")
    expectRefusal("array.header", bytes)
  }
}
