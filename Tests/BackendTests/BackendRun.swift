import CodeGen
import Executor
import Hardware
import IR
import Import
import ONNX
import Passes
import ProgramFormat
import Evaluator
import Support
import Tensors

/// How a test case ended.
enum BackendResult: Equatable {
  case passed
  /// It is not supported, with the id of the message.
  case refused(String)
  /// Numbers differ, by so many times what is allowed.
  case differs(Float)
}

extension BackendCase {
  /// Operators whose products are computed on crossbars.
  static let matrixOperators: Set<String> = ["Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN"]

  /// The float evaluator against the expected outputs, as ONNX compares: `|x - y| <= 1e-7 + 1e-3 |y|`.
  func evaluated() -> BackendResult {
    judged { () throws(Diagnostic) in
      let found = try Interpreter(try imported()).evaluate(inputs).outputs
      return excess(of: found.map(\.floats), shapes: found.map(\.shape)) { 1e-7 + 1e-3 * abs($0) }
    }
  }

  /// The program with 16-bit weights and inputs against the expected outputs: no further from them than 2^-11 of the
  /// largest one. Calibrated with the inputs of the case.
  func executed() -> BackendResult {
    judged { () throws(Diagnostic) in
      var module = try imported()
      module.machine = try Machine.target(named: "sre")
      var context = PassContext(calibration: [inputs])
      var current = AnyModule.tensor(module)
      let options = try parsePipeline("quantize(weights: 16, inputs: 16), form-units(lossless: true)")
      for call in try scheme(named: "dense").calls(overriding: options) {
        current = try PassRegistry.standard.entry(named: call.name).apply(
          to: current, call.options, in: &context)
      }
      guard case .program(let lowered) = current else {
        throw Diagnostic("test.level", "the pipeline ends at another level")
      }
      let program = try decode(try encode(try emitProgram(lowered)), file: name)
      let run = try ExecutablePlan(program).run(inputs: inputs.map(\.floats), samples: 1, threads: 1)
      let largest = outputs.flatMap { $0.floats.map { abs($0) } }.max() ?? 0
      return excess(of: run.outputs, shapes: outputs.map(\.shape)) { _ in largest / 2048 }
    }
  }

  private func imported() throws(Diagnostic) -> Module<TensorLevel> {
    do throws(DiagnosticList) {
      return try importModel(model)
    } catch {
      throw error.items.first ?? Diagnostic("test.import", "the import failed without a reason")
    }
  }

  private func judged(_ body: () throws(Diagnostic) -> Float) -> BackendResult {
    do throws(Diagnostic) {
      let excess = try body()
      return excess <= 1 ? .passed : .differs(excess)
    } catch {
      return .refused(error.id)
    }
  }

  /// The largest difference from the expected outputs in units of what is allowed; infinite where shapes differ.
  private func excess(
    of found: [[Float]], shapes: [[Int]], allowed: (Float) -> Float
  ) -> Float {
    guard found.count == outputs.count, shapes == outputs.map(\.shape) else { return .infinity }
    var worst: Float = 0
    for (values, expected) in zip(found, outputs) {
      guard values.count == expected.floats.count else { return .infinity }
      for (x, y) in zip(values, expected.floats) where x != y && !(x.isNaN && y.isNaN) {
        let ratio = abs(x - y) / max(allowed(y), .leastNormalMagnitude)
        worst = ratio.isNaN ? .infinity : max(worst, ratio)
      }
    }
    return worst
  }
}
