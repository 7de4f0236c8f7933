import Support
import Testing

@testable import Tensors

/// Files that NumPy and onnx have written.
@Suite struct ArrayFixtureTests {
  private func tensors(_ name: String) throws -> [String: Tensor] {
    let arrays = try readArrays(path: fixturePath(name))
    return Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.tensor) })
  }

  @Test(arguments: ["types.npz", "types-deflated.npz"])
  func readsEveryType(_ name: String) throws {
    let arrays = try tensors(name)
    #expect(arrays.count == 12 * 2 * 2 * 2)
    for (name, tensor) in arrays where !name.hasSuffix(".expected") {
      let expected = try #require(arrays["\(name).expected"])
      #expect(tensor.shape == [2, 3, 4] && isIdentical(tensor, expected), "\(name)")
    }
  }

  @Test func knowsSomeElementsByHeart() throws {
    let arrays = try tensors("types.npz")
    #expect(arrays["i1-little-C"]?.integers.prefix(6) == [-128, 127, 0, 1, -128, -117])
    #expect(arrays["u4-big-F"]?.integers.prefix(2) == [0, 4_294_967_295])
    #expect(arrays["u8-big-C"]?.integers[1] == .max)
    #expect(arrays["b1-little-F"]?.data == .u8((0..<24).map { $0 % 3 == 0 ? 1 : 0 }))
    #expect(arrays["f2-big-F"]?.floats.prefix(6) == [0, 0, .infinity, -.infinity, 65504, 5.9604645e-08])
    #expect(arrays["f8-little-C"]?.floats[4] == .infinity && arrays["f8-little-C"]?.floats[5] == 1 / 3)
  }

  @Test func keepsTheOrderOfTheFile() throws {
    let names = try readArrays(path: fixturePath("types.npz")).map(\.name)
    let kinds = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]
    #expect(
      names
        == kinds.flatMap { kind in
          ["little-C", "little-F", "big-C", "big-F"].flatMap { ["\(kind)-\($0)", "\(kind)-\($0).expected"] }
        })
  }

  @Test func readsShapes() throws {
    for (name, shape) in [("scalar", []), ("vector", [5]), ("empty", [3, 0, 2]), ("image", [2, 3, 4])] {
      let arrays = try readArrays(path: fixturePath("\(name).npy"))
      let count = shape.reduce(1, *)
      #expect(arrays == [NamedTensor(name: "", tensor: Tensor(shape, (0..<count).map { Float($0) / 2 - 1 }))])
    }
  }

  @Test func readsEveryVersion() throws {
    for name in ["version2.npy", "version3.npy"] {
      let arrays = try readArrays(path: fixturePath(name))
      #expect(arrays.map(\.tensor) == [Tensor([2, 3], .i16([0, 1, 2, 3, 4, 5]))])
    }
  }

  @Test func readsLargeArchives() throws {
    let arrays = try readArrays(path: fixturePath("zip64.npz"))
    #expect(arrays.map(\.name) == ["one", "zwei-ü"])
    #expect(
      arrays.map(\.tensor) == [
        Tensor([2, 3], .i16([0, 1, 2, 3, 4, 5])), Tensor([2], [1.5, -2] as [Float]),
      ])
    #expect(try readArrays(path: fixturePath("empty.npz")) == [])
  }

  @Test func readsTensorProtos() throws {
    let expected = try tensors("protos-expected.npz")
    let bytes = try fixture("protos.zip")
    try bytes.withUnsafeBytes { bytes in
      let directory = try ZipDirectory(bytes, file: "protos.zip")
      #expect(directory.members.count == 26)
      for member in directory.members {
        let arrays = try readArrays(bytes: try directory.packed(member), file: member.name)
        let name = String(member.name.prefix { $0 != "-" })
        #expect(arrays.map(\.name) == [name])
        #expect(isIdentical(arrays[0].tensor, try #require(expected[name])), "\(member.name)")
      }
    }
  }

  @Test func goesByTheContent() throws {
    #expect(try readArrays(path: fixturePath("f4-raw.pb")).map(\.name) == ["f4"])
    #expect(try read(fixture("f4-typed.pb"))[0].tensor.shape == [4, 6])
    #expect(try read(fixture("i8-typed.pb"))[0].tensor.integers[0] == .min)
  }

  @Test func saysWhyAFileCannotBeOpened() {
    for path in ["/nonexistent/x.npy", "/"] {
      expectFailure("io.open") { () throws(Diagnostic) in _ = try readArrays(path: path) }
    }
  }

  @Test(arguments: ["scalar.npy", "vector.npy", "empty.npy", "image.npy"])
  func writesTheSameAsNumPy(_ name: String) throws {
    let bytes = try fixture(name)
    #expect(npyBytes(try read(bytes)[0].tensor) == bytes)
  }

  @Test func writesEveryTypeAsNumPyDoes() throws {
    // The expected arrays are stored as they are: their members must come back byte for byte.
    let bytes = try fixture("types.npz")
    try bytes.withUnsafeBytes { bytes in
      let directory = try ZipDirectory(bytes, file: "types.npz")
      for member in directory.members where member.name.hasSuffix(".expected.npy") {
        let content = Array(try directory.packed(member))
        #expect(npyBytes(try read(content)[0].tensor) == content, "\(member.name)")
      }
    }
  }
}
