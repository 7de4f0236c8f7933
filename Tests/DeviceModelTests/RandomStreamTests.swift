import CKernels
import DeviceModel
import Testing

@Suite struct RandomStreamTests {
  /// Known answers of Threefry-4x32 with 13 rounds, from the test vectors that its authors publish.
  @Test func wordsAreThoseOfThreefry() {
    func words(_ key: [UInt32], _ counter: [UInt32]) -> [UInt32] {
      var (words, normals) = ([UInt32](repeating: 0, count: 4), [Float](repeating: 0, count: 4))
      var key = xbar_random_key(words: (key[0], key[1], key[2], key[3]))
      xbar_draw(&key, counter, 1, &words, &normals)
      return words
    }
    let ones = [UInt32](repeating: .max, count: 4)
    #expect(words([0, 0, 0, 0], [0, 0, 0, 0]) == [0x531C_7E4F, 0x3949_1EE5, 0x2C85_5A92, 0x3D6A_BF9A])
    #expect(words(ones, ones) == [0xC418_9358, 0x1C9C_C83A, 0xD588_1C67, 0x6A0A_89E0])
  }

  /// The first four moments, tails, and correlations of a million normal numbers.
  @Test func normalsAreNormal() {
    let stream = RandomStream(seed: 1, trial: 0, .cells)
    let z = stream.draw(first: 0, 0, count: 250_000).normals.map { Double($0) }
    let n = Double(z.count)
    func mean(_ f: (Double) -> Double) -> Double { z.reduce(0) { $0 + f($1) } / n }
    #expect(abs(mean { $0 }) < 0.005)
    #expect(abs(mean { $0 * $0 } - 1) < 0.007)
    #expect(abs(mean { $0 * $0 * $0 }) < 0.015)
    #expect(abs(mean { $0 * $0 * $0 * $0 } - 3) < 0.06)
    #expect(abs(mean { $0 < 1 ? 1 : 0 } - 0.841345) < 0.002)
    #expect(abs(mean { $0 < -2 ? 1 : 0 } - 0.0227501) < 0.0008)
    #expect(abs(mean { abs($0) > 4 ? 1 : 0 } - 6.334e-5) < 4e-5)
    for lag in [1, 2, 3, 4, 64] {
      let sum = zip(z, z.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(sum / n) < 0.005, "lag \(lag)")
    }
  }
}
