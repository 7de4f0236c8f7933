import Evaluation
import Report
import DeviceModel
import Driver
import Executor
import Foundation
import ONNX
import ProgramFormat
import RunDriver
import Support
import Tensors
import TestSupport

// Two jobs that crossbar simulators can be compared by, each beside onnxruntime in the same run where there is one.
//
// Job A: y = W x of 1024 x 1024 weights in -127 ... 127 and 64 vectors in 0 ... 255, both from SplitMix64 (G. Steele et
// al., OOPSLA'14). Job B: LeNet-5 with weights and activations that are bytes in the file.

/// Numbers of SplitMix64 from `seed`, each modulo `bound`.
func splitMix(_ seed: UInt64, _ count: Int, below bound: UInt64) -> [Int] {
  (1...UInt64(count)).map { k in
    var z = seed &+ k &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % bound)
  }
}

private let side = 1024
private let vectors = 64

/// The model of job A: levels of inputs and weights as they are, sums as floats.
private func modelOfJobA() throws -> [UInt8] {
  let weights = splitMix(0x5EED_0001, side * side, below: 255).map { Int8($0 - 127) }
  var transposed = weights
  for row in 0..<side { for column in 0..<side { transposed[column * side + row] = weights[row * side + column] } }
  let graph = ONNXGraph(
    name: "product",
    nodes: numbered([
      graphNode("QuantizeLinear", ["x", "one", "zero"], ["q"]),
      graphNode("DequantizeLinear", ["q", "one", "zero"], ["d"]),
      graphNode("DequantizeLinear", ["weights", "one"], ["w"]),
      graphNode("MatMul", ["d", "w"], ["y"], name: "product"),
    ]),
    initializers: [
      try ONNXTensor(
        name: "weights", shape: [side, side], elementType: .int8, bytes: transposed.map { UInt8(bitPattern: $0) }),
      try floatTensor("one", [], [1]), try ONNXTensor(name: "zero", shape: [], elementType: .uint8, bytes: [0]),
    ],
    inputs: [floatInput("x", [1, side])], outputs: [floatInput("y", [1, side])])
  let model = ONNXModel(
    irVersion: 8, opsets: [ONNXOpset(domain: "", version: 13)], producer: "xbar-bench", graph: graph)
  var writer = ModelWriter()
  return try writer.bytes(of: model)
}

/// The settings that the jobs are run with.
private let settings = [
  ("whole 128x128 arrays, 8-bit converters", "isaac", ""),
  ("16x16 units", "dense", ""), ("9x8 units", "dense", "form-units(height: 9, width: 8)"),
]

func jobRows(_ folder: String) throws(Diagnostic) -> [Row] {
  var rows: [Row] = []
  let path = "\(folder)/product.onnx"
  let model: [UInt8]
  do { model = try modelOfJobA() } catch { throw Diagnostic("bench.model", "\(error)") }
  try writeFile(model, to: path)
  let inputs = splitMix(0x5EED_0002, vectors * side, below: 256).map { Float($0) }
  for (name, scheme, options) in settings {
    let program = try decode(try compiled(path, scheme: scheme, options, calibration: nil).bytes, file: name)
    let plan = try ExecutablePlan(program)
    let result = try plan.run(inputs: [inputs], samples: vectors, threads: 1)
    guard result.outputs[0].prefix(3) == [-526_242, -253_850, -70_247] || result.total.adcSaturations > 0 else {
      throw Diagnostic("bench.product", "job A begins with \(result.outputs[0].prefix(3)), which is not the product")
    }
    let seconds = try measure(15) { () throws(Diagnostic) in
      _ = try plan.run(inputs: [inputs], samples: vectors, threads: 1)
    }
    rows.append(
      Row(
        section: "job A, 1024x1024 weights", what: name, number: Double(vectors) / seconds, unit: .vectors,
        note: "\(significant(Double(result.total.adcConversions) / seconds * 1e-9))e9 conversions/s"))
  }
  if let found = onnxruntimeRate(path, side: side) {
    rows.append(Row(section: "job A, 1024x1024 weights", what: "onnxruntime int8", number: found, unit: .vectors))
  }
  for (name, scheme, options) in settings {
    let program = try decode(try compiled(Files.quantized, scheme: scheme, options, calibration: nil).bytes, file: name)
    let set = try SampleSet(input: Files.images, limit: 256, for: program.samplePorts)
    let found = try rate(program, set)
    rows.append(
      Row(
        section: "job B, LeNet-5 of bytes", what: name, number: found.rate, unit: .images,
        note: "\(significant(Double(found.events.adcConversions) / Double(set.count) * found.rate * 1e-9))e9 conversions/s"))
  }
  if let found = onnxruntimeRate(Files.quantized, side: nil) {
    rows.append(Row(section: "job B, LeNet-5 of bytes", what: "onnxruntime int8", number: found, unit: .images))
  }
  return rows
}

/// Samples a second of processor time in onnxruntime on one thread; nil without Python (`XBAR_PYTHON`) or onnxruntime.
private func onnxruntimeRate(_ model: String, side: Int?) -> Double? {
  let python = ProcessInfo.processInfo.environment["XBAR_PYTHON"] ?? "python3"
  let shape = side.map { "\(vectors)x\($0)" } ?? Files.images
  return output(of: [python, "Benchmarks/onnxruntime_rate.py", model, shape]).flatMap {
    Double($0.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
