import CodeGen
import DeviceModel
import Driver
import Executor
import Foundation
import IR
import Import
import ONNX
import Passes
import ProgramFormat
import Support
import Tensors

// The pipeline that every end-to-end test runs, in pieces.

/// The folder of the package.
let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path()

/// The models that come with the package, with their data.
let shippedModels: [(name: String, data: String)] = [
  ("lenet5", "fashion-mnist"), ("mlp", "fashion-mnist"), ("lenet5-pruned90", "fashion-mnist"),
  ("lenet5-grouplasso", "fashion-mnist"), ("digits", "digits"),
  ("lstm", "fashion-mnist"), ("bigru", "fashion-mnist"), ("resnet8", "fashion-mnist"),
  ("dscnn", "fashion-mnist"),
]

/// The path of a model's file.
func modelPath(_ name: String) -> String { "\(packageRoot)/models/\(name)/model.onnx" }

/// The path of a data file, such as `data("digits", "test")`.
func dataPath(_ data: String, _ part: String) -> String { "\(packageRoot)/models/data/\(data)-\(part).npz" }

/// Runs a pipeline on a module.
func apply(_ pipeline: String, to module: AnyModule) throws -> AnyModule {
  var context = PassContext()
  var current = module
  for call in try parsePipeline(pipeline) {
    current = try PassRegistry.standard.entry(named: call.name).apply(to: current, call.options, in: &context)
  }
  return current
}

/// The program of a placed module, by way of its bytes.
func program(of module: AnyModule) throws -> Program {
  guard case .crossbar(let placed) = module else {
    throw Diagnostic("test.level", "a module at another level than crossbar")
  }
  return try decode(try encode(try program(of: placed)), file: "test")
}

/// Asks for a compilation of a shipped model with its calibration samples.
func request(_ name: String, _ data: String, scheme: String = "dense", options: String = "") -> CompileRequest
{
  var request = CompileRequest(model: modelPath(name))
  request.scheme = scheme
  request.overrides = options
  request.calibration = dataPath(data, "calibration")
  return request
}

/// The first output of each sample.
func rows(_ result: RunResult, _ program: Program) -> [[Float]] {
  let size = program.buffers[program.outputs[0].buffer].count
  return (0..<result.samples).map { Array(result.outputs[0][$0 * size..<($0 + 1) * size]) }
}

/// The module that an ONNX file is imported to.
func importedModule(_ path: String) throws -> AnyModule {
  .tensor(try importModel(try readModel(path: path)))
}
