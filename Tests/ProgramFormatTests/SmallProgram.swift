import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Tensors

/// A program with one of everything, small enough to compute offsets by hand.
///
/// Instructions: 0 quantize, 1 loop, 2 load, 3 drive, 4 convert, 5 accumulate, 6 store, 7 requantize, 8 dequantize.
func smallProgram() -> Program {
  let machine = sampleMachine(rows: 4, columns: 6, cellBits: 3, unitHeight: 2, unitWidth: 2)
  let u8 = ElementType.integer(bits: 8, signed: false)
  let buffers = [
    Buffer(name: "x", shape: [1, 1, 2, 2], element: .float32),
    Buffer(name: "q", shape: [1, 1, 2, 2], element: u8),
    Buffer(name: "r", shape: [2], element: u8),
    Buffer(name: "a", shape: [2], element: .accumulator),
    Buffer(name: "s", shape: [1, 2, 1, 2], element: .accumulator),
    Buffer(name: "t", shape: [1, 2, 1, 2], element: u8),
    Buffer(name: "y", shape: [1, 2, 1, 2], element: .float32),
    Buffer(
      name: "c", shape: [2], element: .integer(bits: 5, signed: true), initial: Tensor([2], .i8([-16, 15]))),
    Buffer(name: "f", shape: [], element: .float32, initial: Tensor([], [Float(2)])),
  ]
  let block = Block(
    crossbar: 0, row: 1, column: 1, rows: [RowEntry(input: 0), RowEntry(input: 1, shift: 1)],
    columns: [ColumnEntry(output: 0, shift: 0), ColumnEntry(output: 1, shift: 3, negative: true)],
    units: .fixed(height: 2, width: 2))
  var other = block
  other.placement?.crossbar = 1
  other.rows = [RowEntry(input: 0), RowEntry(input: 1)]
  other.units = .dynamic(height: 1, width: 2)
  other.rowIndex = .delta(bits: 2, first: 0)
  other.columnIndex = .absolute(bits: 1, first: 0)
  var cells = [UInt8](repeating: 0, count: 24)
  for place in [7, 8, 13, 14] { cells[place] = UInt8(place % 8) }
  let layer = Layer(
    name: "conv", inputs: 2, outputs: 2, inputBits: 8, inputSigned: false, dacBits: 1, adcBits: 5, offset: 3,
    columnLayout: block.columns, blocks: [block, other])
  let rule = Requantization(multipliers: [5, 6], shifts: [9, 9], zero: 0, low: 0, high: 255, axis: 1)
  let body: [Operation] = [
    .load(
      register: 2, source: 1,
      window: Window(
        batch: 1, channels: 1, height: 2, width: 2, kernelHeight: 2, kernelWidth: 1, outHeight: 1, outWidth: 2
      ),
      padding: 0),
    .drive(register: 2, layer: 0), .convert(layer: 0), .accumulate(register: 3, layer: 0),
    .store(destination: 4, register: 3, layout: OutputLayout(channels: 2, positions: 2, channelStart: 0)),
  ]
  let node = NodeOrigin(index: 4, name: "conv", op: "Conv")
  let code = [
    Instruction(.digital(.quantize(scale: 0.01, zero: 0, low: 0, high: 255), inputs: [0], output: 1)),
    Instruction(.loop(count: 2, body: body.map { Instruction($0, origin: node) }), origin: node),
    Instruction(.digital(.requantize(rule), inputs: [4], output: 5)),
    Instruction(.digital(.dequantize(scale: 0.5, zero: 0), inputs: [5], output: 6)),
  ]
  return Program(
    name: "small", machine: machine, inputs: [Port(name: "x", buffer: 0)],
    outputs: [Port(name: "y", buffer: 6)],
    buffers: buffers, crossbars: [Crossbar(cells: cells), Crossbar(cells: cells)], layers: [layer],
    code: code, info: [InfoEntry(key: "pipeline", text: "by hand")])
}

extension Program {
  /// Changes the operation of top-level instruction `index`, or of instruction `inner` of the loop there.
  mutating func edit(_ index: Int, _ inner: Int? = nil, _ change: (inout Operation) -> Void) {
    guard let inner else {
      change(&code[index].operation)
      return
    }
    guard case .loop(let count, var body) = code[index].operation else { return }
    change(&body[inner].operation)
    code[index].operation = .loop(count: count, body: body)
  }
}
