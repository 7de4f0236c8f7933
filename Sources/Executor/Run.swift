public import DeviceModel
import Mapping
import ProgramFormat
public import Support
import Synchronization

/// What one layer did.
public struct LayerResult: Equatable, Sendable {
  /// The layer's name.
  public let name: String
  /// Resolution of its converters.
  public let adcBits: Int
  /// Its events over all samples.
  public let events: Events
  /// Digits of its inputs that are not 0, as wide as its wordline drivers take them, over all samples, positions and
  /// passes. It does not depend on the mapping.
  public let inputDigits: Int
  /// How its codes differ from those of an ideal device for the same inputs; nothing is compared on the ideal device.
  public let partialSums: PartialSumErrors
}

/// Results and events of a run.
public struct RunResult: Equatable, Sendable {
  /// How many samples were run.
  public let samples: Int
  /// For each graph output, the elements of all samples, one sample after the other.
  public let outputs: [[Float]]
  /// What became of the values of each graph input.
  public let inputs: [InputCounts]
  /// Events by layer.
  public let layers: [LayerResult]
  /// Events of digital operators and of the memory outside of the chip.
  public let digital: Events

  /// Events of everything.
  public var total: Events {
    var total = digital
    for layer in layers { total += layer.events }
    return total
  }
}

extension ExecutablePlan {
  /// Runs `samples` samples on the ideal device.
  ///
  /// `inputs` holds for each graph input the elements of all samples, one sample after the other. `progress` is told
  /// how many more samples are done, from any thread. Results and events do not depend on `threads`.
  ///
  /// Throws `execute.input` where the number of inputs or of their elements is wrong, `execute.input-range`,
  /// `execute.range` and what digital operators throw for values out of range, and `execute.memory`.
  public func run(
    inputs: [[Float]], samples: Int, threads: Int, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws(Diagnostic) -> RunResult {
    try checkInputs(inputs, samples)
    let parts = try runParts(inputs, 0..<samples, threads: threads, on: nil, progress)
    return merge(parts, samples: samples)
  }

  /// Runs the samples `range` batch by batch; in a trial of a device where there is one.
  func runParts(
    _ inputs: [[Float]], _ range: Range<Int>, threads: Int, on trial: ProgrammedDevice?,
    _ progress: @escaping @Sendable (Int) -> Void
  ) throws(Diagnostic) -> [BatchResult] {
    let size = batchSize(samples: range.count, threads: threads)
    let idle = Mutex<[RunnerBox]>([])
    return try parallelMap(ceilDivide(range.count, size), threads: threads) { index throws(Diagnostic) in
      let first = range.lowerBound + index * size
      let part = first..<min(range.upperBound, first + size)
      let box: RunnerBox
      if let free = idle.withLock({ $0.popLast() }) {
        box = free
      } else {
        box = RunnerBox(try BatchRunner(self, capacity: size))
      }
      let outputs = try box.runner.run(inputs, part, on: trial)
      let result = BatchResult(outputs: outputs, counts: box.runner.counts, inputs: box.runner.inputCounts)
      idle.withLock { $0.append(box) }
      progress(part.count)
      return result
    }
  }

  func checkInputs(_ inputs: [[Float]], _ samples: Int) throws(Diagnostic) {
    guard inputs.count == program.inputs.count else {
      throw Diagnostic("execute.input", "\(inputs.count) inputs, expected \(program.inputs.count)")
    }
    for (port, values) in zip(program.inputs, inputs) {
      let (expected, overflow) = samples.multipliedReportingOverflow(by: places[port.buffer].count)
      guard samples >= 0, !overflow, values.count == expected else {
        throw Diagnostic(
          "execute.input",
          "input '\(port.name)' has \(values.count) elements, expected \(samples) x "
            + "\(places[port.buffer].count)")
      }
    }
  }

  /// Samples that are run in lockstep: few enough to keep their buffers in 64 MiB, and to occupy all threads.
  func batchSize(samples: Int, threads: Int) -> Int {
    let fitting = (1 << 26) / max(1, bytesPerSample)
    return max(1, min(64, fitting, ceilDivide(samples, max(1, threads))))
  }

  /// The results of all batches, in order.
  func merge(_ parts: [BatchResult], samples: Int) -> RunResult {
    let results = layers.indices.map { index in
      var events = Events()
      var inputDigits = 0
      var partialSums = PartialSumErrors()
      for part in parts {
        partialSums += part.counts[index].partialSums
        events += part.counts[index].events
        inputDigits &+= part.counts[index].inputDigits
      }
      events.add(sampleEvents.layers[index], times: samples)
      return LayerResult(
        name: program.layers[index].name, adcBits: program.layers[index].adcBits, events: events,
        inputDigits: inputDigits, partialSums: partialSums)
    }
    var digital = Events()
    digital.add(sampleEvents.digital, times: samples)
    let outputs = program.outputs.indices.map { port in parts.flatMap { $0.outputs[port] } }
    let inputs = program.inputs.enumerated().map { index, port in
      var sum = InputCounts(port.name)
      for part in parts { sum.add(part.inputs[index]) }
      return sum
    }
    return RunResult(
      samples: samples, outputs: outputs, inputs: inputs, layers: results, digital: digital)
  }
}

/// A runner that is handed from thread to thread; only one thread has it at a time.
private final class RunnerBox: @unchecked Sendable {
  let runner: BatchRunner
  init(_ runner: BatchRunner) { self.runner = runner }
}

struct BatchResult: Sendable {
  let outputs: [[Float]]
  let counts: [LayerCounts]
  let inputs: [InputCounts]
}
