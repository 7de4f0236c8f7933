import Hardware
import Mapping
import ProgramFormat
import Support

/// What a run will take at most, told before it starts.
public struct WorkEstimate: Equatable, Sendable {
  /// Instructions executed for all samples and trials; a round of a loop counts as one, too. `Int.max` where there are
  /// more.
  public let steps: Int
  /// Bytes of buffers, constants, inputs, outputs and, on a device, conductances. `Int.max` where there are more.
  public let memory: Int

  /// Estimates a run of `plan` for `samples` samples on up to `threads` threads, `trials` times. `onDevice` counts what
  /// the cells of a trial take.
  public init(_ plan: ExecutablePlan, samples: Int, threads: Int, trials: Int = 1, onDevice: Bool = false) {
    let program = plan.program
    steps = clampedProduct([plan.program.stepsPerSample, samples, trials])
    let batch = plan.batchSize(samples: samples, threads: threads)
    let runners = max(1, min(threads, ceilDivide(samples, batch)))
    let constants = clampedSum(
      program.buffers.map { $0.initial == nil ? 0 : clampedProduct([$0.count, $0.element.storageBytes]) })
    // Outputs are kept batch by batch and then joined.
    let ports = program.inputs + program.outputs + program.outputs
    let values = clampedSum(ports.map { clampedProduct([samples, program.buffers[$0.buffer].count, 4]) })
    let array = program.machine.array
    // What cells pass, its square and the levels of an ideal device.
    let cells = clampedProduct([program.crossbars.count, array.rows, array.columns, onDevice ? 13 : 1])
    memory = clampedSum([
      clampedProduct([plan.bytesPerSample, batch, runners]),
      clampedProduct([program.largestOperation, runners]), constants, values, cells,
    ])
  }
}

extension Program {
  /// Instructions executed for a sample, rounds of loops counted as one more each.
  var stepsPerSample: Int {
    func steps(_ body: [Instruction]) -> Int {
      clampedSum(
        body.map { instruction in
          guard case .loop(let count, let inner) = instruction.operation else { return 1 }
          return clampedProduct([count, clampedSum([1, steps(inner)])])
        })
    }
    return steps(code)
  }

  /// Bytes of the arguments and the result of the largest digital operator, which a thread copies.
  var largestOperation: Int {
    func largest(_ body: [Instruction]) -> Int {
      body.map { instruction in
        switch instruction.operation {
        case .loop(_, let inner): return largest(inner)
        case .digital(_, let inputs, let output):
          return clampedSum(
            (inputs + [output]).map { clampedProduct([buffers[$0].count, buffers[$0].element.storageBytes]) })
        case .load, .drive, .convert, .accumulate, .store, .scanSlice, .scanOutput: return 0
        }
      }.max() ?? 0
    }
    return largest(code)
  }
}
