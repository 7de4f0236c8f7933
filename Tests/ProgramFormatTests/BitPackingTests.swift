import Support
import Testing

@testable import ProgramFormat

@Suite("Streams of bits")
struct BitPackingTests {
  private func packed(_ values: [Int], _ bits: Int) -> [UInt8] {
    packBits(values, bits: bits, size: packedBytes(values.count, bits: bits))
  }

  @Test func theFirstValueHasTheLowestBits() {
    #expect(packed([1, 2, 3, 0, 1], 2) == [0b0011_1001, 0b01])
    #expect(packed([7, 1, 5], 3) == [0b0100_1111, 0b1])
    #expect(packed([200, 3], 8) == [200, 3])
    #expect(packed([0x1_2345, 0xF_FFFF], 20) == [0x45, 0x23, 0xF1, 0xFF, 0xFF])
    #expect(packBits([5], bits: 3, size: packedWordBytes(1, bits: 3)) == [5, 0, 0, 0])
    #expect(packBits([Int](), bits: 7, size: packedWordBytes(0, bits: 7)).isEmpty)
  }

  @Test func unpackingReverses() {
    var random = SeededGenerator(seed: 9)
    for bits in 1...32 {
      for count in 0...20 {
        let values = (0..<count).map { _ in Int(random.next() >> UInt64(64 - bits)) }
        for size in [packedBytes(count, bits: bits), packedWordBytes(count, bits: bits)] {
          let bytes = packBits(values, bits: bits, size: size)
          #expect(bytes.count == size)
          #expect(bytes.withUnsafeBytes { unpackBits($0, count: count, bits: bits) } == values)
        }
        if bits <= 8 {
          let cells = values.map { UInt8($0) }
          let bytes = packBits(cells, bits: bits, size: packedBytes(count, bits: bits))
          #expect(bytes.withUnsafeBytes { unpackBits($0, count: count, bits: bits) } == cells)
        }
      }
    }
  }

  @Test func otherFillingIsRefused() {
    func values(_ bytes: [UInt8], _ count: Int, _ bits: Int) -> [Int]? {
      bytes.withUnsafeBytes { unpackBits($0, count: count, bits: bits) }
    }
    #expect(values([0b0100_0000], 3, 2) == nil)
    #expect(values([0b0001_0101, 0, 0, 0], 3, 2) == [1, 1, 1])
    for place in 1..<4 {
      var bytes: [UInt8] = [0b0001_0101, 0, 0, 0]
      bytes[place] = 0x80
      #expect(values(bytes, 3, 2) == nil)
    }
  }
}
