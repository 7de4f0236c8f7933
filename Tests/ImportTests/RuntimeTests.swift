import Foundation
import IR
import Import
import ONNX
import Evaluator
import Support
import Tensors
import TestTools
import Testing

/// The largest difference of two tensors, counted in parts of the largest number; NaN differs from all but NaN.
private func difference(_ a: Tensor, _ b: Tensor) -> Float {
  guard a.shape == b.shape else { return .infinity }
  let size = max(1, b.floats.filter(\.isFinite).map { abs($0) }.max() ?? 0)
  return zip(a.floats, b.floats).map { $0 == $1 || $0.isNaN && $1.isNaN ? 0 : abs($0 - $1) / size }
    .reduce(0) { $1 <= $0 ? $0 : $1 }
}

/// Numbers that onnxruntime computes, where Python has it; `XBAR_PYTHON` names another interpreter than `python3`.
@Suite("Agreement with onnxruntime")
struct RuntimeTests {
  private func tensors(_ stem: String) throws -> [Tensor] {
    var found: [Tensor] = []
    while FileManager.default.fileExists(atPath: "\(stem)\(found.count).pb") {
      let tensor = try readTensor(path: "\(stem)\(found.count).pb")
      found.append(Tensor(tensor.shape, try tensor.floats()))
    }
    return found
  }

  @Test func onSmallModels() throws {
    guard Python.has("onnx, onnxruntime") else {
      return print("skipped: \(Python.command) has no onnx and onnxruntime; set XBAR_PYTHON to one that has")
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "xbar-cases-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let script = try #require(Bundle.module.url(forResource: "onnxruntime_cases", withExtension: "py"))
    let text = try #require(Python.output([script.path(), folder.path()]))
    var compared = 0
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path())
    where file.hasSuffix(".onnx") {
      let stem = folder.appending(path: String(file.dropLast(5))).path()
      let module = try imported(readModel(path: "\(stem).onnx"))
      let found = try Interpreter(module).evaluate(tensors("\(stem).in")).outputs
      let expected = try tensors("\(stem).out")
      #expect(found.count == expected.count && !found.isEmpty, "\(file)")
      for (a, b) in zip(found, expected) { #expect(difference(a, b) < 1e-4, "\(file)") }
      compared += 1
    }
    #expect(compared == text.split(separator: "\n").last.flatMap { Int($0) } && compared >= 60)
    print("compared \(compared) models with onnxruntime")
  }

  /// The outputs of the shipped models on 50 images of their test files.
  @Test(arguments: [
    "digits", "lenet5", "lenet5-grouplasso", "lenet5-pruned90", "mlp", "lstm", "bigru", "resnet8", "dscnn",
  ])
  func onShippedModels(name: String) throws {
    let models = repository.appending(path: "models")
    guard Python.has("onnxruntime") else {
      return print("skipped: \(Python.command) has no onnxruntime; set XBAR_PYTHON to one that has")
    }
    let path = models.appending(path: "\(name)/model.onnx").path()
    let images = try images(name == "digits" ? "digits" : "fashion-mnist")
    let code = """
      import sys, numpy, onnxruntime
      file = numpy.load(sys.argv[2])
      x = (file["images"][:50] * file["scale"]).astype(numpy.float32)
      y = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]).run(None, {"image": x})[0]
      for row in y: print(*[repr(float(v)) for v in row])
      """
    let text = try #require(
      Python.output(["-c", code, path, dataFile(name == "digits" ? "digits" : "fashion-mnist")]))
    let expected = text.split(separator: "\n").map { $0.split(separator: " ").compactMap { Float($0) } }
    let interpreter = try Interpreter(imported(readModel(path: path)))
    #expect(expected.count == 50 && images.count == 50)
    for (image, row) in zip(images, expected) {
      let found = try interpreter.evaluate([image]).outputs[0]
      #expect(difference(found, Tensor(found.shape, row)) < 1e-4)
    }
  }

  private func dataFile(_ name: String) -> String {
    repository.appending(path: "models/data/\(name)-test.npz").path()
  }

  /// The first 50 images times their scale.
  private func images(_ name: String) throws -> [Tensor] {
    let arrays = try readArrays(path: dataFile(name))
    let pixels = try #require(arrays.first { $0.name == "images" }).tensor
    let scale = try #require(arrays.first { $0.name == "scale" }).tensor.floats[0]
    let count = pixels.count / pixels.shape[0]
    let values = pixels.floats
    return (0..<50).map { k in
      Tensor([1] + pixels.shape.dropFirst(), values[k * count..<(k + 1) * count].map { $0 * scale })
    }
  }
}
