import DeviceModel
import Executor
import Hardware
import Mapping
public import ProgramFormat
public import Report
public import Support

/// The timeline of a sample: for each processing element a lane of its memory and one of its crossbars, and above them
/// the memory outside of the chip. Layers follow one another, and so do the positions of a layer.
///
/// `inputs` holds the sample's elements for each graph input. Throws `trace.fetches` where no layer's fetches are
/// planned, `trace.size` for more buffers than a viewer takes, and what the executor throws.
public func fetchTimeline(of program: Program, inputs: [[Float]]) throws(Diagnostic) -> Timeline {
  guard let memory = program.machine.memory, program.layers.contains(where: { $0.fetch != nil }) else {
    throw Diagnostic(
      "trace.fetches", "no layer of the program says when its inputs are fetched",
      notes: ["compile with the scheme recom, or with plan-fetches in the pipeline"])
  }
  let plan = try ExecutablePlan(program)
  guard plan.bufferFills <= traceLimit else {
    throw Diagnostic(
      "trace.size", "a sample fills \(plan.bufferFills) input buffers, at most \(traceLimit) can be traced")
  }
  let layers = try plan.fetches(inputs: inputs)
  var timeline = Timeline(title: program.name)
  timeline.addLane(outsideLane)
  let elements = layers.flatMap(\.crossbars).map { $0 / program.machine.hierarchy.crossbarsPerComputeUnit }
  for element in Set(elements).sorted() {
    timeline.addLane(memoryLane(element))
    timeline.addLane(crossbarLane(element))
  }
  var start = 0.0
  for layer in layers {
    try timeline.add(layer, program.machine.hierarchy, memory.clockNanoseconds, &start)
  }
  return timeline
}

/// Buffers of a trace, at most.
private let traceLimit = 1 << 17

private let outsideLane = "memory outside of the chip"

private func memoryLane(_ element: Int) -> String { "PE \(element) buffers" }

private func crossbarLane(_ element: Int) -> String { "PE \(element) crossbars" }

extension Timeline {
  /// Adds a layer that begins at clock `start`, which becomes the clock at which it ends.
  fileprivate mutating func add(
    _ layer: LayerFetches, _ hierarchy: Hierarchy, _ clock: Double, _ start: inout Double
  )
    throws(Diagnostic)
  {
    func time(_ clocks: Int) -> Double { (start + Double(clocks)) * clock }
    if layer.outsideClocks > 0 {
      try add(.fetch, lane: outsideLane, from: time(0), to: time(layer.outsideClocks), label: layer.name)
    }
    start += Double(layer.outsideClocks)
    for (number, position) in layer.positions.enumerated() {
      for (buffer, span) in position.enumerated() {
        let element = layer.crossbars[buffer] / hierarchy.crossbarsPerComputeUnit
        let label = "\(layer.name), position \(number), buffer \(buffer)"
        try add(
          span.compute == nil ? .skip : .fetch, lane: memoryLane(element), from: time(span.fetch.start),
          to: time(span.fetch.end), label: label)
        guard let compute = span.compute else { continue }
        try add(
          .compute, lane: crossbarLane(element), from: time(compute.start), to: time(compute.end),
          label: label)
      }
      start += Double(LayerFetches.clocks(position))
    }
  }
}
