import Support
import TestSupport
import Testing

@testable import ONNX

@Suite("Wire reader")
struct WireReaderTests {
  private func fields(_ bytes: [UInt8]) throws(Diagnostic) -> [WireField] {
    let source = ByteSource(bytes)
    var reader = WireReader(source.bytes, source.all)
    var result: [WireField] = []
    while let field = try reader.next() { result.append(field) }
    return result
  }

  private func failure(_ bytes: [UInt8]) -> Diagnostic? {
    refusal { () throws(Diagnostic) in try fields(bytes) }
  }

  @Test func readsEveryWireType() throws {
    let found = try fields(
      wire {
        $0.int(1, 300)
        $0.fixed64(2, 7)
        $0.text(3, "abc")
        $0.fixed32(500, 9)
      })
    #expect(found.map(\.number) == [1, 2, 3, 500])
    #expect(found.map(\.type) == [.varint, .fixed64, .bytes, .fixed32])
    #expect(found.map(\.payload.count) == [2, 8, 3, 4])
    #expect(found.map(\.start) == [0, 3, 12, 17])
  }

  @Test func readsAnEmptyMessage() throws {
    #expect(try fields([]).isEmpty)
  }

  @Test func readsAnEmptyPayloadAtTheEnd() throws {
    #expect(try fields([0x0a, 0x00]).first?.payload == ByteRange(start: 2, end: 2))
  }

  @Test(arguments: [0, 1, 127, 128, 300, 1 << 31, 1 << 62, UInt64.max])
  func readsVarints(_ value: UInt64) throws {
    let source = ByteSource(wire { $0.raw(value) })
    var reader = WireReader(source.bytes, source.all)
    #expect(try reader.varint() == value)
    #expect(reader.offset == reader.end)
  }

  @Test func dropsBitsBeyondSixtyFour() throws {
    let source = ByteSource([UInt8](repeating: 0xff, count: 9) + [0x7f])
    var reader = WireReader(source.bytes, source.all)
    #expect(try reader.varint() == UInt64.max)
  }

  @Test func refusesAVarintOfElevenBytes() {
    let found = failure([0x08] + [UInt8](repeating: 0x80, count: 10) + [0])
    #expect(found?.id == "onnx.wire")
    #expect(found?.location.place == .bytes(section: "file", offset: 1))
  }

  @Test func refusesAVarintWithoutEnd() {
    #expect(failure([0x08, 0x80, 0x80])?.id == "onnx.truncated")
    #expect(failure([0x80])?.id == "onnx.truncated")
  }

  @Test func refusesATagOfSixBytes() {
    #expect(failure([0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00])?.id == "onnx.wire")
  }

  @Test func refusesFieldZero() {
    #expect(failure([0x00, 0x00])?.id == "onnx.wire")
    #expect(failure([0x02, 0x00])?.location.place == .bytes(section: "file", offset: 0))
  }

  @Test func refusesFieldNumbersBeyondTheFormat() {
    let found = failure(wire { $0.int(1 << 29, 0) })
    #expect(found?.id == "onnx.wire")
    #expect(found?.message.contains("536870912") == true)
  }

  @Test func acceptsTheLargestFieldNumber() throws {
    #expect(try fields(wire { $0.int((1 << 29) - 1, 0) }).first?.number == 536_870_911)
  }

  @Test(arguments: [3, 4, 6, 7] as [UInt8])
  func refusesGroupsAndUnknownWireTypes(_ type: UInt8) {
    let found = failure([0x08 | type, 0, 0, 0, 0])
    #expect(found?.id == "onnx.wire")
    #expect(found?.message.contains("wire type \(type)") == true)
  }

  @Test func refusesLengthsBeyondTheEnd() {
    let found = failure([0x0a, 0x05, 1, 2, 3, 4])
    #expect(found?.id == "onnx.truncated")
    #expect(found?.message == "field 1 has 5 bytes, but its message has only 4 left")
    #expect(found?.location.place == .bytes(section: "file", offset: 2))
  }

  @Test func refusesHugeLengths() {
    #expect(failure([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f])?.id == "onnx.truncated")
    #expect(failure([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])?.id == "onnx.wire")
  }

  @Test func refusesFixedValuesBeyondTheEnd() {
    #expect(failure([0x0d, 1, 2, 3])?.id == "onnx.truncated")
    #expect(failure([0x09, 1, 2, 3, 4, 5, 6, 7])?.id == "onnx.truncated")
  }

  @Test func readsOnlyItsRange() throws {
    let source = ByteSource([0xff, 0x08, 0x05, 0xff])
    var reader = WireReader(source.bytes, ByteRange(start: 1, end: 3))
    #expect(try reader.next()?.payload == ByteRange(start: 2, end: 3))
    #expect(try reader.next() == nil)
  }

  @Test func readsFixedIntegersThatAreNotAligned() throws {
    let source = ByteSource([0, 1, 2, 3, 4, 5, 6, 7, 8])
    var reader = WireReader(source.bytes, ByteRange(start: 1, end: 9))
    #expect(try reader.fixed(UInt32.self) == 0x0403_0201)
    #expect(try reader.fixed(UInt32.self) == 0x0807_0605)
    #expect(throws: Diagnostic.self) { try reader.fixed(UInt32.self) }
  }

  @Test func fieldSetsHoldTheirNumbersOnly() {
    let set: FieldSet = [1, 5, 63]
    #expect((0..<200).filter { set.contains($0) } == [1, 5, 63])
  }
}
