import DeviceModel
import Driver
import Support
import Testing

@testable import Workbench

@Suite struct SweepAxisTests {
  @Test func knowsWhatItVaries() throws {
    let height = try SweepAxis("height=2..16")
    #expect(height.kind == .unitHeight && height.values.map(\.number) == [2, 4, 8, 16])
    let adc = try SweepAxis(" adc = 3..5,8")
    #expect(
      adc.kind == .converterBits && adc.name == "adc" && adc.values.map(\.text) == ["3", "4", "5", "8"])
    for name in ["ratio", "sigma", "sigma-scale", "readNoise.cell", "wires.bitlineOhms"] {
      let axis = try SweepAxis("\(name)=0,1")
      #expect(axis.kind == .device && axis.name == name && !axis.isWord)
    }
    #expect(try SweepAxis("sensing.references=fixed,input-aware").isWord)
  }

  /// Every figure of a device can be varied, and its label says what it is.
  @Test(arguments: DeviceField.all.map(\.path)) func everyFigureIsAnAxis(path: String) throws {
    let field = try #require(DeviceField.all.first { $0.path == path })
    let value = field.unit == "word" ? String(field.expectation.prefix { $0 != "," }) : "1"
    let axis = try SweepAxis("\(path)=\(value)")
    #expect(axis.label.contains(field.summary) && axis.label.hasPrefix(path))
    #expect(["1", "word"].contains(field.unit) == !axis.label.hasSuffix("(\(field.unit))"))
  }

  @Test func namesTheNearestAxis() {
    for (text, near) in [
      ("hight=2", "height"), ("sgma=0", "sigma"), ("readNoise.cel=0", "readNoise.cell"), ("ratoi=5", "ratio"),
    ] {
      let error = refusal { () throws(Diagnostic) in _ = try SweepAxis(text) }
      #expect(error?.id == "sweep.axis" && error?.notes.first == "did you mean '\(near)'?", "\(text)")
    }
    for text in ["", "height", "=3", "temperature=300"] {
      let error = refusal { () throws(Diagnostic) in _ = try SweepAxis(text) }
      #expect(error?.id == "sweep.axis" && error?.notes.isEmpty == false, "\(text)")
    }
  }

  @Test(arguments: [
    "height=0", "height=2.5", "height=8192", "height=a", "adc=0", "adc=17", "adc=3:4:0.5", "sigma=a",
    "ratio=nan",
    "sigma=0..3", "height=", "sensing.references=",
  ]) func refusesValues(text: String) {
    #expect(refusal { () throws(Diagnostic) in _ = try SweepAxis(text) }?.id == "sweep.values", "\(text)")
  }

  @Test(arguments: [
    ("ratio=5,10,50", true), ("ratio=2,4,8", false), ("sigma=0,0.1,1", false), ("sigma=0.01:0.2:0.01", false),
    ("readNoise.cell=0.001,0.01,0.1", true), ("ratio=10", false), ("ratio=10,100", false),
  ]) func decadesAreLogarithmic(text: String, expected: Bool) throws {
    #expect(try SweepAxis(text).isLogarithmic == expected, "\(text)")
  }

  @Test func setsWhatItVaries() throws {
    var units = UnitSettings()
    units = try SweepAxis("height=8").apply(AxisValue("8"), to: units)
    units = try SweepAxis("adc=5").apply(AxisValue("5"), to: units)
    units = try SweepAxis("sigma=0.5").apply(AxisValue("0.5"), to: units)
    #expect(units == UnitSettings(height: 8, adcBits: 5))
  }
}
