import Hardware
import Mapping
import NaiveTwin
import Support
import Testing

@Suite("Converters")
struct ConverterTests {
  @Test(arguments: [(4, nil, 1), (4, 15, 1), (4, 16, 2), (4, 30, 2), (4, 31, 3), (1, 5, 5), (16, 65_536, 2)])
  func steps(bits: Int, fullScale: Int?, step: Int) {
    #expect(Converter(bits: bits, fullScale: fullScale).step == step)
  }

  @Test func conversionsAreNearest() {
    for bits in 1...5 {
      for fullScale in 1...200 {
        let converter = Converter(bits: bits, fullScale: fullScale)
        let values = (0...converter.largestCode).map { $0 * converter.step }
        for sum in 0...250 {
          // Of two equally near values the larger one.
          let nearest = values.last { value in values.allSatisfy { abs($0 - sum) >= abs(value - sum) } }
          #expect(converter.convert(sum) == nearest)
          let rest = 2 * (sum - values[values.count - 1])
          #expect(converter.saturates(sum) == (rest >= converter.step))
        }
      }
    }
  }

  @Test func convertsLikeTheDefinition() {
    var random = SeededGenerator(seed: 33)
    for _ in 0..<500 {
      let bits = random.inside(1...12)
      let fullScale = random.chance(0.2) ? nil : random.inside(1...1 << random.inside(0...14))
      let (converter, naive) = (
        Converter(bits: bits, fullScale: fullScale), NaiveConverter(bits: bits, fullScale: fullScale)
      )
      #expect(converter.step == naive.step && converter.largestCode == naive.largestCode)
      for _ in 0..<20 {
        let sum = random.below(max(2, 3 * naive.largestCode * naive.step / 2))
        let expected = naive.convert(sum)
        #expect(converter.convert(sum) == expected.value && converter.saturates(sum) == expected.saturates)
      }
    }
  }

  @Test func groupsOfBitlines() {
    func columns(_ text: [(Int, Int)]) -> [ColumnEntry] {
      text.map { ColumnEntry(output: $0.0, shift: abs($0.1), negative: $0.1 < 0) }
    }
    let two = columns([(0, 1), (0, 3), (1, 0), (1, 2)])
    #expect(two.areGroups(of: 1) && two.areGroups(of: 2))
    #expect(!two.areGroups(of: 3) && !two.areGroups(of: 4))
    #expect(two.relativeShifts(of: 2) == [0, 2, 0, 2] && two.relativeShifts(of: 1) == [0, 0, 0, 0])
    #expect([ColumnEntry]().areGroups(of: 4))
    #expect(!columns([(0, 1), (0, -3)]).areGroups(of: 2) && !columns([(0, 3), (0, 1)]).areGroups(of: 2))
    #expect(columns([(0, 1), (0, 17)]).areGroups(of: 2) && !columns([(0, 1), (0, 18)]).areGroups(of: 2))
  }

  @Test func largestSumsOfUnits() {
    let levels = [3, 0, 2, 2, 1]
    #expect(UnitForming.fixed(height: 2, width: 1).largestSum(of: levels) == 4)
    #expect(UnitForming.zeroSkipping(height: 3, width: 1).largestSum(of: levels) == 5)
    #expect(UnitForming.dynamic(height: 2, width: 1).largestSum(of: levels) == 5)
    #expect(UnitForming.fixed(height: 9, width: 1).largestSum(of: []) == 0)
  }
}
