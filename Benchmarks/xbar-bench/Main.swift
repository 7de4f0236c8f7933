import Report
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
      xbar-bench [--quick] [--json] [--history FILE]
                          kernels, jobs, LeNet-5 in all schemes and paths, compilations
      xbar-bench splits   the table by which 'cluster-columns' cuts matrices, as source text

      --quick         without large networks and instruction counts, which take minutes
      --json          one line of JSON in place of tables
      --history FILE  append that line to a file, such as Benchmarks/history.jsonl

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
          try run(words)
        } catch {
          throw DiagnosticList(error)
        }
      })
  }

  private static func run(_ words: [String]) throws(Diagnostic) {
    var (isQuick, isJSON, history) = (false, false, String?.none)
    var rest = words[...]
    while let word = rest.popFirst() {
      switch word {
      case "--quick": isQuick = true
      case "--json": isJSON = true
      case "--history":
        history = rest.popFirst()
        if history == nil { throw Diagnostic("usage.value", "--history needs a file") }
      default: throw Diagnostic("usage.unknown-option", "unknown word \(word)", notes: ["--help lists all"])
      }
    }
    let report = try Report(isQuick: isQuick)
    try printOut(isJSON ? report.line : report.text)
    if let history { try append(report.line, to: history) }
  }

  private static func append(_ line: String, to path: String) throws(Diagnostic) {
    let before = FileManager.default.fileExists(atPath: path) ? try InputFile(path: path).withBytes { Array($0) } : []
    try writeFile(before + Array(line.utf8), to: path)
  }

  private static func printSplits() throws(Diagnostic) {
    let threads = ProcessInfo.processInfo.activeProcessorCount
    try printOut(try measuredSplitTables(threads: threads) { FileHandle.standardError.write(Data(($0 + "\n").utf8)) })
  }
}

/// Everything that was measured.
private struct Report {
  let limits: Limits
  let rows: [Row]

  init(isQuick: Bool) throws(Diagnostic) {
    (rows, limits) = try withScratchFolder { folder throws(Diagnostic) in
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
  }

  /// One line of JSON.
  var line: String {
    let machine: JSON = [
      "instructions": .string(limits.name), "bytesCopied": .double(limits.bytesCopied),
      "bytesAdded": .double(limits.bytesAdded), "byteProducts": .double(limits.byteProducts),
    ]
    let report: JSON = [
      "version": 2, "date": .string(Date().formatted(.iso8601)), "machine": machine, "rows": .array(rows.map(\.json)),
    ]
    return report.line + "\n"
  }

  /// Tables for people.
  var text: String {
    """
    one thread, processor time, best of several, unless said otherwise
    machine: \(limits.name); copies \(byteText(Int(limits.bytesCopied))) per s, adds \(significant(limits.bytesAdded * 1e-9))e9 bytes \
    and multiplies \(significant(limits.byteProducts * 1e-9))e9 bytes per s

    \(tables(rows))
    paths: the limit is one byte addition for four wordlines of every converted bitline, of four bytes where cells vary;
    layers that are proved to saturate nowhere are products of bytes instead, which is how they pass it

    """
  }
}
