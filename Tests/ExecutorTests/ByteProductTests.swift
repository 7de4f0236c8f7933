import CKernels
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Tensors
import Testing

@testable import Executor

extension LevelTests {
  /// Layers whose conversions are proved to be exact are products of bytes: the same outputs and events as unit by
  /// unit.
  @Suite(.serialized) struct ByteProductTests {
    /// The products among the steps of a plan.
    private func products(_ plan: ExecutablePlan) -> [ByteProduct] {
      plan.steps.compactMap { step in
        if case .product(let product) = step { return product }
        return nil
      }
    }

    @Test func randomNetworksAreThoseUnitByUnit() throws {
      defer { xbar_use_level(xbar_best_level()) }
      var (all, grouped, levels, signed) = (0, 0, 0, 0)
      for seed in 0..<300 as Range<UInt64> {
        let program = DenseBuilder.byteNetwork(seed: seed)
        var random = SeededGenerator(seed: seed + 1000)
        let samples = random.inside(1...5)
        let count = program.buffers[program.inputs[0].buffer].count
        let inputs = (0..<samples * count).map { _ in Float(random.inside(-140...300)) }
        let reference = try ExecutablePlan(program, values: .unitByUnit)
        #expect(products(reference).isEmpty)
        let expected = try reference.run(inputs: [inputs], samples: samples, threads: 1)
        let plan = try ExecutablePlan(program)
        for product in products(plan) {
          all += 1
          if product.members.count > 1 { grouped += 1 }
          if case .levels = product.result { levels += 1 }
          if program.layers[product.members[0].layer].inputs.isSigned { signed += 1 }
        }
        for level in Int32(0)...xbar_best_level() {
          xbar_use_level(level)
          let result = try plan.run(inputs: [inputs], samples: samples, threads: 1)
          #expect(result == expected, "seed \(seed), level \(level)")
        }
      }
      #expect(
        all > 300 && grouped > 30 && levels > 200 && signed > 50, "\(all) \(grouped) \(levels) \(signed)")
    }

    /// Of LeNet-5 every layer is a product of bytes, and no plan keeps a second copy of its weights.
    @Test func lossLessConvertersMakeProducts() throws {
      let plan = try ExecutablePlan(DenseBuilder.leNet(machine: sampleMachine(adcBits: 6)))
      #expect(products(plan).count == 4)
      for layer in plan.layers { #expect(layer.bytes != nil && layer.dense == nil && layer.gathered == nil) }
      #expect(plan.places.filter { $0.size == 0 }.count == 4, "sums that are never stored")
    }

    /// A converter that may saturate, wide weights, wide inputs and fetched inputs are computed in other ways.
    @Test func otherLayersAreNoProducts() throws {
      #expect(products(try ExecutablePlan(DenseBuilder.leNet(machine: sampleMachine(adcBits: 4)))).isEmpty)
      let large = LayerCase.program(
        sampleMachine(rows: 4, columns: 2, adcBits: 12), [Crossbar(cells: [3, 0, 0, 3, 0, 0, 0, 0])],
        layer(inputBits: 8), [block(shift: 6)], .integer(bits: 8, signed: false), rows: 2)
      #expect(products(try ExecutablePlan(large)).isEmpty, "a weight of 3 << 6")
      let small = LayerCase.program(
        sampleMachine(rows: 4, columns: 2, adcBits: 12), [Crossbar(cells: [3, 0, 0, 3, 0, 0, 0, 0])],
        layer(inputBits: 8), [block(shift: 5)], .integer(bits: 8, signed: false), rows: 2)
      #expect(products(try ExecutablePlan(small)).count == 1, "a weight of 3 << 5")
      let wide = LayerCase.program(
        sampleMachine(rows: 4, columns: 2, adcBits: 12), [Crossbar(cells: [3, 0, 0, 3, 0, 0, 0, 0])],
        layer(inputBits: 9), [block(shift: 5)], .integer(bits: 9, signed: false), rows: 2)
      #expect(products(try ExecutablePlan(wide)).isEmpty, "inputs of 9 bits")
    }

    private func layer(inputBits: Int) -> Layer {
      Layer(
        name: "l", inputs: 2, outputs: 2, inputBits: inputBits, inputSigned: false, dacBits: 1, adcBits: 12,
        offset: 0,
        blocks: [])
    }

    private func block(shift: Int) -> Block {
      Block(
        crossbar: 0, row: 0, column: 0, rows: [RowEntry(input: 0), RowEntry(input: 1)],
        columns: [
          ColumnEntry(output: 0, shift: shift), ColumnEntry(output: 1, shift: shift, negative: true),
        ],
        units: .fixed(height: 2, width: 2))
    }

    /// A signed input without a counterpart of the other sign is refused, as it is unit by unit.
    @Test func inputsOutOfRangeAreRefused() throws {
      let layer = Layer(
        name: "l", inputs: 2, outputs: 2, inputBits: 8, inputSigned: true, dacBits: 1, adcBits: 12, offset: 0,
        blocks: [])
      var program = LayerCase.program(
        sampleMachine(rows: 4, columns: 2, adcBits: 12), [Crossbar(cells: [3, 0, 0, 3, 0, 0, 0, 0])], layer,
        [block(shift: 0)], .integer(bits: 8, signed: true), rows: 1)
      program.code[0] = Instruction(
        .digital(.quantize(scale: 1, zero: 0, low: -128, high: 127), inputs: [0], output: 1))
      for values in [ValuePath.fastest, .unitByUnit] {
        let plan = try ExecutablePlan(program, values: values)
        #expect(try plan.run(inputs: [[5, -127]], samples: 1, threads: 1).outputs == [[15, 381]])
        #expect(throws: Diagnostic.self) { try plan.run(inputs: [[5, -128]], samples: 1, threads: 1) }
      }
    }
  }
}
