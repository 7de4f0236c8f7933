import CommandLineTools
import DeviceModel
import Driver
import RunDriver
import Support

@testable import Workbench

/// What `body` throws, or nil.
func refusal(_ body: () throws(Diagnostic) -> Void) -> Diagnostic? {
  do throws(Diagnostic) {
    try body()
    return nil
  } catch { return error }
}

/// The request of a command line of `xbar sweep`.
func sweepRequest(_ words: String...) throws(Diagnostic) -> SweepRequest {
  guard case .run(_, let arguments) = try sweepSpec.parse(["m.onnx", "--input", "x.npz"] + words) else {
    throw Diagnostic("test.help", "help")
  }
  return try SweepRequest(arguments)
}

/// A point that gave `accuracies`, or that was refused where there are none.
func outcome(_ point: SweepPoint, _ accuracies: [Double], height: Int = 16) -> SweepOutcome {
  guard let top1 = TrialStatistics(accuracies) else {
    return SweepOutcome(point: point, result: .failure(Diagnostic("test.refused", "it is not wanted")))
  }
  var conversions = PartialSumErrors()
  (conversions.compared, conversions.wrong) = (1000, 25)
  return SweepOutcome(
    point: point,
    result: .success(
      SweepMeasurement(
        machine: "sre", isWholeArray: height == 128, isLossless: true, adcBits: 6, crossbars: 3, top1: top1,
        interval: top1.interval(samples: 200), conversions: conversions, saturated: 0, energy: 1500,
        time: 2500)))
}

/// A record with an outcome for each point of `request`.
func record(_ request: SweepRequest, _ outcome: (Int, SweepPoint) -> SweepOutcome) throws -> SweepRecord {
  let points = try request.points()
  return SweepRecord(
    request: request, network: "net", samples: 200,
    outcomes: points.enumerated().map { outcome($0.offset, $0.element) })
}
