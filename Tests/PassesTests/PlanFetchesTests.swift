import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

@Suite("plan-fetches")
struct PlanFetchesTests {
  private func sample(inputs: Int) -> LayerSample {
    var sample = LayerSample()
    (sample.rows, sample.columns) = (40, 3)
    sample.weights = (0..<120).map { Int64($0 % 7) - 3 }
    sample.x = [Int64](repeating: 1, count: 40)
    sample.inputs = .integer(bits: inputs, signed: false)
    (sample.array.rows, sample.array.columns) = (32, 32)
    return sample
  }

  private func layer(_ passes: String, _ sample: LayerSample, buffer: Int?) throws -> Layer {
    var module = sample.module
    module.machine?.memory = buffer.map {
      MemorySystem(
        clockMegahertz: 100, sramBytes: 1000, bufferBytes: $0, dramLatencyNanoseconds: 10, valuesPerClock: 1)
    }
    var context = PassContext()
    let result = try run("slice-bits, \(passes)", on: AnyModule(module), in: &context).crossbarModule
    return try #require(result.layers.first).layer
  }

  @Test func layersSayWhenTheyFetch() throws {
    let sample = sample(inputs: 8)
    #expect(try layer("form-units", sample, buffer: 32).fetch == nil)
    #expect(try layer("form-units, plan-fetches", sample, buffer: 32).fetch == .doubleBuffered)
    let serial = try layer("form-units, plan-fetches(order: serial), place-blocks", sample, buffer: 32)
    #expect(serial.fetch == .serial && serial.blocks.count == 2)
  }

  /// 32 wordlines of 8 bits fill a buffer of 32 bytes; of 9 bits, one of 36.
  @Test func buffersHoldTheWordlinesOfACrossbar() throws {
    #expect(try layer("form-units, plan-fetches", sample(inputs: 9), buffer: 36).fetch != nil)
    expectFailure("plan-fetches.buffer") {
      _ = try layer("form-units, plan-fetches", sample(inputs: 9), buffer: 35)
    }
    expectFailure("plan-fetches.memory") {
      _ = try layer("form-units, plan-fetches", sample(inputs: 8), buffer: nil)
    }
    for units in ["zero-skipping", "dynamic"] {
      expectFailure("plan-fetches.units") {
        _ = try layer("form-units(units: \(units)), plan-fetches", sample(inputs: 8), buffer: 32)
      }
    }
    expectFailure("pass.requires") { _ = try layer("plan-fetches", sample(inputs: 8), buffer: 32) }
  }
}
