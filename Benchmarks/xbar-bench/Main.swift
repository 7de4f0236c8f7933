import CommandLineTools
import Foundation
import Passes
import Support

/// Prints what compiler and executor reach, beside what this machine can do at most. With the word `splits`, the source
/// text of the table that clustering cuts matrices by, measured anew.
@main struct Main {
  private static let help = """
    xbar-bench: measures the compiler and the executor beside the limits of this machine

    usage:
      xbar-bench [--quick] [--json]   kernels, jobs, LeNet-5 in all schemes and paths, compilations
      xbar-bench splits               the table by which 'cluster-columns' cuts matrices, as source text

      --quick  without large networks and instruction counts, which take minutes
      --json   one line of JSON, to be kept as history

    Python with onnxruntime, numpy and onnx (XBAR_PYTHON=...) adds onnxruntime beside the jobs and large networks;
    valgrind adds counts of instructions.

    """

  static func main() {
    exit(
      runCommand(name: "xbar-bench") { () throws(DiagnosticList) in
        do throws(Diagnostic) {
          let words = commandLineWords()
          if words.contains("--help") || words.contains("-h") { return try printOut(help) }
          if words.first == "splits" { return try printSplits() }
          if let unknown = words.first(where: { $0 != "--quick" && $0 != "--json" }) {
            throw Diagnostic("usage.unknown-option", "unknown word \(unknown)", notes: ["--help lists all"])
          }
          try printOut(try report(isQuick: words.contains("--quick"), isJSON: words.contains("--json")))
        } catch {
          throw DiagnosticList(error)
        }
      })
  }

  private static func printSplits() throws(Diagnostic) {
    let threads = ProcessInfo.processInfo.activeProcessorCount
    try printOut(try measuredSplitTables(threads: threads) { FileHandle.standardError.write(Data(($0 + "\n").utf8)) })
  }

  private static func report(isQuick: Bool, isJSON: Bool) throws(Diagnostic) -> String {
    let (rows, limits) = try withScratchFolder { folder throws(Diagnostic) in
      // First of all, as the peak of a child counts what this process had when it was made.
      let large = isQuick ? [] : try largeNetworkRows(folder)
      let limits = try Limits()
      var rows = try kernelRows(limits)
      rows += try jobRows(folder)
      rows += try networkRows(limits)
      rows.append(try compileRow(limits))
      rows += large
      if !isQuick { rows += try instructionRows(folder) }
      return (rows, limits)
    }
    if isJSON {
      let date = Date().formatted(.iso8601)
      let machine: JSON = [
        "instructions": .string(limits.name), "bytesCopied": .double(limits.bytesCopied),
        "bytesAdded": .double(limits.bytesAdded), "byteProducts": .double(limits.byteProducts),
      ]
      let report: JSON = [
        "version": 2, "date": .string(date), "machine": machine, "rows": .array(rows.map(\.json)),
      ]
      return report.line + "\n"
    }
    return """
      one thread, processor time, best of several, unless said otherwise
      machine: \(limits.name); copies \(byteText(Int(limits.bytesCopied))) per s, adds \(significant(limits.bytesAdded * 1e-9))e9 bytes \
      and multiplies \(significant(limits.byteProducts * 1e-9))e9 bytes per s

      \(tables(rows))
      paths: the limit is one byte addition for four wordlines of every converted bitline, of four bytes where cells vary;
      layers that are proved to saturate nowhere are products of bytes instead, which is how they pass it

      """
  }
}
