import Foundation
import IR
import Import
import ONNX
import Support
import Tensors
import Testing

@Suite("docs/operators.md")
struct OperatorsDocumentTests {
  /// The cells of the rows that describe an operator.
  private func rows() throws -> [[String]] {
    let text = try String(contentsOf: repository.appending(path: "docs/operators.md"), encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
  }

  @Test func namesEachSupportedOperatorOnce() throws {
    let names = try rows().map { $0[0].trimmingCharacters(in: ["`"]) }
    #expect(names.sorted() == supportedOperators)
    #expect(try rows().allSatisfy { $0.count == 7 && ["exact", "libm", "gone"].contains($0[2]) })
  }

  /// What the document says of operators that leave nothing to compute.
  @Test func operatorsThatAreGoneLeaveNothing() throws {
    let gone = Set(try rows().filter { $0[2] == "gone" }.map { $0[0].trimmingCharacters(in: ["`"]) })
    let logic = [
      "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor", "Not", "Size",
    ]
    #expect(gone == Set(["Shape", "Gather", "Cast", "Constant", "Identity", "Dropout"] + logic))
    for op in ["Identity", "Dropout"] {
      #expect(try imported(model([node(op)])).opcodes == [.input, .output])
    }
  }
}
