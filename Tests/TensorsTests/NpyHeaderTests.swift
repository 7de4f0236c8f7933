import Support
import Tensors
import Testing

@Suite struct NpyHeaderTests {
  private let data: [UInt8] = [1, 0, 2, 0]

  @Test(arguments: [
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }",
    "{'descr':'<i2','fortran_order':False,'shape':(2,)}",
    "  { \"shape\" : ( 2 , ) ,\t'fortran_order' : True, \"descr\" : '<i2' } \n\n",
    "{'shape': (1, 2), 'descr': '<i2', 'fortran_order': False}\n",
    "{'shape': (2, 1,), 'descr': '<i2', 'fortran_order': False,}",
  ])
  func readsPythonLiterals(_ header: String) throws {
    for version in [1, 2, 3] as [UInt8] {
      #expect(try read(npy(header, data, version: version))[0].tensor.data == .i16([1, 2]))
    }
  }

  @Test(arguments: [
    "", "{", "}", "{}", "None", "[]", "{'descr': '<i2'}", "{'descr': '<i2', 'fortran_order': False}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2,)",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': 2}",
    "{'descr': '<i2', 'fortran_order': 0, 'shape': (2,)}",
    "{'descr': '<i2', 'fortran_order': false, 'shape': (2,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (-2,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (+2,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2L,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2,,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2.0,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (0x2,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (99999999999999999999,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2,)} x",
    "{'descr': '<i2' 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), 'more': 1}",
    "{'descr': '<i2', 'descr': '<i2', 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}",
    "{'descr: '<i2', 'fortran_order': False, 'shape': (2,)}",
    "{descr: '<i2', 'fortran_order': False, 'shape': (2,)}",
    "{'des\\x63r': '<i2', 'fortran_order': False, 'shape': (2,)}",
    "{'descr\": '<i2', 'fortran_order': False, 'shape': (2,)}",
    "{'dés': '<i2', 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2,)",
    "{,'descr': '<i2', 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '<i2',, 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2,)}\u{0}", "__import__('os')",
  ])
  func refusesEverythingElse(_ header: String) {
    expectRefusal("array.header", npy(header, data))
  }

  @Test(arguments: [
    "'<i3'", "'<f16'", "'<c8'", "'|S4'", "'<U4'", "'|O'", "'|V4'", "'<M8[ns]'", "''", "'<'", "'i2'", "'|i2'",
    "'=i2'",
    "'<i2 '", "[('x', '<i2')]", "'!i2'",
  ])
  func refusesOtherElements(_ type: String) {
    expectRefusal("array.type", npy("{'descr': \(type), 'fortran_order': False, 'shape': (2,)}", data))
  }

  @Test func pointsToThePlace() {
    do throws(Diagnostic) {
      _ = try read(npy("{'descr': '<i2', 'fortran_order': Maybe, 'shape': (2,)}", data))
    } catch {
      #expect(error.location == Location(file: "file", .bytes(section: "npy", offset: 10 + 34)))
    }
  }

  @Test func checksTheCountBeforeTakingMemory() {
    func sized(_ shape: String, _ type: String = "|u1") -> [UInt8] {
      npy("{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape)}", [1, 2, 3, 4])
    }
    expectRefusal("array.truncated", sized("(5,)"))
    expectRefusal("array.truncated", sized("(1073741824,)"))
    expectRefusal("array.truncated", sized("(1073741824,)", "<f8"))
    expectRefusal("array.size", sized("(3,)"))
    expectRefusal("array.size", sized("(0,)"))
    for shape in [
      "(1073741825,)", "(4611686018427387904, 4)", "(0, 9223372036854775807, 9)", "(65536, 65536)",
    ] {
      expectRefusal("array.size", sized(shape))
    }
    let axes = [String](repeating: "1", count: 65).joined(separator: ", ")
    expectRefusal("array.header", sized("(\(axes))"))
  }

  @Test func refusesUnknownVersionsAndLongHeaders() {
    let header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }"
    for version in [0, 4, 255] as [UInt8] {
      expectRefusal("array.header", npy(header, data, version: version))
    }
    var bytes = npy(header, data)
    bytes[7] = 1
    expectRefusal("array.header", bytes)
    let padded = header + String(repeating: " ", count: 70_000)
    expectRefusal("array.header", npy(padded, data, version: 2))
    let full = header + String(repeating: " ", count: 0xFFFF - header.utf8.count)
    #expect(throws: Never.self) { try read(npy(full, data)) }
  }

  @Test func refusesNumbersBeyondSixtyThreeBits() {
    let bytes = npy(
      "{'descr': '>u8', 'fortran_order': False, 'shape': (1,)}", [128, 0, 0, 0, 0, 0, 0, 0])
    expectRefusal("array.range", bytes)
  }
}
