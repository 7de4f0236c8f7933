import DeviceModel
import Hardware
import Mapping
import Support
import Testing

/// Buffers of equal times; those whose digit is 0 are empty.
private func buffers(_ digits: String, fetch: Int = 1, compute: Int = 1) -> [BufferWork] {
  digits.map { BufferWork(fetch: fetch, compute: compute, isEmpty: $0 == "0") }
}

private func span(_ fetch: (Int, Int), _ compute: (Int, Int)?) -> BufferSpan {
  BufferSpan(
    fetch: ClockSpan(fetch.0, fetch.1), compute: compute.map { ClockSpan($0.0, $0.1) })
}

/// Compiles only for types without references, which copying and adding cannot allocate for.
private func isPlain<T: BitwiseCopyable>(_ type: T.Type) -> Bool { true }

@Suite struct BufferPipelineTests {
  /// Buffers, clocks of fetch and computation; then the ends overlapped, serial, and serial with empty buffers
  /// computed.
  @Test(arguments: [
    // One step each: filling takes one step more than computing alone, and empty buffers change nothing but the last
    // step.
    ("1111", 1, 1, 5, 8, 8), ("1011", 1, 1, 5, 7, 8), ("0000", 1, 1, 4, 4, 8), ("1000", 1, 1, 4, 5, 8),
    ("0001", 1, 1, 5, 5, 8),
    // Slow crossbars: they work all the time but for the first fetch.
    ("1111", 1, 4, 17, 20, 20), ("1011", 1, 4, 13, 16, 20), ("0000", 1, 4, 4, 4, 20),
    ("1000", 1, 4, 5, 8, 20),
    // Slow memory: it works all the time but for the last computation.
    ("1111", 4, 1, 17, 20, 20), ("1011", 4, 1, 17, 19, 20), ("0000", 4, 1, 16, 16, 20),
    ("1110", 4, 1, 16, 19, 20),
    ("", 3, 5, 0, 0, 0), ("1", 3, 5, 8, 8, 8), ("0", 3, 5, 3, 3, 8),
    // No time for one of the two.
    ("1111", 0, 3, 12, 12, 12), ("1011", 0, 3, 9, 9, 12), ("1111", 3, 0, 12, 12, 12), ("1111", 0, 0, 0, 0, 0),
  ])
  func ends(_ digits: String, _ fetch: Int, _ compute: Int, _ overlapped: Int, _ serial: Int, _ all: Int) {
    let work = buffers(digits, fetch: fetch, compute: compute)
    #expect(BufferSchedule(of: work, .doubleBuffered).end == overlapped)
    #expect(BufferSchedule(of: work, .serial).end == serial)
    #expect(BufferSchedule(of: work, .serial, skipsEmpty: false).end == all)
  }

  @Test func overlappedWithoutSkippingComputesEmptyBuffers() {
    let work = buffers("1011", fetch: 1, compute: 4)
    #expect(
      BufferSchedule(of: work, .doubleBuffered, skipsEmpty: false)
        == BufferSchedule(of: buffers("1111", fetch: 1, compute: 4), .doubleBuffered))
  }

  /// Memory is one buffer ahead; the buffer that is left out is free as soon as it is full.
  @Test func spansOfSlowCrossbars() {
    let schedule = BufferSchedule(of: buffers("1011", fetch: 1, compute: 4), .doubleBuffered)
    #expect(
      schedule.spans == [
        span((0, 1), (1, 5)), span((1, 2), nil), span((2, 3), (5, 9)), span((5, 6), (9, 13)),
      ])
    #expect(schedule.stalls == 0)
  }

  @Test func spansOfSlowMemory() {
    let schedule = BufferSchedule(of: buffers("1011", fetch: 4, compute: 1), .doubleBuffered)
    #expect(
      schedule.spans == [
        span((0, 4), (4, 5)), span((4, 8), nil), span((8, 12), (12, 13)), span((12, 16), (16, 17)),
      ])
    #expect(schedule.stalls == 7 + 3)
  }

  /// Fetches 2, 5, 1, 3 and computations 3, 1, 6, 2, by hand.
  @Test func spansOfUnequalBuffers() {
    let work = [
      BufferWork(fetch: 2, compute: 3), BufferWork(fetch: 5, compute: 1), BufferWork(fetch: 1, compute: 6),
      BufferWork(fetch: 3, compute: 2),
    ]
    let overlapped = BufferSchedule(of: work, .doubleBuffered)
    #expect(
      overlapped.spans == [
        span((0, 2), (2, 5)), span((2, 7), (7, 8)), span((7, 8), (8, 14)), span((8, 11), (14, 16)),
      ])
    #expect(overlapped.end == 16 && overlapped.stalls == 2)
    let serial = BufferSchedule(of: work, .serial)
    #expect(
      serial.spans == [
        span((0, 2), (2, 5)), span((5, 10), (10, 11)), span((11, 12), (12, 18)), span((18, 21), (21, 23)),
      ])
    #expect(serial.end == 23 && serial.stalls == 5 + 1 + 3)
  }

  /// Only what lies between the first and the last computation is a stall.
  @Test(arguments: [
    ("0010", 4, 1, 0), ("0110", 4, 1, 3), ("1001", 4, 1, 11), ("0000", 4, 1, 0), ("", 1, 1, 0),
    ("1111", 1, 1, 0),
    ("1001", 1, 1, 2), ("1001", 1, 2, 1), ("1001", 1, 3, 0),
  ])
  func stalls(_ digits: String, _ fetch: Int, _ compute: Int, _ stalls: Int) {
    let schedule = BufferSchedule(of: buffers(digits, fetch: fetch, compute: compute), .doubleBuffered)
    #expect(schedule.stalls == stalls)
  }

  @Test func serialStallsForEveryFetchButTheFirst() {
    #expect(BufferSchedule(of: buffers("1111", fetch: 3, compute: 5), .serial).stalls == 9)
    #expect(BufferSchedule(of: buffers("01010", fetch: 3, compute: 5), .serial).stalls == 6)
  }

  @Test func addingGivesTheSameAsASchedule() {
    var pipeline = BufferPipeline(.doubleBuffered)
    #expect(pipeline.end == 0 && pipeline.stalls == 0)
    #expect(pipeline.add(fetch: 2, compute: 3) == span((0, 2), (2, 5)))
    #expect(pipeline.skip(fetch: 7) == span((2, 9), nil))
    #expect(pipeline.end == 9)
    #expect(pipeline.add(BufferWork(fetch: 1, compute: 1, isEmpty: true)) == span((9, 10), nil))
    #expect(pipeline.add(BufferWork(fetch: 1, compute: 1)) == span((10, 11), (11, 12)))
    #expect(pipeline.end == 12 && pipeline.stalls == 6)
    #expect(pipeline.order == .doubleBuffered)
  }

  @Test func theStateIsAFewNumbers() {
    #expect(isPlain(BufferPipeline.self) && isPlain(BufferSpan.self) && isPlain(BufferWork.self))
    #expect(MemoryLayout<BufferPipeline>.size <= 48)
  }

  @Test func followsMillionsOfBuffers() {
    var pipeline = BufferPipeline(.doubleBuffered)
    for _ in 0..<5_000_000 { pipeline.add(fetch: 2, compute: 3) }
    #expect(pipeline.end == 2 + 15_000_000 && pipeline.stalls == 0)
  }

  @Test func clocksWrapInsteadOfStopping() {
    for order in FetchOrder.allCases {
      var pipeline = BufferPipeline(order)
      for _ in 0..<4 {
        pipeline.add(fetch: .max, compute: .max)
        pipeline.skip(fetch: .max)
      }
      #expect(pipeline.order == order)
    }
  }
}
