import Glibc
import Support
import Tensors
import Testing

@Suite struct ElementwiseTests {
  private func apply(_ function: UnaryFunction, _ x: [Float]) throws -> [Float] {
    try DigitalOperator.unary(function).apply(to: [Tensor([x.count], x)]).floats
  }

  @Test func cutsAndScales() throws {
    #expect(try apply(.relu, [-1, 0, 2]) == [0, 0, 2])
    #expect(try apply(.leakyRelu(slope: 0.5), [-3, 4]) == [-1.5, 4])
    #expect(try apply(.clip(low: -1, high: 6), [-7, 0.5, 9]) == [-1, 0.5, 6])
    #expect(try apply(.clip(low: 1, high: -1), [-7, 0, 0.5, 9]) == [-1, -1, -1, -1])
    #expect(try apply(.hardSigmoid(slope: 0.25, shift: 0.5), [-4, 0, 1, 4]) == [0, 0.5, 0.75, 1])
    #expect(try apply(.hardSwish, [-4, 3, 6]) == [0, 3, 6])
    #expect(try apply(.abs, [-1.5, 2]) == [1.5, 2])
    #expect(try apply(.negate, [-1.5, 2]) == [1.5, -2])
    #expect(try apply(.sqrt, [0, 2, 9]) == [0, Float(2).squareRoot(), 3])
  }

  @Test func usesTheCLibrary() throws {
    let x: [Float] = [-3, -0.1, 0, 0.7, 5]
    #expect(try apply(.exp, x) == x.map { expf($0) })
    #expect(try apply(.tanh, x) == x.map { tanhf($0) })
    #expect(try apply(.erf, x) == x.map { erff($0) })
    #expect(try apply(.log, [0.5, 1, 8]) == [0.5, 1, 8].map { logf($0) })
    #expect(try apply(.sigmoid, x) == x.map { 1 / (1 + expf(-$0)) })
    #expect(try apply(.elu(alpha: 2), x) == x.map { $0 < 0 ? 2 * expm1f($0) : $0 })
  }

  @Test func staysFiniteAtTheEnds() throws {
    #expect(try apply(.softplus, [-200, 0, 200]) == [expf(-200), log1pf(1), 200])
    #expect(try apply(.sigmoid, [-200, 200]) == [0, 1])
    #expect(try apply(.elu(alpha: 1), [-200]) == [-1])
    #expect(try apply(.sqrt, [-1])[0].isNaN && apply(.log, [-1])[0].isNaN)
    #expect(try apply(.log, [0]) == [-.infinity])
  }

  @Test func keepsNaN() throws {
    let functions = UnaryFunction.Kind.allCases.compactMap { kind in
      UnaryFunction(kind, OperatorCatalog.entry(of: kind).parameters.map { _ in 1 })
    }
    #expect(functions.count == UnaryFunction.Kind.allCases.count)
    for function in functions {
      #expect(try apply(function, [.nan])[0].isNaN, "\(function)")
      #expect(try apply(function, []) == [])
    }
  }

  @Test func refusesIntegers() {
    expectFailure("operator.kind", .unary(.relu), [Tensor([1], [1 as Int64])])
    expectFailure("operator.arguments", .unary(.relu), [])
    expectFailure("operator.arguments", .unary(.relu), [Tensor([], [1 as Float]), Tensor([], [1 as Float])])
  }
}
