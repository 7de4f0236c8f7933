import IR
import Passes
import Support
import Tensors
import Testing

@Suite("infer-shapes, fold-constants, fold-batchnorm")
struct FoldTests {
  // MARK: infer-shapes

  @Test func inferShapesFillsInEveryShape() throws {
    var net = Net()
    let x = net.input([1, 4])
    net.output(try net.digital(.unary(.relu), try net.gemm(x, 3)))
    var module = net.module
    module.facts = []
    for id in module.body {
      for result in module.ops[id].results where ![.input, .constant].contains(module.ops[id].opcode) {
        module.values[result].type.shape = nil
      }
    }
    let shaped = try run("infer-shapes", on: module).tensorModule
    #expect(shaped.facts == [.shaped])
    #expect(shaped.values.elements.map(\.type) == net.module.values.elements.map(\.type))
  }

  @Test func inferShapesRefusesWhatItCannotTell() throws {
    var net = Net()
    let x = net.input([1, 4])
    net.output(try net.digital(.unary(.relu), x))
    var open = net.module
    open.facts = []
    open.values[x].type.shape = nil
    expectFailure("infer-shapes.unknown") { _ = try run("infer-shapes", on: open) }
    var other = net.module
    other.facts = []
    other.values[try #require(other.bodyOps[1].results.first)].type.shape = [2, 2]
    expectFailure("infer-shapes.shape") { _ = try run("infer-shapes", on: other) }
  }

  // MARK: fold-constants

  /// `x * ((2a)' reshaped) + a + a`.
  private func constantNet() throws -> Net {
    var net = Net(seed: 3)
    let x = net.input([1, 6])
    let a = net.constant([4, 6])
    let doubled = try net.digital(.binary(.add), a, a)
    let turned = try net.digital(.transpose([1, 0]), doubled)
    let y = try net.op(.gemm, [x, turned])
    let b = net.constant([2, 2])
    net.output(try net.digital(.binary(.add), y, try net.digital(.reshape([1, 4]), b)))
    return net
  }

  @Test func foldConstantsLeavesNoOperationOnConstants() throws {
    var net = try constantNet()
    var context = PassContext()
    let folded = try run("fold-constants", on: AnyModule(net.module), in: &context).tensorModule
    let constants = Set(folded.bodyOps.filter { $0.opcode == .constant }.flatMap(\.results))
    for op in folded.bodyOps where !op.operands.isEmpty {
      #expect(!op.operands.allSatisfy(constants.contains))
    }
    #expect(folded.bodyOps.map(\.opcode).filter { $0 != .constant } == [.input, .gemm, .add, .output])
    #expect(context.counts.map(\.name) == ["operations-folded"] && context.counts[0].value == 3)
    let sample = net.sample(-2...2)
    #expect(try folded.outputs(sample) == net.module.outputs(sample))
  }

  @Test func foldConstantsKeepsEveryBitOfLargeConstants() throws {
    var net = Net(seed: 4)
    let x = net.input([1, 20])
    let w = net.constant([30, 20])
    let y = try net.op(.gemm, [x, try net.digital(.transpose([1, 0]), try net.digital(.unary(.tanh), w))])
    net.output(y)
    let folded = try run("fold-constants", on: net.module).tensorModule
    let sample = net.sample()
    #expect(try folded.outputs(sample) == net.module.outputs(sample))
    #expect(folded.resources.count == 1, "the constants that are no longer used are gone")
    #expect(try run("fold-constants", on: folded).tensorModule == folded, "there is nothing left to fold")
  }

  @Test func foldConstantsPassesOnErrorsOfOperators() throws {
    var net = Net()
    let x = net.input([1, 2])
    var module = net.module
    let type = ValueType(.accumulator, [2])
    var builder = Builder(module)
    let big = builder.constant(Tensor([2], [Int64.max, 1]), element: .accumulator, name: "big")
    let sum = builder.emit(.addBias(values: [1, 1], axis: 0), [big], type: type, name: "sum", origin: nil)
    let real = builder.emit(
      .dequantize(scale: 1, zero: 0), [sum], type: ValueType(.float32, [2]), name: "real", origin: nil)
    let y = builder.emit(
      .binary(.add), [x, real], type: ValueType(.float32, [1, 2]), name: "y", origin: nil)
    builder.module.append(Op(.output, operands: [y], attributes: [NamedAttribute("name", .string("y"))]))
    module = builder.module
    expectFailure("operator.overflow") { _ = try run("fold-constants", on: module) }
  }

  // MARK: fold-batchnorm

  private func check(_ net: inout Net, folded count: Int, _ place: SourceLocation = #_sourceLocation) throws
    -> Module<TensorLevel>
  {
    var context = PassContext()
    let folded = try run("fold-batchnorm", on: AnyModule(net.module), in: &context).tensorModule
    #expect(folded.count(.batchNorm) == 0, sourceLocation: place)
    #expect(context.counts.reduce(0) { $0 + $1.value } == count, sourceLocation: place)
    for sample in net.samples(5, -2...2) {
      for (before, after) in zip(try net.module.outputs(sample), try folded.outputs(sample)) {
        let size = before.floats.map { abs($0) }.max() ?? 0
        #expect(distance(before, after) <= 4e-6 * max(1, size), sourceLocation: place)
      }
    }
    return folded
  }

  @Test(arguments: [true, false]) func batchNormGoesIntoAConvolution(hasBias: Bool) throws {
    var net = Net(seed: 5)
    let x = net.input([1, 4, 6, 6])
    let y = try net.conv(x, ConvGeometry(filters: 6, pads: [1, 1, 1, 1], groups: 2), bias: hasBias)
    net.output(try net.digital(.unary(.relu), try net.batchNorm(y)))
    let folded = try check(&net, folded: 1)
    #expect(folded.bodyOps.map(\.opcode).filter { $0 != .constant } == [.input, .conv, .relu, .output])
  }

  @Test func batchNormGoesIntoOneDimensionalConvolutionsAndProducts() throws {
    var net = Net(seed: 6)
    let x = net.input([1, 4, 9])
    let y = try net.conv(
      x, ConvGeometry(filters: 5, kernel: [3], strides: [2], pads: [1, 0], dilations: [1]))
    net.output(try net.batchNorm(y), name: "a")
    let z = net.input([1, 7])
    net.output(try net.batchNorm(try net.gemm(z, 5)), name: "b")
    _ = try check(&net, folded: 2)
  }

  @Test func batchNormsInARowAllGoIn() throws {
    var net = Net(seed: 7)
    let x = net.input([1, 3, 5, 5])
    net.output(try net.batchNorm(try net.batchNorm(try net.conv(x, ConvGeometry()))))
    _ = try check(&net, folded: 2)
  }

  @Test func batchNormOfAValueWithOtherUsesIsSpelledOut() throws {
    var net = Net(seed: 8)
    let x = net.input([1, 3, 5, 5])
    let y = try net.conv(x, ConvGeometry())
    net.output(try net.batchNorm(y), name: "a")
    net.output(y, name: "b")
    let folded = try check(&net, folded: 0)
    #expect(folded.count(.multiply) == 1 && folded.count(.add) == 1)
  }

  @Test func batchNormOfAnInputIsSpelledOut() throws {
    var net = Net(seed: 9)
    net.output(try net.batchNorm(net.input([1, 3, 5, 5])), name: "a")
    net.output(try net.batchNorm(net.input([1, 3])), name: "b")
    _ = try check(&net, folded: 0)
  }

  /// The channels of `[1, 4, 8] * [8, 4]` lie on axis 2, those of the normalization on axis 1.
  @Test func batchNormOnAnotherAxisThanTheColumnsIsSpelledOut() throws {
    var net = Net(seed: 10)
    let x = net.input([1, 4, 8])
    net.output(try net.batchNorm(try net.gemm(x, 4)))
    _ = try check(&net, folded: 0)
  }

  @Test func sharedWeightsAreFoldedApart() throws {
    var net = Net(seed: 11)
    let x = net.input([1, 3, 5, 5])
    let w = net.constant([4, 3, 3, 3])
    for name in ["a", "b"] {
      let y = try net.op(.conv, [x, w], ConvGeometry().attributes, name: name)
      net.output(try net.batchNorm(y), name: name)
    }
    _ = try check(&net, folded: 2)
  }

  @Test func newNamesDoNotMeetOldOnes() throws {
    var net = Net(seed: 12)
    let x = net.input([1, 3])
    let y = try net.batchNorm(x)
    let taken = net.constant([3], name: "\(net.module.values[y].name).factor")
    net.output(try net.digital(.binary(.add), y, taken))
    _ = try check(&net, folded: 0)
  }

  @Test func parametersMustBeConstant() throws {
    var net = Net(seed: 13)
    let x = net.input([1, 3, 5, 5])
    let scale = net.input([3])
    let rest = (0..<3).map { _ in net.constant([3]) }
    net.output(try net.op(.batchNorm, [x, scale] + rest, [NamedAttribute("epsilon", .float(1e-5))]))
    expectFailure("fold-batchnorm.parameters") { _ = try run("fold-batchnorm", on: net.module) }
  }

  @Test func parametersMustBeOneForEachChannel() throws {
    var net = Net(seed: 14)
    let x = net.input([1, 3, 5, 5])
    let parameters = (0..<4).map { _ in net.constant([4]) }
    expectFailure("verify.shape") {
      _ = try net.op(.batchNorm, [x] + parameters, [NamedAttribute("epsilon", .float(1e-5))])
    }
  }

  /// The range of a folded convolution is that of the normalization; a spelled-out one has no range for its product.
  @Test func rangesStayThoseOfTheValues() throws {
    var net = Net(seed: 15)
    let x = net.input([1, 3, 5, 5])
    net.output(try net.batchNorm(try net.conv(x, ConvGeometry())))
    let samples = net.samples(4)
    let late = try run("calibrate, fold-batchnorm", on: net.module, calibration: samples).tensorModule
    let early = try run("fold-batchnorm, calibrate", on: net.module, calibration: samples).tensorModule
    let (a, b) = (try late.first(.conv)["range"]?.asFloats, try early.first(.conv)["range"]?.asFloats)
    #expect(try abs(#require(a)[1] - #require(b)[1]) < 1e-4)
    #expect(late.facts == [.shaped, .calibrated])
    var other = Net(seed: 15)
    other.output(try other.batchNorm(other.input([1, 3, 5, 5])))
    let spelled = try run("calibrate, fold-batchnorm", on: other.module, calibration: samples).tensorModule
    #expect(spelled.facts == [.shaped])
  }
}
