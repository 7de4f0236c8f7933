import Evaluator
import IR
import Import
import ONNX
import Support
import Tensors

/// A model whose file fixes a batch of several samples, compiled for one of them where a batch of random samples gives
/// each the same bits as the sample alone. That is a trial, no proof: samples that affect each other only for other inputs
/// are not found.
struct FixedBatch {
  /// How many samples the file takes at a time.
  let size: Int
  private let single: ONNXModel

  /// Nil unless all inputs and outputs of `model` have the same fixed length above 1 as their first axis.
  init?(_ model: ONNXModel) {
    let constants = Set(model.graph.initializers.map(\.name))
    let inputs = model.graph.inputs.indices.filter { !constants.contains(model.graph.inputs[$0].name) }
    let ports = inputs.map { model.graph.inputs[$0] } + model.graph.outputs
    guard let first = inputs.first, case .fixed(let size)? = model.graph.inputs[first].shape?.first, size > 1,
      !model.graph.outputs.isEmpty,
      ports.allSatisfy({ $0.shape?.first == .fixed(size) && $0.shape?.count != 1 })
    else { return nil }
    self.size = size
    var single = model
    for index in inputs { single.graph.inputs[index].shape?[0] = .fixed(1) }
    for index in model.graph.outputs.indices { single.graph.outputs[index].shape?[0] = .fixed(1) }
    self.single = single
  }

  /// The module for one sample; nil where the file cannot be imported so, and where random samples one by one do not give, to
  /// the bit, what `whole` gives for all of them.
  func module(insteadOf whole: Module<TensorLevel>) -> Module<TensorLevel>? {
    // One sample takes less than the whole, which is within the limit.
    guard let module = try? importModel(single, maxMemory: .max) else { return nil }
    let shapes = module.bodyOps.filter { $0.opcode == .input }.map {
      module.values[$0.results[0]].type.shape ?? []
    }
    var random = SeededGenerator(seed: 1)
    let samples = (0..<size).map { _ in
      shapes.map { shape in
        Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.unit() * 4 - 2) })
      }
    }
    guard let one = try? Interpreter(module), let all = try? Interpreter(whole),
      let together = try? all.evaluate(shapes.indices.map { stacked(samples, $0) }).outputs
    else { return nil }
    var apart: [[Tensor]] = []
    for sample in samples {
      guard let outputs = try? one.evaluate(sample).outputs, outputs.count == together.count else {
        return nil
      }
      apart.append(outputs)
    }
    let isSame = together.indices.allSatisfy { output in
      let bits = apart.flatMap { $0[output].floats }.map(\.bitPattern)
      return bits == together[output].floats.map(\.bitPattern)
    }
    return isSame ? module : nil
  }

  private func stacked(_ samples: [[Tensor]], _ input: Int) -> Tensor {
    let shape = samples[0][input].shape
    return Tensor([size] + shape.dropFirst(), samples.flatMap { $0[input].floats })
  }

  /// What is said of it.
  func note(_ path: String) -> Diagnostic {
    Diagnostic(
      "compile.batch",
      "the file fixes a batch of \(size) samples; random ones gave the same bits alone as together, so it is compiled for one",
      at: Location(file: path), severity: .note,
      notes: ["give samples one by one; --shape with all lengths of the input keeps the batch together"])
  }
}

/// An imported file.
struct ImportedFile {
  var module: Module<TensorLevel>
  /// What is worth saying about it.
  let notes: [Diagnostic]
}
