import Evaluation
import Testing

/// Intervals of shares, against numbers worked out from Wilson's formula in binary64 by hand.
@Suite struct ShareIntervalTests {
  @Test func agreesWithTheFormula() throws {
    let known: [(Int, Int, Double, Double)] = [
      (0, 10, 0, 0.2775327998628892), (5, 10, 0.236593090512564, 0.7634069094874361),
      (10, 10, 0.7224672001371107, 1), (9191, 10_000, 0.9135932107411551, 0.9242849218245439),
      (1, 1, 0.20654931437723745, 1),
    ]
    for (hits, count, low, high) in known {
      let found = try #require(ShareInterval(hits: hits, of: count))
      #expect(abs(found.low - low) < 1e-12 && abs(found.high - high) < 1e-12, "\(hits) of \(count)")
    }
  }

  @Test func staysWithinTheEnds() throws {
    for count in [1, 2, 3, 50, 1_000_000] {
      for hits in [0, 1, count / 2, count - 1, count] {
        let found = try #require(ShareInterval(hits: hits, of: count))
        let share = Double(hits) / Double(count)
        #expect(found.low >= 0 && found.low <= share && share <= found.high && found.high <= 1)
      }
    }
    let wide = ShareInterval(mean: 0.99, half: 0.05)
    #expect(wide.high == 1 && abs(wide.low - 0.94) < 1e-12)
    #expect(ShareInterval(mean: 0.01, half: 0.05).low == 0)
  }

  @Test func noSamplesHaveNone() {
    #expect(ShareInterval(hits: 0, of: 0) == nil && ShareInterval(hits: 3, of: 2) == nil)
    #expect(ShareInterval(hits: -1, of: 2) == nil)
  }
}
