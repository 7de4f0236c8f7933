import DeviceModel
import Hardware
import Mapping

/// A run of a pipeline with what happens to each buffer.
struct BufferSchedule: Hashable, Sendable {
  /// One span for each buffer, in their order.
  let spans: [BufferSpan]
  /// The clock at which all is done.
  let end: Int
  /// Clocks in which the crossbars wait, as `BufferPipeline.stalls` counts them.
  let stalls: Int

  /// Runs `buffers` through a pipeline of `order`, which leaves empty buffers out if `skipsEmpty` says so.
  init(of buffers: [BufferWork], _ order: FetchOrder, skipsEmpty: Bool = true) {
    var pipeline = BufferPipeline(order)
    spans = buffers.map { pipeline.add($0, skipsEmpty: skipsEmpty) }
    end = pipeline.end
    stalls = pipeline.stalls
  }
}
