import IR
import LayerSamples
import Passes
import Support
import Tensors
import Testing

/// Passes that take one layer at a time, beside the same passes on modules.
@Suite("Pipelines layer by layer")
struct LayerPipelineTests {
  private func length(_ pipeline: String, samples: Int = 0) throws -> Int {
    let context = PassContext(calibration: Array(repeating: [], count: samples))
    return try LayerPipeline.length(of: try parsePipeline(pipeline), in: context)
  }

  @Test func theEndThatTakesLayersByThemselvesIsFound() throws {
    #expect(
      try length("lower-to-crossbar, slice-bits, form-units, place-blocks, schedule, lower-to-program") == 5)
    #expect(
      try length("lower-to-crossbar, fold-constant-inputs, slice-bits, schedule, lower-to-program") == 3)
    #expect(try length("slice-bits, form-units, place-blocks, schedule") == 0)
    #expect(try length("slice-bits, place-blocks, lower-to-program") == 0)
    #expect(try length("lower-to-program") == 0 && length("") == 0)
  }

  /// Outputs are compared where there are samples, which takes all layers.
  @Test func squeezingBySamplesTakesAllLayers() throws {
    let end = "form-units, place-blocks, schedule, lower-to-program"
    #expect(try length("slice-bits, squeeze-bits, \(end)") == 6)
    #expect(try length("slice-bits, squeeze-bits, \(end)", samples: 1) == 4)
    #expect(try length("slice-bits, squeeze-bits(planes: 1), \(end)", samples: 1) == 6)
  }

  private let pipelines = [
    "slice-bits, form-units, place-blocks, schedule",
    "slice-bits, compress-rows, encode-indices, form-units(units: dynamic, cut: even), place-blocks(packing: beside), schedule",
    "slice-bits(signs: offset), compress-columns, encode-indices, form-units, place-blocks(packing: below), schedule",
    "slice-bits(signs: twos-complement, cell: 1), remove-zero-lines, form-units(whole: true), place-blocks(packing: rows), schedule",
    "slice-bits, remove-zero-lines(scope: layer), form-units(whole: true), place-blocks, schedule",
    "slice-bits, cluster-columns, form-units(whole: true, adc: 8), compose-analog(adc: 8), place-blocks, schedule",
    "slice-bits, prune-crossbar-rows(ratio: 0.3), form-units, place-blocks, schedule",
    "slice-bits(placement: inter, cell: 1), squeeze-bits(planes: 1), form-units, place-blocks, schedule",
  ]

  @Test(arguments: 0..<8) func theLayersAreThoseOfTheModule(number: Int) throws {
    let network = try run("infer-shapes, calibrate, quantize, lower-to-crossbar", on: threeLayers())
    let calls = try parsePipeline(pipelines[number])
    var (context, alone) = (PassContext(), PassContext())
    let whole = try run(pipelines[number], on: network, in: &context).crossbarModule
    let module = try network.crossbarModule
    var pipeline = try LayerPipeline(calls, for: module, in: alone)
    var (seen, timed) = (0, 0)
    for ((id, layer), (_, expected)) in zip(module.layers, whole.layers) {
      var result = layer
      try pipeline.run(on: &result, at: module.ops[id].location) { _, _ in
        seen += 1
      } after: { _, _ in
        timed += 1
      }
      #expect(result == expected)
    }
    try pipeline.conclude(in: &alone)
    #expect(seen == calls.count * 3 && timed == seen)
    #expect(alone.counts.map(\.name) == context.counts.map(\.name))
    #expect(alone.counts.map(\.value) == context.counts.map(\.value))
    #expect(alone.warnings == context.warnings)
    let crossbars = Set(whole.layers.flatMap { $0.layer.blocks.compactMap(\.crossbar) })
    #expect(pipeline.crossbars == crossbars.count && !crossbars.isEmpty)
  }

  /// Two products and a convolution of seeded weights, for crossbars of 16x16.
  private func threeLayers() -> Module<TensorLevel> {
    var random = SeededGenerator(seed: 12)
    func weights(_ shape: [Int]) -> Tensor {
      Tensor(
        shape, (0..<shape.reduce(1, *)).map { _ in Float(random.below(3) == 0 ? 0 : random.below(200) - 100) }
      )
    }
    var net = Builder(
      Module<TensorLevel>(name: "net", machine: testMachine(rows: 16, columns: 16, unit: (8, 8), tiles: 1)))
    let x = net.emit(
      .input, [], [NamedAttribute("name", .string("x"))], type: ValueType(.float32, [1, 2, 5, 5]), name: "x",
      origin: nil)
    let filters = net.constant(weights([3, 2, 3, 3]), element: .float32, name: "w1")
    let conv = net.emit(
      .conv, [x, filters],
      [
        NamedAttribute("strides", .ints([1, 1])), NamedAttribute("pads", .ints([0, 0, 0, 0])),
      ], type: ValueType(.float32, nil), name: "c", origin: nil)
    var value = net.emit(
      .reshape([1, 27]), [conv], type: ValueType(.float32, nil), name: "flat", origin: nil)
    for (number, shape) in [[27, 20], [20, 6]].enumerated() {
      let matrix = net.constant(weights(shape), element: .float32, name: "m\(number)")
      value = net.emit(
        .gemm, [value, matrix], type: ValueType(.float32, nil), name: "g\(number)", origin: nil)
    }
    net.module.append(Op(.output, operands: [value], attributes: [NamedAttribute("name", .string("y"))]))
    return net.module
  }

  @Test func whatIsMissingIsSaidBeforeTheFirstLayer() throws {
    let module = try run("infer-shapes, calibrate, quantize, lower-to-crossbar", on: threeLayers())
      .crossbarModule
    expectFailure("pass.requires") {
      _ = try LayerPipeline(try parsePipeline("form-units, slice-bits"), for: module, in: PassContext())
    }
    expectFailure("pass.requires") {
      _ = try LayerPipeline(try parsePipeline("slice-bits, form-units"), for: module, in: PassContext())
    }
    expectFailure("pass.option") {
      _ = try LayerPipeline(try parsePipeline("slice-bits(cel: 1)"), for: module, in: PassContext())
    }
  }
}
