import CodeGen
import Evaluation
import Driver
import Executor
import Foundation
import IR
import Import
import Mapping
import ONNX
import Passes
import ProgramFormat
import Evaluator
import RunDriver
import Support
import Tensors
import Testing

/// The models that onnxruntime quantized, beside what its integer kernels make of them.
@Suite("Quantized models")
struct QuantizedModelTests {
  static let models = [
    ("lenet5-qdq", "fashion-mnist", 1000), ("digits-qdq", "digits", 360), ("digits-qlinear", "digits", 360),
  ]

  private struct Golden {
    let levels: [Int64]
    let scale: Float
    let zero: Int64

    init(_ model: String) throws {
      let arrays = try readArrays(path: "\(packageRoot)/models/\(model)/golden.npz")
      func array(_ name: String) throws -> Tensor { try #require(arrays.first { $0.name == name }).tensor }
      levels = try array("levels").integers
      scale = try array("scale").floats[0]
      zero = try array("zero").integers[0]
    }
  }

  private func compiled(_ model: String, scheme: String = "dense") throws -> CompileResult {
    var request = CompileRequest(model: modelPath(model))
    request.scheme = scheme
    request.jobs = 2
    return try compile(request)
  }

  /// Every logit is within one level of onnxruntime's, and nearly all are equal; no calibration samples are needed.
  @Test(arguments: models) func logitsAreThoseOfIntegerKernels(model: String, data: String, count: Int) throws
  {
    let result = try compiled(model)
    #expect(result.warnings.isEmpty)
    let program = try decode(result.bytes, file: model)
    let set = try SampleSet(input: dataPath(data, "test"), limit: count, for: program.samplePorts)
    let run = try ExecutablePlan(program).run(inputs: set.inputs, samples: set.count, threads: 2)
    let golden = try Golden(model)
    #expect(set.count == count && golden.levels.count == run.outputs[0].count)
    var (different, largest) = (0, Float(0))
    for (logit, level) in zip(run.outputs[0], golden.levels) {
      let difference = abs(logit / golden.scale - Float(level - golden.zero))
      largest = max(largest, difference)
      if difference > 0.5 { different += 1 }
    }
    print("\(model): \(different) of \(golden.levels.count) logits differ, by up to \(largest) levels")
    #expect(largest < 1.001)
    #expect(different <= golden.levels.count / 100)
  }

  /// The integers of the file are in the crossbars, whatever the options of the pipeline say of weights.
  @Test func weightsAreThoseOfTheFile() throws {
    for (model, suffix) in [("lenet5-qdq", "_quantized"), ("digits-qlinear", "_quantized")] {
      let file = try readModel(path: modelPath(model))
      var module = AnyModule(try importModel(file))
      var context = PassContext()
      let calls = try scheme(named: "dense").calls(
        overriding: try parsePipeline("quantize(weights: 4, inputs: 5)"))
      for call in calls {
        module = try PassRegistry.standard.entry(named: call.name).apply(
          to: module, call.options, in: &context)
        if call.name == "lower-to-crossbar" { break }
      }
      guard case .crossbar(let crossbars) = module else { continue }
      let stored = file.graph.initializers.filter { $0.name.contains("weight\(suffix)") }
      let layers = crossbars.layers.map(\.layer)
      #expect(stored.count == layers.count && !layers.isEmpty)
      for (tensor, layer) in zip(stored, layers) {
        let values = try tensor.int64s().sorted()
        #expect(layer.weights?.integers.sorted() == values, "\(tensor.name)")
        #expect(layer.weightBits == 8)
      }
    }
  }

  /// Lossless schemes give the same logits, and the others run.
  @Test func schemesAgree() throws {
    var outputs: [[Float]] = []
    for scheme in schemes {
      let program = try decode(try compiled("digits-qdq", scheme: scheme.name).bytes, file: "a")
      let set = try SampleSet(input: dataPath("digits", "test"), limit: 10, for: program.samplePorts)
      let run = try ExecutablePlan(program).run(inputs: set.inputs, samples: 10, threads: 2)
      #expect(run.outputs[0].count == 100)
      if scheme.steps.contains(where: { $0.text == "quantize" }) { outputs.append(run.outputs[0]) }
    }
    #expect(outputs.count > 5 && outputs.allSatisfy { $0 == outputs[0] })
  }
}
