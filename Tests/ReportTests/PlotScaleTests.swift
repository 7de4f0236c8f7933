import Testing

@testable import Report

private func scale(
  _ values: [Double], _ scale: LinePlot.Scale = .linear, range: ClosedRange<Double>? = nil,
  isPercent: Bool = false, reachesTicks: Bool = true
) -> PlotScale {
  let axis = LinePlot.Axis("", scale: scale, range: range, isPercent: isPercent)
  return PlotScale(axis, values: values, reachesTicks: reachesTicks)
}

private func texts(_ scale: PlotScale) -> [String] { scale.ticks.map(\.text) }

@Suite struct PlotScaleTests {
  @Test func linearTicksAreRound() {
    #expect(texts(scale([0.02, 0.47])) == ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"])
    #expect(texts(scale([0, 11.5])) == ["0", "2", "4", "6", "8", "10", "12"])
    #expect(texts(scale([-1.5, 2])) == ["-2", "-1", "0", "1", "2"])
    #expect(texts(scale([100, 2300])) == ["0", "500", "1,000", "1,500", "2,000", "2,500"])
    #expect(texts(scale([0.001, 0.0042])) == ["0.001", "0.002", "0.003", "0.004", "0.005"])
    #expect(scale([0.3, 0.1 + 0.2, 0.9]).range == 0.3...0.9)
  }

  @Test func linearAxesMayEndBetweenTicks() {
    let axis = scale([0.5, 10.5], reachesTicks: false)
    #expect(axis.range == 0.5...10.5 && texts(axis) == ["2", "4", "6", "8", "10"])
    let given = scale([0, 100], range: 1...4)
    #expect(given.range == 1...4 && texts(given) == ["1", "2", "3", "4"])
  }

  @Test func wholeValuesHaveWholeTicks() {
    #expect(texts(scale([0, 1, 2])) == ["0", "1", "2"])
    #expect(texts(scale([3, 8], reachesTicks: false)) == ["3", "4", "5", "6", "7", "8"])
    #expect(texts(scale([0, 1], isPercent: true)).first == "0 %")
    #expect(texts(scale([0, 1], isPercent: true)).count == 6)
  }

  @Test func percentagesAreMarked() {
    #expect(texts(scale([0.1, 0.97], isPercent: true)) == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
    #expect(texts(scale([0.981, 0.989], isPercent: true)).first == "98.0 %")
    #expect(texts(scale([0.001, 0.1], .log10, isPercent: true)).first == "0.1 %")
    #expect(texts(scale([0.125, 0.5], .log2, isPercent: true)) == ["12.5 %", "25 %", "50 %"])
  }

  @Test func largeAndSmallNumbersHavePowers() {
    #expect(
      texts(scale([0, 3e-9])) == [
        "0", "0.5×10⁻⁹", "1.0×10⁻⁹", "1.5×10⁻⁹", "2.0×10⁻⁹", "2.5×10⁻⁹", "3.0×10⁻⁹",
      ])
    #expect(texts(scale([0, 2.5e12])).last == "2.5×10¹²")
    #expect(texts(scale([-4e8, 0])).first == "-4×10⁸")
    #expect(texts(scale([9_999_900, 9_999_999])).last == "1.000000×10⁷")
  }

  @Test func powersOfTwo() {
    #expect(texts(scale([3, 100], .log2)) == ["2", "4", "8", "16", "32", "64", "128"])
    #expect(texts(scale([0.25, 1], .log2)) == ["0.25", "0.5", "1"])
    #expect(scale([8], .log2).range == 4...16)
    let wide = scale([1, 0x1p40], .log2)
    #expect(texts(wide).first == "2⁰" && texts(wide).count <= 9 && wide.minor.isEmpty)
    #expect(texts(scale([0x1p-12, 0x1p-10], .log2)) == ["2⁻¹²", "2⁻¹¹", "2⁻¹⁰"])
  }

  @Test func powersOfTen() {
    #expect(texts(scale([0.03, 70], .log10)) == ["0.1", "1", "10", "100"])
    #expect(scale([0.03, 70], .log10).range == 0.02...100)
    #expect(texts(scale([0.1, 1000], .log10)) == ["0.1", "1", "10", "100", "1,000"])
    #expect(texts(scale([210, 480], .log10)) == ["200", "500"])
    #expect(texts(scale([1e-9, 1e-8], .log10)) == ["10⁻⁹", "2×10⁻⁹", "5×10⁻⁹", "10⁻⁸"])
    #expect(scale([10], .log10).range == 5...20)
    let wide = scale([1e-30, 1e30], .log10)
    #expect((4...9).contains(wide.ticks.count) && wide.minor.isEmpty)
    #expect(texts(wide).contains("10⁰"))
    #expect(scale([1, 10], .log10).minor == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  }

  @Test func singleValuesAndNoneHaveARange() {
    #expect(scale([]).range == 0...1 && scale([], .log2).range == 1...2 && scale([], .log10).range == 1...10)
    #expect(scale([0]).range == -1...1)
    for value in [1e-200, 1e-30, 0.97, 5, -3, 1e30, 1e200] {
      let range = scale([value, value]).range
      #expect(range.contains(value) && range.lowerBound < range.upperBound && range.upperBound.isFinite)
    }
  }

  @Test func rangesThatCannotBeShownAreIgnored() {
    for range in [0...Double.infinity, 2...2, -1e300...1] {
      #expect(scale([1, 4], range: range).range == 1...4)
    }
    for range in [0...4.0, -1...1] { #expect(scale([1, 4], .log2, range: range).range == 1...4) }
    #expect(scale([1, 4], .log2, range: 5...7).ticks.isEmpty)
    #expect(scale([1, 4], .log2, range: 5...7).range == 5...7)
  }

  @Test func placesAreSharesOfTheAxis() throws {
    let linear = scale([0, 4])
    #expect(linear.place(0) == 0 && linear.place(1) == 0.25 && linear.place(4) == 1 && linear.place(8) == 2)
    let powers = scale([1, 16], .log2)
    #expect(powers.place(1) == 0 && powers.place(4) == 0.5 && powers.place(16) == 1)
    #expect(powers.place(0) == nil && powers.place(-1) == nil && powers.place(.nan) == nil)
    #expect(linear.place(.infinity) == nil && linear.place(.nan) == nil)
    let tens = scale([0.01, 100], .log10)
    #expect(abs(try #require(tens.place(1)) - 0.5) < 1e-12)
  }
}
