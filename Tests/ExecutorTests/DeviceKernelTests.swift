import CKernels
import DeviceModel
import Support
import Testing

extension LevelTests {
  /// Random numbers and programmed cells are the same, to the bit, at every level that this processor has.
  @Suite(.serialized) struct DeviceKernelTests {
    @Test func randomNumbersAgreeAtEveryLevel() {
      let stream = RandomStream(seed: 0x1234_5678_9ABC_DEF0, trial: 3, .conversions, part: 7)
      xbar_use_level(0)
      let expected = stream.draw(first: 5, 6, 7, 8, count: 1003)
      atEveryLevel { level in
        let found = stream.draw(first: 5, 6, 7, 8, count: 1003)
        #expect(found.words == expected.words)
        #expect(found.normals.map(\.bitPattern) == expected.normals.map(\.bitPattern), "level \(level)")
      }
      // One by one, as well.
      for k in [0, 1, 15, 16, 17, 1002] {
        let found = stream.draw(first: 5 + k, 6, 7, 8, count: 1)
        #expect(found.words == Array(expected.words[4 * k..<4 * k + 4]))
        #expect(found.normals == Array(expected.normals[4 * k..<4 * k + 4]))
      }
    }

    @Test func cellsAgreeAtEveryLevel() throws {
      var random = SeededGenerator(seed: 42)
      for round in 0..<60 {
        let device = try randomDevice(&random)
        let bits = random.inside(1...8)
        let programmer = CellProgrammer(device, levels: 1 << bits, seed: random.next(), trial: round)
        let levels = (0..<random.inside(1...300)).map { _ in UInt8(random.below(1 << bits)) }
        xbar_use_level(0)
        let expected = programmer.conductances(levels, crossbar: round)
        #expect(expected.allSatisfy { $0 >= 0 && $0.isFinite })
        atEveryLevel { level in
          let found = programmer.conductances(levels, crossbar: round)
          #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "level \(level) \(device)")
        }
      }
    }
  }
}
