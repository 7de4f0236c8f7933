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

  @Test func namesEachOperatorOfOnnxruntimeOnce() throws {
    let text = try String(contentsOf: repository.appending(path: "docs/operators.md"), encoding: .utf8)
    let cells = text.split(separator: "\n").filter { $0.hasPrefix("| com.microsoft") }.map {
      $0.split(separator: "|")[1]
    }
    let names = cells.flatMap { $0.matches(of: /`(\w+)`/).map { String($0.output.1) } }
    #expect(names.sorted() == supportedMicrosoftOperators)
  }

  /// What the document says of operators that leave nothing to compute.
  @Test func operatorsThatAreGoneLeaveNothing() throws {
    let gone = Set(try rows().filter { $0[2] == "gone" }.map { $0[0].trimmingCharacters(in: ["`"]) })
    #expect(gone == ["Shape", "Gather", "Cast", "Constant", "Identity", "Dropout", "DynamicQuantizeLinear"])
    for op in ["Identity", "Dropout"] {
      #expect(try imported(model([node(op)])).opcodes == [.input, .output])
    }
  }
}
