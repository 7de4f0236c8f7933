import Support
import Tensors
import Testing

@Suite struct TensorProtoTests {
  /// A field with a number.
  private func number(_ field: UInt8, _ value: UInt64) -> [UInt8] { [field << 3] + varint(value) }

  /// A field with bytes.
  private func chunk(_ field: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [field << 3 | 2] + varint(UInt64(bytes.count)) + bytes
  }

  private func varint(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  @Test func readsFieldsInAnyOrderPackedOrNot() throws {
    let name = chunk(8, Array("n".utf8))
    let unpacked = name + number(7, 5) + number(2, 7) + number(1, 2) + number(7, UInt64(bitPattern: -6))
    #expect(try read(unpacked) == [NamedTensor(name: "n", tensor: Tensor([2], [5, -6] as [Int64]))])
    let packed = number(2, 7) + chunk(1, [1, 2]) + chunk(7, varint(5) + varint(UInt64(bitPattern: -6)))
    #expect(try read(packed)[0].tensor == Tensor([1, 2], [5, -6] as [Int64]))
    let float = number(2, 1) + [4 << 3 | 5, 0, 0, 0xC0, 0x3F]
    #expect(try read(float)[0].tensor == Tensor([], [1.5 as Float]))
    let double = number(2, 11) + [10 << 3 | 1, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F]
    #expect(try read(double)[0].tensor == Tensor([], [1.5 as Float]))
  }

  @Test func skipsWhatItNeedNotKnow() throws {
    let extra = chunk(12, Array("doc".utf8)) + chunk(16, [1, 2]) + [0x9A, 1, 1, 0] + number(14, 0)
    #expect(try read(number(2, 3) + extra + chunk(9, [0xFF]))[0].tensor == Tensor([], .i8([-1])))
  }

  @Test func refusesWhatItCannotRead() {
    let head = number(2, 7)
    expectRefusal("array.proto", head + chunk(3, []) + number(7, 1))
    expectRefusal("array.proto", number(2, 8) + chunk(6, [0x61]))
    expectRefusal("array.proto", head + chunk(13, [0x61]))
    expectRefusal("array.proto", head + number(14, 1))
    expectRefusal("array.proto", head + number(7, 1) + chunk(9, [0, 0, 0, 0, 0, 0, 0, 0]))
    expectRefusal("array.type", number(2, 8))
    expectRefusal("array.type", number(2, .max))
    expectRefusal("array.format", number(7, 1))
    expectRefusal("array.format", head + chunk(8, [0xFF]))
    expectRefusal("array.format", head + [4 << 3 | 3])
    expectRefusal("array.format", [0, 0])
    expectRefusal("array.format", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1])
    expectRefusal("array.format", number(2, 1) + chunk(4, [0, 0, 0]))
    expectRefusal("array.format", head + [7 << 3 | 2] + varint(.max))
    expectRefusal("array.format", head + chunk(7, [0x80]))
  }

  @Test func checksCountsAndRanges() {
    expectRefusal("array.size", number(2, 7))
    expectRefusal("array.size", number(2, 7) + number(7, 1) + number(7, 1))
    expectRefusal("array.size", number(2, 7) + number(7, 1) + number(5, 1))
    expectRefusal("array.size", number(2, 1) + chunk(9, [0, 0, 0]))
    expectRefusal("array.size", number(2, 1) + number(1, 1 << 40) + chunk(9, []))
    expectRefusal("array.size", number(2, 1) + number(1, .max) + chunk(9, []))
    expectRefusal("array.size", number(2, 1) + number(1, 0) + number(1, 1 << 62) + number(1, 1 << 62))
    expectRefusal("array.range", number(2, 3) + number(5, 128))
    expectRefusal("array.range", number(2, 2) + number(5, .max))
    expectRefusal("array.range", number(2, 12) + number(11, 1 << 32))
    expectRefusal("array.range", number(2, 13) + number(11, 1 << 63))
  }
}
