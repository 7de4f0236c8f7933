import IR
import Tensors
import Testing

/// The table of operations: complete, in order, and of one mind with the catalog of digital operators.
struct OpTableTests {
  @Test func rowsStandInTheOrderOfTheOpcodes() {
    #expect(operationTable.map(\.opcode) == Opcode.allCases)
    for opcode in Opcode.allCases { #expect(opcode.spec.opcode == opcode) }
  }

  @Test func digitalRowsFollowFromTheCatalog() throws {
    for entry in OperatorCatalog.entries {
      let opcode = try #require(Opcode(rawValue: entry.name), "no operation is called \(entry.name)")
      #expect(opcode.digital?.name == entry.name && opcode.kind == .digital(entry.code))
      #expect(opcode.spec.attributes.map(\.name) == entry.parameters.map(\.name))
      #expect(opcode.spec.summary == entry.summary && opcode.spec.results == 1)
    }
    let digital = Opcode.allCases.filter { $0.digital != nil }
    #expect(digital.map(\.rawValue) == OperatorCatalog.entries.map(\.name))
  }

  @Test func otherOperationsHaveKindsOfTheirOwn() {
    let others = Opcode.allCases.filter { $0.digital == nil }
    for opcode in others { #expect("\(opcode.kind)" == "\(opcode)") }
    #expect(Set(others.map(\.kind)).count == others.count)
  }

  /// Keys of digital operators have the names and kinds of the catalog.
  @Test func keysAreThoseOfTheCatalog() {
    func has(_ opcode: Opcode, _ attributes: [AttributeSpec]) -> Bool {
      attributes.allSatisfy(opcode.spec.attributes.contains)
    }
    #expect(has(.leakyRelu, [.required(.alpha)]) && has(.softmax, [.required(.axis)]))
    #expect(has(.clip, [.required(.clipLow), .required(.clipHigh)]))
    #expect(has(.pad, [.required(.before), .required(.after), .required(.padValue)]))
    #expect(has(.slice, [.required(.sliceStart), .required(.sliceEnd)]))
    #expect(has(.gather, [.required(.indices), .required(.axis)]) && has(.transpose, [.required(.order)]))
    #expect(has(.reshape, [.required(.shape)]) && has(.maxPool, [.required(.window)]))
    #expect(has(.quantize, [.required(.scale), .required(.zero), .required(.low), .required(.high)]))
    #expect(has(.addBias, [.required(.values), .required(.axis)]))
  }
}
