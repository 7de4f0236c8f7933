import CodeGen
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

/// Passes that take one layer at a time, beside the same passes on modules.
@Suite("Pipelines layer by layer")
struct LayerPipelineTests {
  private func length(_ pipeline: String, samples: Int = 0) throws -> Int {
    let context = PassContext(calibration: Array(repeating: [], count: samples))
    return try LayerPipeline.length(of: try parsePipeline(pipeline), in: .standard, context)
  }

  @Test func theEndThatTakesLayersByThemselvesIsFound() throws {
    #expect(try length("lower-to-crossbar, slice-bits, form-units, place-blocks, schedule") == 4)
    #expect(try length("lower-to-crossbar, fold-constant-inputs, slice-bits, schedule") == 2)
    #expect(try length("slice-bits, form-units, place-blocks") == 3)
    #expect(try length("slice-bits, schedule, place-blocks, schedule") == 2)
    #expect(try length("quantize, schedule") == 1)
    #expect(try length("lower-to-program") == 0)
    #expect(try length("") == 0)
  }

  /// Outputs are compared where there are samples, which takes all layers.
  @Test func squeezingBySamplesTakesAllLayers() throws {
    let end = "form-units, place-blocks, schedule"
    #expect(try length("slice-bits, squeeze-bits, \(end)") == 5)
    #expect(try length("slice-bits, squeeze-bits, \(end)", samples: 1) == 3)
    #expect(try length("slice-bits, squeeze-bits(planes: 1), \(end)", samples: 1) == 5)
  }

  private let pipelines = [
    "slice-bits, form-units, place-blocks, schedule(capacity: warn)",
    "slice-bits, compress-rows, encode-indices, form-units(units: dynamic, cut: even), place-blocks(packing: side-by-side), schedule(capacity: warn)",
    "slice-bits(signs: offset), compress-columns, encode-indices, form-units, place-blocks(packing: stacked), schedule(capacity: warn)",
    "slice-bits(signs: offset, offset: output), compress-rows, encode-indices, form-units, place-blocks, schedule(capacity: warn)",
    "slice-bits(signs: twos-complement, cell: 1), remove-zero-lines, form-units(whole: true), place-blocks(packing: shelf), schedule(capacity: warn)",
    "slice-bits, remove-zero-lines(scope: layer), form-units(whole: true), place-blocks, schedule(capacity: warn)",
    "slice-bits, cluster-columns, form-units(whole: true, adc: 8), compose-analog(adc: 8), place-blocks, schedule(capacity: warn)",
    "slice-bits, prune-crossbar-rows(ratio: 0.3), form-units, place-blocks, schedule(capacity: warn)",
    "slice-bits(placement: inter, cell: 1), squeeze-bits(planes: 1), form-units, place-blocks, schedule(capacity: warn)",
  ]

  @Test(arguments: 0..<8) func theLayersAreThoseOfTheModule(number: Int) throws {
    let network = try run("infer-shapes, calibrate, quantize, lower-to-crossbar", on: try threeLayers())
    let calls = try parsePipeline(pipelines[number])
    var (context, alone) = (PassContext(), PassContext())
    let whole = try run(pipelines[number], on: network, in: &context).crossbarModule
    let module = try network.crossbarModule
    var pipeline = try LayerPipeline(calls, in: .standard, for: module, alone)
    var (seen, timed) = (0, 0)
    var results: [Layer] = []
    for (id, layer) in module.layers {
      var result = layer
      try pipeline.run(on: &result, at: module.ops[id].location) { _ in
        seen += 1
      } after: { _, _ in
        timed += 1
      }
      results.append(result)
    }
    let plan = try pipeline.plan(in: &alone)
    for index in results.indices {
      results[index].stage = plan.stages[results[index].name]
      results[index].segment = plan.segments[results[index].name] ?? 0
    }
    #expect(results == whole.layers.map(\.layer))
    // Squeezing and encoding tell of every layer; scheduling is no local pass.
    let telling = calls.count { ["squeeze-bits", "encode-indices"].contains($0.name) }
    #expect(seen == telling * 3 && timed == (calls.count - 1) * 3)
    #expect(alone.counts.map(\.name) == context.counts.map(\.name))
    #expect(alone.counts.map(\.value) == context.counts.map(\.value))
    #expect(alone.warnings == context.warnings)
    let crossbars = Set(whole.layers.flatMap { $0.layer.blocks.compactMap(\.placement?.crossbar) })
    #expect(crossbars.count > 4)
    #expect(context.warnings.map(\.id) == ["schedule.capacity"])
  }

  /// A convolution and two products for crossbars of 16x16, of which the machine has too few.
  private func threeLayers() throws -> Module<TensorLevel> {
    var net = Net(seed: 77)
    let x = net.input([1, 2, 5, 5])
    let a = try net.conv(x, ConvGeometry(filters: 3, kernel: [3, 3]), name: "conv")
    let b = try net.gemm(try net.digital(.reshape([1, 27]), a), 20, name: "first")
    net.output(try net.gemm(try net.digital(.unary(.relu), b), 6, name: "second"))
    var module = net.module
    module.machine = testMachine(rows: 16, columns: 16, unit: (8, 8), tiles: 1)
    return module
  }

  @Test func whatIsMissingIsSaidBeforeTheFirstLayer() throws {
    let module = try run("infer-shapes, calibrate, quantize, lower-to-crossbar", on: try threeLayers())
      .crossbarModule
    expectFailure("pass.requires") {
      _ = try LayerPipeline(
        try parsePipeline("form-units, slice-bits"), in: .standard, for: module, PassContext())
    }
    let open = try LayerPipeline(
      try parsePipeline("slice-bits, form-units"), in: .standard, for: module, PassContext())
    #expect(open.facts.contains(.partitioned) && !open.facts.contains(.placed))
    expectFailure("pass.option") {
      _ = try LayerPipeline(
        try parsePipeline("slice-bits(cel: 1)"), in: .standard, for: module, PassContext())
    }
  }
}
