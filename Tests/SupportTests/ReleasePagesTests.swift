import Support
import Testing

@Suite("Pages given back")
struct ReleasePagesTests {
  /// What lies outside of the range stays; inside, whole pages are 0 and the rest stays.
  @Test func bytesOutsideStay() {
    let ranges: [Range<Int>] = [0..<0, 0..<100, 5000..<5001, 4000..<200_000, 1..<299_999, 0..<300_000]
    for range in ranges {
      var bytes = (0..<300_000).map { (k: Int) -> UInt8 in UInt8(k % 255 + 1) }
      let before = bytes
      let alias = bytes
      releasePages(of: &bytes, range)
      #expect(alias == before, "another array with the same bytes keeps them")
      #expect(bytes[..<range.lowerBound] == before[..<range.lowerBound])
      #expect(bytes[range.upperBound...] == before[range.upperBound...])
      let released = range.filter { bytes[$0] == 0 }
      #expect(released.count % 4096 == 0 && released.count > range.count - 2 * 4096)
      #expect(range.allSatisfy { bytes[$0] == 0 || bytes[$0] == before[$0] })
    }
  }

  @Test func rangesOutsideOfTheArrayAreLeftAlone() {
    var bytes = [UInt8](repeating: 7, count: 10_000)
    releasePages(of: &bytes, 0..<20_000)
    #expect(bytes.allSatisfy { $0 == 7 })
  }
}
