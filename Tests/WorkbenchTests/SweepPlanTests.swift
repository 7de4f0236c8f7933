import DeviceModel
import Driver
import RunDriver
import Support
import Testing

@testable import Workbench

@Suite struct SweepPlanTests {
  @Test func readsTheCommandLine() throws {
    let request = try sweepRequest(
      "--over", "height=2,4", "--over=sigma=0,0.1", "--scheme", "dense, sre", "--device", "ratio10,ratio50",
      "--trials", "7", "--seed", "9", "--stop-when", "ci=0.5", "--limit", "30", "--threads", "3", "--set",
      "quantize(weights: 4)", "--target", "isaac", "--calibration", "c.npz", "--without", "off-current",
      "--set-device", "readNoise.cell=0.1", "--labels", "y.npy")
    #expect(request.compilation.model == "m.onnx" && request.compilation.target == "isaac")
    #expect(request.compilation.overrides == "quantize(weights: 4)" && request.compilation.jobs == 3)
    #expect(
      request.compilation.calibration == "c.npz" && request.labels == "y.npy" && request.input == "x.npz")
    #expect(request.schemes == ["dense", "sre"] && request.axes.map(\.name) == ["height", "sigma"])
    #expect(request.devices.map(\.device.name) == ["ratio10", "ratio50"] && request.limit == 30)
    for settings in request.devices {
      #expect(settings.trials == 7 && settings.seed == 9 && settings.stopHalfWidth == 0.005)
      #expect(!settings.device.isOn(.offCurrent) && settings.device.readNoise.cell == 0.1)
    }
    #expect(request.changes == ["readNoise.cell=0.1", "without off-current"])
    let plain = try sweepRequest("--over", "adc=3..8")
    #expect(plain.schemes == ["dense"] && plain.devices.map(\.isIdeal) == [true] && plain.changes.isEmpty)
  }

  @Test func seriesFollowEachOtherAndEachRunsOverTheFirstAxis() throws {
    let points = try sweepRequest(
      "--over", "height=2,4", "--over", "sigma=0,0.1", "--scheme", "dense,sre", "--device", "ideal,ratio10"
    ).points()
    #expect(points.count == 16)
    #expect(points.map(\.scheme) == (0..<16).map { $0 < 8 ? "dense" : "sre" })
    #expect(points.map(\.device) == (0..<16).map { $0 / 4 % 2 == 0 ? "ideal" : "ratio10" })
    #expect(points.map { $0.values[1].text } == (0..<16).map { $0 / 2 % 2 == 0 ? "0" : "0.1" })
    #expect(points.map(\.units.height) == (0..<16).map { $0 % 2 == 0 ? 2 : 4 })
    #expect(Set(points.map(\.program)).count == 4)
    for point in points {
      let device = try point.settings.get().device
      #expect(device.variation.on == point.values[1].number && device.name == point.device)
      #expect(device.isOn(.offCurrent) == (point.device == "ratio10"))
    }
  }

  @Test func pointsThatADeviceRefusesStayInThePlan() throws {
    let points = try sweepRequest("--over", "ratio=0.5,10", "--over", "adc=4,5").points()
    #expect(points.count == 4)
    for point in points {
      switch point.settings {
      case .success(let settings): #expect(settings.device.cell.offResistance == 100_000)
      case .failure(let reason): #expect(reason.id == "device.range" && point.values[0].text == "0.5")
      }
    }
    let stuck = try sweepRequest("--over", "stuckCells.on=0,0.5,1", "--over", "stuckCells.off=0.5").points()
    #expect(stuck.map { (try? $0.settings.get()) != nil } == [true, true, false])
    let sigma = try sweepRequest("--over", "sigma=-1,0,5").points()
    #expect(sigma.map { (try? $0.settings.get()) != nil } == [false, true, false])
  }

  @Test func refusesPlansThatMakeNoSense() {
    for (words, id) in [
      (["--over", "sigma=0:1:0.001", "--over", "ratio=2:60:1"], "sweep.points"),
      (["--over", "sensing.references=fixed,other"], "device.range"),
    ] {
      let error = refusal { () throws(Diagnostic) in
        _ = try sweepRequest(
          words[0], words[1], words.count > 2 ? words[2] : "--seed", words.count > 3 ? words[3] : "1"
        )
        .points()
      }
      #expect(error?.id == id, "\(words)")
    }
    #expect(refusal { () throws(Diagnostic) in _ = try sweepRequest() }?.id == "usage.missing-option")
    for (words, id) in [
      (["adc=3", "adc=4", "sigma=0"], "sweep.axis"), (["adc=3", "adc=4"], "sweep.axis"),
      (["heigth=3"], "sweep.axis"),
    ] {
      let error = refusal { () throws(Diagnostic) in
        _ = try sweepRequest(
          "--over", words[0], "--over", words[words.count / 2], "--over=\(words[words.count - 1])")
      }
      #expect(error?.id == id, "\(words)")
    }
    for words in [
      ["--scheme", ","], ["--scheme", "dense,dense"], ["--device", "ratio10,ratio10"], ["--device", ","],
      ["--stop-when", "0.5"], ["--trials", "0"], ["--set-device", "sigma"],
    ] {
      let error = refusal { () throws(Diagnostic) in
        _ = try sweepRequest("--over", "adc=3", words[0], words[1])
      }
      #expect(error?.id == "usage.value", "\(words)")
    }
    #expect(
      refusal { () throws(Diagnostic) in _ = try sweepRequest("--over", "adc=3", "--device", "ratio11") }?.id
        == "device.unknown")
  }
}
