import Foundation
import ONNX
import Support
import Tensors
import TestSupport
import Testing

/// What the programs read: from files, pipes and standard input, and while others change it.
@Suite("Inputs of the programs")
struct InputSafetyTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func prepare() throws {
    let ended = try scratch.shell(
      "cp $1 m.onnx && cp $2 t.npz && xbarc compile m.onnx -o p.xbar --quiet", modelPath("digits"),
      dataPath("digits", "test"))
    #expect(ended.status == 0, "\(ended.errors)")
  }

  /// Every level as text on standard output holds its constants: it reads back and gives the same program.
  @Test func textOnStandardOutputStandsForItself() throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell(
      """
      set -e -o pipefail
      xbarc import m.onnx > a.xir
      xbarc verify a.xir
      xbarc import m.onnx | xbarc verify -
      for level in tensor crossbar program; do
        xbarc compile m.onnx -o - --emit $level --quiet > $level.xir
        xbarc verify $level.xir
      done
      passes='lower-to-crossbar, slice-bits, form-units, place-blocks, schedule'
      xbarc compile m.onnx -o - --emit tensor --quiet | xbarc opt - --pipeline "$passes" \
        | xbarc opt - --pipeline lower-to-program | xbarc assemble - -o q.xbar
      xbarc compile m.onnx -o - --emit crossbar --quiet | xbarc opt /dev/stdin --pipeline lower-to-program > r.xir
      xbarc assemble r.xir -o r.xbar
      xbarc disassemble p.xbar | xbarc assemble - -o - > s.xbar
      for name in q r s; do cmp p.xbar $name.xbar; done
      """)
    #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
    #expect(scratch.files.allSatisfy { !$0.hasSuffix(".xir.npz") })
  }

  /// The same bytes whether inputs are files, pipes or standard input.
  @Test func inputsMayComeThroughPipes() throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell(
      """
      set -e -o pipefail
      xbarc compile m.onnx -o c.xbar --calibration t.npz --quiet
      cat m.onnx | xbarc compile - -o a.xbar --calibration <(cat t.npz) --quiet && cmp a.xbar c.xbar
      xbarc compile - -o a.xbar --calibration t.npz --quiet < m.onnx && cmp a.xbar c.xbar
      xbarrun c.xbar --input t.npz -o y.npz --metrics m.json -q
      cat c.xbar | xbarrun - --input <(cat t.npz) --labels t.npz -o z.npz --metrics n.json -q
      cmp y.npz z.npz && cmp m.json n.json
      xbarrun c.xbar --input - -o w.npz -q < t.npz && cmp y.npz w.npz
      xbarc inspect - < c.xbar > i && xbarc inspect c.xbar | cmp i -
      xbarc eval <(cat m.onnx) --input - --output e.npz --quiet < t.npz > /dev/null
      xbarc eval m.onnx --input t.npz --output f.npz --quiet > /dev/null && cmp e.npz f.npz
      xbar devices ratio10 --json > d.json
      xbarrun c.xbar --input t.npz --limit 3 --device <(cat d.json) --faults <(printf '') -q
      xbar sweep m.onnx --input <(cat t.npz) --limit 3 --over adc=5 -q
      """)
    #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
    let refused = try scratch.shell("cat ext.onnx | xbarc import - > o.xir")
    #expect(refused.status == 1, "an empty pipe is no model")
  }

  /// What a pipe delivers has no folder in which a data file could be looked for.
  @Test func aModelFromAPipeHasNoDataFiles() throws {
    defer { scratch.remove() }
    _ = try scratch.writeModelWithData(rows: 8, columns: 4)
    #expect(try scratch.shell("xbarc import ext.onnx > a.xir && xbarc verify a.xir").status == 0)
    for command in ["xbarc import - < ext.onnx", "cat ext.onnx | xbarc import - -o x.xir"] {
      let ended = try scratch.shell(command)
      #expect(ended.status == 1 && ended.errors.contains("onnx.external-file"), "\(ended.errors)")
    }
  }

  /// `.npz` holds every output, and `.npy` the only one.
  @Test func evalWritesEveryOutput() throws {
    defer { scratch.remove() }
    let net = SmallFile.model(
      [
        SmallFile.node("Relu", ["x"], ["r"]), SmallFile.node("Concat", ["x", "r"], ["c"], ["axis": .int(1)]),
      ],
      [("x", [1, 2])], [], outputs: ["r", "c"])
    var writer = ModelWriter()
    try Data(try writer.bytes(of: net)).write(to: URL(filePath: scratch.path("two.onnx")))
    try writeFile(npyBytes(Tensor([3, 2], [Float(1), -2, 3, 4, -5, 6])), to: scratch.path("x.npy"))
    let ended = try scratch.run("xbarc", ["eval", "two.onnx", "--input", "x.npy", "--output", "y.npz"])
    #expect(ended.status == 0, "\(ended.errors)")
    let arrays = try readArrays(path: scratch.path("y.npz"))
    #expect(
      arrays == [
        NamedTensor(name: "r", tensor: Tensor([3, 2], [Float(1), 0, 3, 4, 0, 6])),
        NamedTensor(name: "c", tensor: Tensor([3, 4], [Float(1), -2, 1, 0, 3, 4, 3, 4, -5, 6, 0, 6])),
      ])
    let refused = try scratch.run("xbarc", ["eval", "two.onnx", "--input", "x.npy", "--output", "y.npy"])
    #expect(refused.status == 2 && refused.errors.contains("usage.output"))
    #expect(scratch.files == ["two.onnx", "x.npy", "y.npz"])
  }

  /// A data file that is cut off as soon as it is mapped: a message and status 1, and no signal.
  @Test func aDataFileThatIsCutOffIsReported() throws {
    defer { scratch.remove() }
    _ = try scratch.writeModelWithData(rows: 2048, columns: 4096)
    let ended = try scratch.shell(
      """
      cp weights.bin whole.bin
      for i in {1..4}; do
        cp whole.bin weights.bin
        xbarc eval ext.onnx --input t.npy > said 2> errors & pid=$!
        while kill -0 $pid 2> /dev/null && ! grep -q weights.bin /proc/$pid/maps; do :; done 2> /dev/null
        : > weights.bin
        wait $pid
        echo $?
        cat errors
      done
      """)
    let lines = ended.output.split(separator: "\n")
    #expect(
      lines.contains {
        $0.contains("weights.bin: error: the file was changed while it was read [io.changed]")
      })
    // The file may be gone before it is read at all.
    for line in lines where Int(line) != nil { #expect(line == "1", "\(ended.output)") }
  }
}

extension ScratchFolder {
  /// Writes a model `ext.onnx`, a product with weights in `weights.bin`, and an input `t.npy`; returns the weights' bytes.
  func writeModelWithData(rows: Int, columns: Int) throws -> Data {
    func value(_ wire: inout Wire, _ name: String, _ shape: [Int]) {
      wire.text(1, name)
      wire.message(2) {
        $0.message(1) {
          $0.int(1, 1)
          $0.message(2) { for size in shape { $0.message(1) { $0.int(1, Int64(size)) } } }
        }
      }
    }
    let bytes = model {
      $0.message(Field.node) {
        for input in ["x", "w"] { $0.text(1, input) }
        $0.text(2, "y")
        $0.text(Field.op, "MatMul")
      }
      $0.text(2, "ext")
      $0.message(Field.initializer) {
        tensor(&$0, 1, [Int64(rows), Int64(columns)], "w") {
          $0.int(Field.dataLocation, 1)
          $0.message(Field.externalData) {
            $0.text(1, "location")
            $0.text(2, "weights.bin")
          }
        }
      }
      $0.message(Field.input) { value(&$0, "x", [1, rows]) }
      $0.message(12) { value(&$0, "y", [1, columns]) }
    }
    try Data(bytes).write(to: URL(filePath: path("ext.onnx")))
    let weights = (0..<rows * columns).map { Float($0 % 17) / 16 - 0.5 }
    let data = weights.withUnsafeBytes { Data($0) }
    try data.write(to: URL(filePath: path("weights.bin")))
    try writeFile(npyBytes(Tensor([1, rows], [Float](repeating: 1, count: rows))), to: path("t.npy"))
    return data
  }
}
