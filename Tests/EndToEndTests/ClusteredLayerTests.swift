import DeviceModel
import Executor
import IR
import LayerSamples
import Mapping
import Support
import Tensors
import Testing

/// Clustered layers through the program binary: the executor gives the integer product, with the columns back in their
/// places (reference: section 4.9).
@Suite("Clustered layers, end to end")
struct ClusteredLayerTests {
  @Test func outputsAreTheProduct() throws {
    var random = SeededGenerator(seed: 71)
    for number in 0..<200 {
      let sample = sparseLayerSample(number, &random)
      let slices =
        "slice-bits(signs: \(sample.signs.rawValue), order: \(sample.order), placement: \(sample.placement))"
      let order = ["kmeans", "greedy", "original"][number % 3]
      let signs = random.chance(0.5) ? "separate" : "together"
      let coding = random.chance(0.5) ? "encode-indices, " : ""
      let text =
        "\(slices), cluster-columns(order: \(order), signs: \(signs), split: \(random.inside(1...40))x1000), \(coding)"
        + "form-units(whole: \(random.chance(0.5)), lossless: true), place-blocks, schedule"
      let plan = try ExecutablePlan(try program(of: try apply(text, to: AnyModule(sample.module))))
      let run = try plan.run(inputs: [sample.graphInput.floats], samples: 1, threads: 1)
      #expect(run.outputs[0] == sample.product.map { Float($0) }, "\(number) \(text)")
      #expect(run.total.adcSaturations == 0)
    }
  }
}
