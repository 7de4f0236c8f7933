import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// The examples of the reference, section 3.8, and what holds of every squeezed layer.
@Suite("squeeze-bits")
struct SqueezeBitsTests {
  /// A layer of 8-bit codes in one-bit cells, with a plane in each block.
  private func codes(_ matrix: [[Int64]], x: [Int64] = []) -> LayerSample {
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits) = (matrix.count, matrix[0].count, 9)
    sample.weights = matrix.flatMap { $0 }
    sample.x = x.isEmpty ? matrix.map { _ in 1 } : x
    sample.array.cellBits = 1
    return sample
  }

  private func module(_ pipeline: String, _ sample: LayerSample) throws -> Module<CrossbarLevel> {
    var context = PassContext()
    return try run("slice-bits(placement: inter), \(pipeline)", on: AnyModule(sample.module), in: &context)
      .crossbarModule
  }

  private func layer(_ pipeline: String, _ sample: LayerSample) throws -> Layer {
    try #require(try module(pipeline, sample).layers.first).layer
  }

  /// What wordline `row` holds in the positive bitlines, before its shift.
  private func held(_ layer: Layer, _ row: Int) -> [Int64] {
    var codes = [Int64](repeating: 0, count: layer.columns)
    for block in layer.blocks {
      for (c, column) in block.columns.enumerated() where !column.negative {
        codes[column.output] += Int64(block.cells[row * block.columns.count + c]) << Int64(column.shift)
      }
    }
    return codes
  }

  /// The codes of 0.876, 0.618, 0.389 and 0.020 in one column.
  private let fourCodes: [[Int64]] = [[0b1110_0000], [0b1010_0000], [0b0110_0000], [0b0000_0101]]

  @Test(arguments: [
    (0, [0, 0, 0, 0], [0b1110_0000, 0b1010_0000, 0b0110_0000, 0b0000_0101], [0, 0, 0, 0]),
    (1, [1, 1, 0, 0], [0b0111_0000, 0b0101_0000, 0b0110_0000, 0b0000_0101], [0, 0, 0, 0]),
    (2, [2, 2, 1, 0], [0b0011_1000, 0b0010_1000, 0b0011_0000, 0b0000_0101], [0, 0, 0, 0]),
    (3, [3, 3, 2, 0], [0b0001_1100, 0b0001_0100, 0b0001_1000, 0b0000_0101], [0, 0, 0, 0]),
    (4, [4, 4, 3, 0], [0b0000_1110, 0b0000_1010, 0b0000_1100, 0b0000_0101], [0, 0, 0, 0]),
    (5, [5, 5, 4, 0], [0b0000_0111, 0b0000_0101, 0b0000_0110, 0b0000_0101], [0, 0, 0, 0]),
    (6, [6, 6, 5, 1], [0b0000_0011, 0b0000_0010, 0b0000_0011, 0b0000_0010], [32, 32, 0, 1]),
  ])
  func oneColumn(_ freed: Int, _ shifts: [Int], _ left: [Int64], _ losses: [Int64]) throws {
    let layer = try layer("squeeze-bits(planes: \(freed))", codes(fourCodes))
    #expect(layer.blocks.count == 8 - freed)
    for block in layer.blocks { #expect(block.rows.map(\.shift) == shifts) }
    #expect((0..<4).map { held(layer, $0)[0] } == left)
    let squeezed = try #require(layer.weights).integers
    #expect(zip(fourCodes, squeezed).map { $0[0] - $1 } == losses)
  }

  /// Two columns share the shifts of their wordlines.
  @Test(arguments: [(0, [0, 0], 27), (1, [1, 0], 24), (3, [3, 2], 8), (4, [4, 3], 0)])
  func twoColumns(_ freed: Int, _ shifts: [Int], _ second: Int64) throws {
    let sample = codes([[0b1110_0000, 0b0000_0101], [0b0110_0000, 0b0000_0110]], x: [3, 2])
    let module = try module("squeeze-bits(planes: \(freed))", sample)
    let layer = try #require(module.layers.first).layer
    #expect(layer.blocks[0].rows.map(\.shift) == shifts)
    let outputs = try Interpreter(module).evaluate([sample.graphInput]).outputs[0].floats
    #expect(outputs == [864, Float(second)])
  }

  @Test func planesAreOrderedTileByTile() throws {
    var sample = codes((0..<20).map { row in (0..<20).map { Int64($0 * row % 256) } })
    (sample.array.rows, sample.array.columns) = (16, 16)
    let layer = try layer("squeeze-bits(planes: 3)", sample)
    // 20 rows and 40 bitlines are 2x3 crossbars; each has five planes left.
    #expect(layer.blocks.count == 6 * 5)
    for tile in 0..<6 {
      let planes = layer.blocks[5 * tile..<5 * tile + 5]
      #expect(planes.map { $0.columns[0].shift } == [0, 1, 2, 3, 4])
      #expect(Set(planes.map(\.rows)).count == 1)
    }
    let whole = try self.layer("squeeze-bits(planes: 3, scope: matrix)", sample)
    #expect(whole.blocks.count == 5 && whole.blocks.allSatisfy { $0.rows.count == 20 })
  }

  @Test func cellsOfSeveralBitsHavePlanesOfSeveralBits() throws {
    var sample = codes(fourCodes)
    sample.array.cellBits = 2
    let layer = try layer("squeeze-bits(planes: 1)", sample)
    #expect(layer.blocks.map { $0.columns[0].shift } == [0, 2, 4])
    #expect(layer.blocks[0].rows.map(\.shift) == [2, 2, 1, 0])
  }

  @Test func whatIsNoPlaneIsRefused() throws {
    for slices in ["slice-bits", "slice-bits(placement: inter, signs: offset)"] {
      var context = PassContext()
      expectFailure("squeeze-bits.planes") {
        _ = try run(
          "\(slices), squeeze-bits(planes: 1)", on: AnyModule(codes(fourCodes).module), in: &context)
      }
    }
    expectFailure("squeeze-bits.count") { _ = try layer("squeeze-bits(planes: 8)", codes(fourCodes)) }
    expectFailure("squeeze-bits.loss") { _ = try layer("squeeze-bits(loss: -1.0)", codes(fourCodes)) }
    expectFailure("pass.units") { _ = try layer("form-units, squeeze-bits", codes(fourCodes)) }
  }

  /// Planes whose two signs cancel hold a weight that is not their magnitude.
  @Test func cancellingCellsAreRefused() throws {
    var module = try module("encode-indices", codes([[0b0110]]))
    let first = try #require(module.layers.first)
    var layer = first.layer
    // 6 as (4 + 2 + 1) - 1: the lowest plane holds the same cell in both signs.
    layer.blocks[0].cells = layer.blocks[0].columns.map { _ in 1 }
    module.replaceLayers([(first.id, layer)])
    #expect(verify(AnyModule(module)).isEmpty, "the cells hold the matrix")
    var context = PassContext()
    expectFailure("squeeze-bits.planes") {
      _ = try run("squeeze-bits(planes: 1)", on: AnyModule(module), in: &context)
    }
  }

  /// Without calibration samples the error of the weights decides: up to five planes are free without any.
  @Test func autoFreesWhatTheLossAllows() throws {
    #expect(try layer("squeeze-bits(loss: 0.0)", codes(fourCodes)).blocks.count == 3)
    #expect(try layer("squeeze-bits(loss: 1.0)", codes(fourCodes)).blocks.count == 1)
    let error =
      Double(32 * 32 + 32 * 32 + 1).squareRoot() / Double(224 * 224 + 160 * 160 + 96 * 96 + 25).squareRoot()
    #expect(try layer("squeeze-bits(loss: \(Float(error * 1.01)))", codes(fourCodes)).blocks.count == 2)
    #expect(try layer("squeeze-bits(loss: \(Float(error * 0.99)))", codes(fourCodes)).blocks.count == 3)
  }

  /// Samples that drive the wordlines that lose most keep their planes.
  @Test func autoLooksAtTheOutputsOfSamples() throws {
    func planes(_ x: [Int64]) throws -> Int {
      let sample = codes(fourCodes, x: x)
      var context = PassContext(calibration: [[sample.graphInput]])
      let text = "slice-bits(placement: inter), squeeze-bits(loss: 0.18)"
      return try #require(run(text, on: AnyModule(sample.module), in: &context).crossbarModule.layers.first)
        .layer
        .blocks.count
    }
    // Freeing six planes takes 32 of 160 from the second weight and nothing from the third.
    #expect(try planes([0, 1, 0, 0]) == 3)
    #expect(try planes([0, 0, 1, 0]) == 2)
  }

  @Test func statisticsAreThoseOfTheSqueezedLayer() throws {
    var random = SeededGenerator(seed: 51)
    for _ in 0..<30 {
      let (rows, columns) = (random.inside(1...40), random.inside(1...12))
      var sample = codes(
        (0..<rows).map { _ in (0..<columns).map { _ in Int64(random.inside(-255...255)) >> random.below(9) } }
      )
      (sample.array.rows, sample.array.columns) = (16, 16)
      let statistics = try #require(
        PlaneStatistics(of: try layer("encode-indices", sample), machine: sample.machine))
      for squeeze in statistics.squeezes {
        let layer = try layer("squeeze-bits(planes: \(squeeze.freed)), form-units, place-blocks", sample)
        #expect(Set(layer.blocks.compactMap(\.placement?.crossbar)).count == squeeze.crossbars)
        #expect(layer.blocks.flatMap(\.rows).map(\.shift).max() == squeeze.largestShift)
        let lost = zip(sample.weights, try #require(layer.weights).integers).reduce(0.0) {
          $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
        }
        let size = sample.weights.reduce(0.0) { $0 + Double($1 * $1) }
        #expect(abs(squeeze.error - (size > 0 ? (lost / size).squareRoot() : 0)) < 1e-12)
      }
      #expect(statistics.squeezes[0].error == 0 && statistics.squeezes[0].shiftBits == 0)
    }
    let four = try #require(
      PlaneStatistics(of: try layer("encode-indices", codes(fourCodes)), machine: codes(fourCodes).machine))
    #expect(four.occupiedRows == [0.25, 0, 0.25, 0, 0, 0.75, 0.5, 0.5])
    #expect(four.squeezes.map(\.shiftBits) == [0, 4, 8, 8, 12, 12, 12, 12])
    #expect(four.squeezes.map(\.crossbars) == [8, 7, 6, 5, 4, 3, 2, 1])
  }

  /// Random layers: the squeezed weights are the decoded ones (the verifier holds every pass to that), each lies within
  /// 2^k of the weight before and not further from 0, and without freed planes nothing changes.
  @Test func squeezedWeightsLoseTheirLowestBits() throws {
    var random = SeededGenerator(seed: 52)
    var changed = 0
    for number in 0..<300 {
      var sample = sparseLayerSample(number, &random)
      (sample.signs, sample.placement) = (.differential, "inter")
      let scope = random.chance(0.5) ? "matrix" : "crossbar"
      let plain = try layer("encode-indices", sample)
      let planes = plain.blocks.count
      #expect(try layer("squeeze-bits(planes: 0, scope: \(scope))", sample).weights == plain.weights)
      let freed = random.below(planes)
      let squeezed = try layer("squeeze-bits(planes: \(freed), scope: \(scope))", sample)
      let most = squeezed.blocks.flatMap(\.rows).map(\.shift).max() ?? 0
      #expect(most <= freed * sample.array.cellBits)
      for (before, after) in zip(sample.weights, try #require(squeezed.weights).integers) {
        #expect(before.magnitude >= after.magnitude && before.magnitude - after.magnitude < 1 << most)
        #expect(before.signum() == after.signum() || after == 0)
        if before != after { changed += 1 }
      }
    }
    #expect(changed > 1000)
  }
}
