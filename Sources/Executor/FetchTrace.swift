public import DeviceModel
import Mapping
import ProgramFormat
public import Support

/// What happens to the input buffers of a layer for one sample.
public struct LayerFetches: Equatable, Sendable {
  /// The layer.
  public let name: String
  /// The crossbar of the first block that each buffer feeds.
  public let crossbars: [Int]
  /// Clocks in which the layer reads from memory outside of the chip, before its first position.
  public let outsideClocks: Int
  /// For each position, in order, the spans of its buffers, in clocks from the beginning of the position.
  public let positions: [[BufferSpan]]

  /// Clocks that a position takes.
  public static func clocks(_ position: [BufferSpan]) -> Int {
    position.reduce(0) { max($0, $1.fetch.end, $1.compute?.end ?? 0) }
  }
}

extension ExecutablePlan {
  /// Input buffers that are filled for a sample.
  public var bufferFills: Int {
    layers.indices.reduce(0) {
      $0 &+ sampleEvents.layers[$1].positions &* (layers[$1].fetch?.buffers.count ?? 0)
    }
  }

  /// Follows the input buffers of every layer whose fetches are planned through one sample, whose elements `inputs`
  /// holds for each graph input. Throws what `run` throws.
  public func fetches(inputs: [[Float]]) throws(Diagnostic) -> [LayerFetches] {
    try checkInputs(inputs, 1)
    let runner = try BatchRunner(self, capacity: 1, recordsSpans: true)
    _ = try runner.run(inputs, 0..<1)
    return layers.indices.compactMap { number in
      layers[number].fetch.map { fetch in
        LayerFetches(
          name: program.layers[number].name, crossbars: fetch.buffers.map(\.crossbar),
          outsideClocks: sampleEvents.layers[number].clocks, positions: runner.counts[number].positions)
      }
    }
  }
}
