import DeviceModel
import Hardware
import Mapping
import Support
import Testing

/// Memory, one buffer and the crossbars, moved from clock to clock. Knows nothing of the formulas of `BufferPipeline`.
private struct ClockedPipeline {
  private let buffers: [BufferWork]
  private let overlaps: Bool
  private var clock = 0
  private var next = 0
  private var fetchEnds: Int?
  private var fullBuffer: Int?
  private var computeEnds: Int?
  private var busy: [Bool] = []
  private(set) var fetches: [ClockSpan] = []
  private(set) var computations: [ClockSpan?]

  init(_ buffers: [BufferWork], overlaps: Bool) {
    self.buffers = buffers
    self.overlaps = overlaps
    computations = buffers.map { _ in nil }
    while !isDone {
      while event() {}
      if isDone { break }
      busy.append(computeEnds != nil)
      clock += 1
    }
  }

  private var isDone: Bool {
    next == buffers.count && fetchEnds == nil && fullBuffer == nil && computeEnds == nil
  }

  /// The clock behind the last event.
  var end: Int { clock }

  /// Clocks without a computation between the first and the last one with a computation.
  var stalls: Int {
    guard let first = busy.firstIndex(of: true), let last = busy.lastIndex(of: true) else { return 0 }
    return busy[first...last].count { !$0 }
  }

  /// Lets one thing happen at this clock; false where nothing is left to happen.
  private mutating func event() -> Bool {
    if computeEnds == clock {
      computeEnds = nil
      return true
    }
    if fetchEnds == clock {
      fetchEnds = nil
      fullBuffer = buffers[next - 1].isEmpty ? nil : next - 1
      return true
    }
    if let number = fullBuffer, computeEnds == nil {
      computeEnds = clock + buffers[number].compute
      computations[number] = ClockSpan(clock, clock + buffers[number].compute)
      fullBuffer = nil
      return true
    }
    if next < buffers.count, fetchEnds == nil, fullBuffer == nil, overlaps || computeEnds == nil {
      fetchEnds = clock + buffers[next].fetch
      fetches.append(ClockSpan(clock, clock + buffers[next].fetch))
      next += 1
      return true
    }
    return false
  }
}

/// Buffers of a seed: few or many, short or long, mostly empty or mostly not.
private func randomBuffers(_ seed: Int, atLeast least: Int = 0) -> [BufferWork] {
  var random = SeededGenerator(seed: UInt64(seed))
  let (fetches, computations) = (random.inside(0...12), random.inside(0...12))
  let empty = random.unit()
  return (0..<random.inside(0...24)).map { _ in
    BufferWork(
      fetch: random.inside(least...max(least, fetches)),
      compute: random.inside(least...max(least, computations)),
      isEmpty: random.chance(empty))
  }
}

@Suite struct BufferPipelineLawTests {
  @Test(arguments: FetchOrder.allCases)
  func agreesWithAClockedModel(_ order: FetchOrder) {
    for seed in 0..<1000 {
      let buffers = randomBuffers(seed)
      let model = ClockedPipeline(buffers, overlaps: order == .doubleBuffered)
      let schedule = BufferSchedule(of: buffers, order)
      #expect(schedule.spans.map(\.fetch) == model.fetches, "seed \(seed)")
      #expect(schedule.spans.map(\.compute) == model.computations, "seed \(seed)")
      #expect(schedule.end == model.end, "seed \(seed)")
    }
  }

  /// The clocked model sees no computation of 0 clocks, so that here all take a clock at least.
  @Test(arguments: FetchOrder.allCases)
  func stallsAgreeWithAClockedModel(_ order: FetchOrder) {
    var found = 0
    for seed in 0..<1000 {
      let buffers = randomBuffers(seed, atLeast: 1)
      let model = ClockedPipeline(buffers, overlaps: order == .doubleBuffered)
      #expect(BufferSchedule(of: buffers, order).stalls == model.stalls, "seed \(seed)")
      found += model.stalls > 0 ? 1 : 0
    }
    #expect(found > 300)
  }

  @Test func overlappingIsNeverLater() {
    var gains = 0
    for seed in 0..<1000 {
      let buffers = randomBuffers(seed)
      for skips in [true, false] {
        let overlapped = BufferSchedule(of: buffers, .doubleBuffered, skipsEmpty: skips).end
        let serial = BufferSchedule(of: buffers, .serial, skipsEmpty: skips).end
        #expect(overlapped <= serial, "seed \(seed)")
        // Two that work at the same time are at most twice as fast.
        #expect(serial <= 2 * overlapped, "seed \(seed)")
        gains += overlapped < serial ? 1 : 0
      }
    }
    #expect(gains > 1000)
  }

  @Test func skippingIsNeverLater() {
    for seed in 0..<1000 {
      var buffers = randomBuffers(seed)
      for order in FetchOrder.allCases {
        let all = BufferSchedule(of: buffers, order, skipsEmpty: false)
        #expect(BufferSchedule(of: buffers, order).end <= all.end, "seed \(seed)")
      }
      // One more buffer that is skipped does not end later either.
      guard let full = buffers.firstIndex(where: { !$0.isEmpty }) else { continue }
      let before = BufferSchedule(of: buffers, .doubleBuffered).end
      buffers[full].isEmpty = true
      #expect(BufferSchedule(of: buffers, .doubleBuffered).end <= before, "seed \(seed)")
    }
  }

  @Test func equalStagesTakeOneMoreThanTheirNumber() {
    for count in 1...40 {
      for clocks in 0...9 {
        let buffers = [BufferWork](repeating: BufferWork(fetch: clocks, compute: clocks), count: count)
        #expect(BufferSchedule(of: buffers, .doubleBuffered).end == (count + 1) * clocks)
        #expect(BufferSchedule(of: buffers, .serial).end == 2 * count * clocks)
      }
    }
  }

  @Test func theSlowerStageSetsThePace() {
    for count in 1...20 {
      for fetch in 0...6 {
        for compute in 0...6 {
          let buffers = [BufferWork](repeating: BufferWork(fetch: fetch, compute: compute), count: count)
          let expected = fetch + compute + (count - 1) * max(fetch, compute)
          #expect(BufferSchedule(of: buffers, .doubleBuffered).end == expected)
        }
      }
    }
  }

  /// What the spans of every schedule have in common, read from them alone.
  @Test(arguments: FetchOrder.allCases)
  func spansAreConsistent(_ order: FetchOrder) {
    for seed in 0..<500 {
      let buffers = randomBuffers(seed)
      let schedule = BufferSchedule(of: buffers, order)
      var (fetched, computed) = (0, 0)
      for (buffer, span) in zip(buffers, schedule.spans) {
        #expect(span.fetch.length == buffer.fetch && span.fetch.start >= fetched, "seed \(seed)")
        #expect((span.compute == nil) == buffer.isEmpty, "seed \(seed)")
        fetched = span.fetch.end
        guard let compute = span.compute else { continue }
        #expect(compute.length == buffer.compute, "seed \(seed)")
        #expect(compute.start >= max(span.fetch.end, computed), "seed \(seed)")
        computed = compute.end
      }
      #expect(schedule.end == max(fetched, computed), "seed \(seed)")
      let spans = schedule.spans.compactMap(\.compute)
      let busy = spans.reduce(0) { $0 + $1.length }
      let whole = (spans.last?.end ?? 0) - (spans.first?.start ?? 0)
      #expect(schedule.stalls == whole - busy, "seed \(seed)")
    }
  }
}
