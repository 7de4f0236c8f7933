public import Mapping

/// A time from one clock to another one.
public struct ClockSpan: Hashable, Sendable, BitwiseCopyable {
  /// The first clock.
  public let start: Int
  /// The clock after the last one.
  public let end: Int

  /// Creates a span.
  public init(_ start: Int, _ end: Int) {
    self.start = start
    self.end = end
  }

  /// Clocks of the span.
  public var length: Int { end &- start }
}

/// What happens to one input buffer.
public struct BufferSpan: Hashable, Sendable, BitwiseCopyable {
  /// The buffer is filled and its values are checked.
  public let fetch: ClockSpan
  /// The crossbars compute with it; nil where the buffer was skipped.
  public let compute: ClockSpan?

  /// Creates the spans of a buffer.
  public init(fetch: ClockSpan, compute: ClockSpan?) {
    self.fetch = fetch
    self.compute = compute
  }
}

/// An input buffer as a pipeline meets it.
public struct BufferWork: Hashable, Sendable, BitwiseCopyable {
  /// Clocks to fill the buffer and to check its values, from 0 up.
  public var fetch: Int
  /// Clocks on the crossbars, from 0 up.
  public var compute: Int
  /// Whether nothing was delivered to the crossbars, so that they may leave the buffer out.
  public var isEmpty: Bool

  /// Creates a buffer's work.
  public init(fetch: Int, compute: Int, isEmpty: Bool = false) {
    self.fetch = fetch
    self.compute = compute
    self.isEmpty = isEmpty
  }
}

/// The clocks at which input buffers are filled from memory and computed on the crossbars of one layer.
///
/// Buffers come one after the other, each to be computed or skipped; the pipeline keeps a few numbers, whatever their
/// count, so that it can follow millions of positions. Clocks count from 0, when the first fetch begins, and wrap
/// beyond 2^63. With `M` for the fetch and `C` for the computation of buffer `i`, overlapped as in the in-layer
/// pipeline for memory and computation (IPMC) of Ji et al., "ReCom", DATE'18:
///
///     startM(i) = max(endM(i-1), startC(i-1))     the memory is free, and the crossbars have taken the buffer over
///     startC(i) = max(endM(i), endC(i-1))         the buffer is full, and the crossbars are free
///
/// A skipped buffer is free as soon as it is full: `startC(i) = endM(i)` and `endC(i) = endC(i-1)`.
public struct BufferPipeline: Hashable, Sendable, BitwiseCopyable {
  /// When the memory works.
  public let order: FetchOrder
  /// Clocks in which the crossbars wait for memory between the beginning of their first computation and the end of
  /// their last one. The clocks of the fetches before the first computation and after the last one do not count.
  public private(set) var stalls = 0
  private var fetchEnd = 0
  private var computeStart = 0
  private var computeEnd = 0
  private var hasComputed = false

  /// A pipeline before its first buffer.
  public init(_ order: FetchOrder) { self.order = order }

  /// The clock at which both the memory and the crossbars are through with all buffers so far.
  public var end: Int { max(fetchEnd, computeEnd) }

  /// Adds a buffer that takes `fetch` clocks to be filled and `compute` clocks on the crossbars; both from 0 up.
  @discardableResult
  public mutating func add(fetch: Int, compute: Int) -> BufferSpan {
    let filled = fill(fetch)
    let start = max(fetchEnd, computeEnd)
    // The crossbars wait for nothing else than a full buffer.
    if hasComputed { stalls &+= start &- computeEnd }
    hasComputed = true
    computeStart = start
    computeEnd = start &+ compute
    return BufferSpan(fetch: filled, compute: ClockSpan(start, computeEnd))
  }

  /// Adds a buffer that takes `fetch` clocks, from 0 up, to be filled and is not computed.
  @discardableResult
  public mutating func skip(fetch: Int) -> BufferSpan {
    let filled = fill(fetch)
    computeStart = fetchEnd
    return BufferSpan(fetch: filled, compute: nil)
  }

  /// Adds a buffer: skips it if it is empty and `skipsEmpty` says so, computes it otherwise.
  @discardableResult
  public mutating func add(_ work: BufferWork, skipsEmpty: Bool = true) -> BufferSpan {
    work.isEmpty && skipsEmpty ? skip(fetch: work.fetch) : add(fetch: work.fetch, compute: work.compute)
  }

  /// Fills the next buffer.
  private mutating func fill(_ clocks: Int) -> ClockSpan {
    let start = order == .doubleBuffered ? max(fetchEnd, computeStart) : end
    fetchEnd = start &+ clocks
    return ClockSpan(start, fetchEnd)
  }
}
