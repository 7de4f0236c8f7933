import Hardware
import Mapping
import ProgramSamples
import Support
import Tensors
import Testing

@testable import ProgramFormat

/// Programs whose layer has a bit for each input and output.
@Suite("Sparsity masks in the binary") struct MaskProgramTests {
  /// Inputs 1, 2, 4 and outputs 0, 2 of a 5x3 matrix, a bitline for each sign, in two crossbars one above the other.
  private func program() -> Program {
    let machine = sampleMachine(rows: 2, columns: 4, cellBits: 3, unitHeight: 2, unitWidth: 2)
    let bitlines = (0..<3).flatMap { output in
      [false, true].map { ColumnEntry(output: output, shift: 0, negative: $0) }
    }
    let columns = [bitlines[0], bitlines[1], bitlines[4], bitlines[5]]
    let blocks = [[1, 2], [4]].enumerated().map { number, inputs in
      Block(
        crossbar: number, row: 0, column: 0, rows: inputs.map { RowEntry(input: $0) }, columns: columns,
        units: .fixed(height: 2, width: 2))
    }
    var layer = Layer(
      name: "a", inputs: 5, outputs: 3, inputBits: 8, inputSigned: false, dacBits: 1, adcBits: 5, offset: 0,
      columnLayout: bitlines, blocks: blocks)
    layer.hasMasks = true
    let buffers = [
      Buffer(name: "x", shape: [1, 1, 1, 5], element: .float32),
      Buffer(name: "q", shape: [1, 1, 1, 5], element: .integer(bits: 8, signed: false)),
      Buffer(name: "r", shape: [5], element: .integer(bits: 8, signed: false)),
      Buffer(name: "a", shape: [3], element: .accumulator),
      Buffer(name: "s", shape: [1, 3, 1, 1], element: .accumulator),
      Buffer(name: "y", shape: [1, 3, 1, 1], element: .float32),
    ]
    let window = Window(
      batch: 1, channels: 1, height: 1, width: 5, kernelHeight: 1, kernelWidth: 5, outHeight: 1, outWidth: 1)
    let body: [Operation] = [
      .load(register: 2, source: 1, window: window, padding: 0), .drive(register: 2, layer: 0),
      .convert(layer: 0), .accumulate(register: 3, layer: 0),
      .store(destination: 4, register: 3, layout: OutputLayout(channels: 3, positions: 1, channelStart: 0)),
    ]
    return Program(
      name: "vectors", machine: machine, inputs: [Port(name: "x", buffer: 0)],
      outputs: [Port(name: "y", buffer: 5)],
      buffers: buffers,
      crossbars: [
        Crossbar(cells: [1, 0, 2, 0, 0, 3, 4, 0]), Crossbar(cells: [5, 0, 0, 1, 0, 0, 0, 0]),
      ], layers: [layer],
      code: [
        Instruction(.digital(.quantize(scale: 1, zero: 0, low: 0, high: 255), inputs: [0], output: 1)),
        Instruction(.loop(count: 1, body: body.map { Instruction($0) })),
        Instruction(.digital(.dequantize(scale: 1, zero: 0), inputs: [4], output: 5)),
      ], info: [])
  }

  /// Where the masks begin: after two counts, the name, sides, widths, the bytes of the fields, the part of six
  /// bitlines and that of the flag.
  private let vectorPlace = 8 + 8 + 8 + 4 + 4 + (8 + 24) + (8 + 4)

  @Test func vectorsStandAsBits() throws {
    let program = program()
    let bytes = try encode(program)
    #expect(try decode(bytes, file: "v") == program)
    let maps = HostileFile(program)[.maps]
    #expect(Array(maps[vectorPlace..<vectorPlace + 8]) == [0b10110, 0, 0, 0, 0b101, 0, 0, 0])
    let vectors = program.layers[0].masks
    #expect(vectors.usedInputs == [1, 2, 4] && vectors.outputs == [true, false, true])
    // Blocks take 32 bytes: the record, the bytes of no fields, and where their runs begin.
    #expect(maps.count == vectorPlace + 8 + 4 + 2 * 32)
  }

  @Test func wrongVectorsAreRefused() throws {
    let (start, blocks) = (vectorPlace, vectorPlace + 12)
    let cases: [(fault: ProgramFault, name: String, change: (inout [UInt8]) -> Void)] = [
      (.padding, "bits beyond the inputs", { $0[start] |= 1 << 5 }),
      (.padding, "bits beyond the outputs", { $0[start + 4] |= 1 << 3 }),
      (.indexTable, "an input in no block", { $0[start] |= 1 << 3 }),
      (.indexTable, "an output in no block", { $0[start + 4] |= 1 << 1 }),
      (.indexTable, "fewer inputs than blocks have", { $0[start] = 0b110 }),
      (.indexTable, "a run beyond the inputs", { $0[blocks + 32 + 24] = 3 }),
      (.indexTable, "a run beyond the bitlines", { $0[blocks + 28] = 1 }),
      (.value, "a plain map with masks", { $0[blocks + 17] = 0 }),
      (.value, "an index table with masks", { $0[blocks + 18] = 1 }),
      (.value, "shifts with masks", { $0[blocks + 19] = 1 }),
    ]
    for (fault, name, change) in cases {
      var file = HostileFile(program())
      change(&file[.maps])
      #expect(refusal(file.bytes)?.id == fault.id, "\(name): \(String(describing: refusal(file.bytes)))")
    }
  }

  @Test func invalidProgramsAreRefused() {
    let changes: [(inout Program) -> Void] = [
      { $0.blocks[0].rows.swapAt(0, 1) }, { $0.blocks[0].rows[0].shift = 1 },
      { $0.blocks[0].rows[0].input = 4 }, { $0.blocks[0].rowIndex = .absolute(bits: 3, first: 0) },
      { $0.blocks[1].columnIndex = .absolute(bits: 3, first: 0) }, { $0.blocks[1].columns.swapAt(1, 2) },
      {
        $0.blocks[1].columns.removeFirst(); $0.blocks[1].columns.remove(at: 1)
      },
    ]
    for (number, change) in changes.enumerated() {
      var program = program()
      change(&program)
      #expect(throws: Diagnostic.self, "\(number)") { _ = try encode(program) }
    }
  }

  /// Runs take no room in a file: their lengths are checked before their lines are written out.
  @Test func longRunsAreRefusedEarly() {
    for (place, value) in [(8, 3), (10, 5), (8, 0xFFFF), (10, 0xFFFF)] {
      var file = HostileFile(program())
      let start = vectorPlace + 12
      file[.maps][start + place] = UInt8(value & 0xFF)
      file[.maps][start + place + 1] = UInt8(value >> 8)
      #expect(refusal(file.bytes)?.id == ProgramFault.blockBounds.id, "\(place) \(value)")
    }
  }

  /// Units that are formed at run time cannot be planned.
  @Test func fetchesNeedFixedUnitsAndMemories() throws {
    var program = program()
    program.layers[0].fetch = .serial
    #expect(throws: Diagnostic.self) { _ = try encode(program) }
    program.machine.memory = MemorySystem(
      clockMegahertz: 100, sramBytes: 64, bufferBytes: 16, dramLatencyNanoseconds: 1, valuesPerClock: 1)
    #expect(try decode(try encode(program), file: "v") == program)
    program.blocks[1].units = .dynamic(height: 2, width: 2)
    #expect(throws: Diagnostic.self) { _ = try encode(program) }
  }

  /// Every flipped bit of the maps is refused or read as a program that writes the same bytes again.
  @Test func flippedBitsAreRefusedOrMean() throws {
    let original = HostileFile(program())
    var refused = 0
    for place in original[.maps].indices {
      for bit in 0..<8 {
        var file = original
        file[.maps][place] ^= 1 << UInt8(bit)
        let bytes = file.bytes
        do {
          #expect(try encode(try decode(bytes, file: "v")) == bytes, "\(place).\(bit)")
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > 500)
  }
}
