import Evaluation
import Support
import Tensors
import TestTools
import Testing

@Suite struct SampleSetTests {
  private let images = Tensor([3, 1, 28, 28], (0..<2352).map { Float($0 % 251) / 251 })

  private func read(
    _ input: String, labels: String? = nil, limit: Int? = nil
  ) throws(Diagnostic) -> SampleSet {
    try SampleSet(
      input: input, labels: labels, limit: limit, for: [SamplePort(name: "image", shape: [1, 1, 28, 28])])
  }

  @Test func readsAnArrayAlone() throws {
    let place = try Workplace()
    let set = try read(try place.npy("x.npy", images))
    #expect(set.count == 3 && set.labels == nil)
    #expect(set.inputs == [images.floats])
  }

  @Test(arguments: ["image", "images", "x", "input", "anything"])
  func findsTheArray(_ name: String) throws {
    let place = try Workplace()
    var arrays = [(name, images)]
    if name != "anything" { arrays.append(("other", Tensor([1], [Float(0)]))) }
    #expect(try read(try place.npz("x.npz", arrays)).inputs == [images.floats])
  }

  @Test func prefersTheNameOfTheInput() throws {
    let place = try Workplace()
    let zeros = Tensor([1, 784], [Float](repeating: 0, count: 784))
    #expect(try read(try place.npz("x.npz", [("images", zeros), ("image", images)])).count == 3)
  }

  @Test(arguments: [[3, 1, 28, 28], [3, 28, 28], [3, 28, 1, 28]])
  func axesOfLengthOneDoNotMatter(_ shape: [Int]) throws {
    let place = try Workplace()
    #expect(try read(try place.npy("x.npy", images.reshaped(shape))).count == 3)
  }

  @Test func saysWhatIsMissing() throws {
    let place = try Workplace()
    func notes(_ arrays: [(String, Tensor)]) throws -> [String] {
      try read(try place.npz("x.npz", arrays)).notes.map(\.id)
    }
    let labels = Tensor([3], [0, 1, 2] as [Int64])
    #expect(try notes([("images", images), ("labels", labels)]).isEmpty)
    #expect(try notes([("images", images)]) == ["samples.no-labels"])
    #expect(try notes([("images", images), ("target", labels)]) == ["samples.labels-name"])
    #expect(try read(place.path("x.npz")).notes.first?.message.contains("'target'") == true)
    let other = Tensor([2], [0, 1] as [Int64])
    #expect(try notes([("images", images), ("other", other)]) == ["samples.no-labels"])
    let none = Tensor([0, 1, 28, 28], [] as [Float])
    #expect(try notes([("images", none), ("labels", Tensor([0], [] as [Int64]))]) == ["samples.none"])
    #expect(try read(try place.npy("x.npy", images)).notes.map(\.severity) == [.note])
  }

  @Test func takesOneSampleWithoutABatchAxis() throws {
    let place = try Workplace()
    let one = Tensor([1, 1, 28, 28], Array(images.floats.prefix(784)))
    #expect(try read(try place.npy("x.npy", one)).count == 1)
  }

  @Test(arguments: [[3, 784], [3, 28, 27], [28], []])
  func refusesOtherShapes(_ shape: [Int]) throws {
    let place = try Workplace()
    let count = shape.reduce(1, *)
    let path = try place.npy("x.npy", Tensor(shape, [Float](repeating: 0, count: count)))
    let error = refusal { () throws(Diagnostic) in _ = try read(path) }
    #expect(error?.id == "samples.input-shape")
    #expect(error?.location.file == path)
    #expect(error?.message.contains("expected [N, 1, 28, 28]") == true)
  }

  @Test func integersAreScaled() throws {
    let place = try Workplace()
    let bytes = Tensor([2, 28, 28], .u8((0..<1568).map { UInt8($0 % 256) }))
    let scale = Tensor([], [Float(1) / 255])
    let scaled = try read(try place.npz("x.npz", [("images", bytes), ("scale", scale)]))
    #expect(scaled.inputs[0][255] == Float(255) * (Float(1) / 255))
    let plain = try read(try place.npz("y.npz", [("images", bytes)]))
    #expect(plain.inputs[0][255] == 255)
    let floats = try read(try place.npz("z.npz", [("images", images), ("scale", scale)]))
    #expect(floats.inputs == [images.floats])
  }

  @Test func labelsComeWithTheInputOrAlone() throws {
    let place = try Workplace()
    let labels = Tensor([3], [Int64(4), 5, 6])
    let both = try place.npz("x.npz", [("images", images), ("labels", labels)])
    #expect(try read(both).labels == [4, 5, 6])
    #expect(try read(both, limit: 2).labels == [4, 5])
    #expect(try read(both, limit: 2).count == 2)
    let other = try place.npy("y.npy", Tensor([3, 1], .u8([1, 2, 3])))
    #expect(try read(both, labels: other).labels == [1, 2, 3])
    let named = try place.npz("n.npz", [("a", images), ("y", labels)])
    #expect(try read(both, labels: named).labels == [4, 5, 6])
  }

  @Test func refusesWrongLabels() throws {
    let place = try Workplace()
    let x = try place.npy("x.npy", images)
    for (name, tensor) in [
      ("count", Tensor([2], [Int64(1), 2])), ("negative", Tensor([3], [Int64(1), -2, 3])),
      ("fraction", Tensor([3], [Float(1), 2.5, 3])),
      ("shape", Tensor([3, 2], [Int64](repeating: 0, count: 6))),
      ("undefined", Tensor([3], [Float(1), .nan, 3])),
    ] {
      let y = try place.npy("\(name).npy", tensor)
      let error = refusal { () throws(Diagnostic) in _ = try read(x, labels: y) }
      #expect(error?.id == "samples.labels", "\(name)")
    }
    let several = try place.npz("s.npz", [("a", images), ("b", images)])
    #expect(refusal { () throws(Diagnostic) in _ = try read(x, labels: several) }?.id == "samples.labels")
    let error = refusal { () throws(Diagnostic) in _ = try read(several) }
    #expect(error?.id == "samples.input-name")
    #expect(error?.notes.first?.contains("'image'") == true)
  }

  @Test func refusesMissingFiles() {
    #expect(refusal { () throws(Diagnostic) in _ = try read("/nowhere/x.npy") }?.id == "io.open")
  }
}
