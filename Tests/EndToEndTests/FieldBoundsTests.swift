import CodeGen
import Hardware
import IR
import Mapping
import Support
import Tensors
import Testing

@testable import ProgramFormat

/// The bounds of every field of layers and blocks are the same in the binary, in the text and in the checks.
@Suite("Bounds of fields") struct FieldBoundsTests {
  // MARK: Values

  /// The values at the bounds of a field, of which programs can have these, and those one beyond.
  private struct Bounds {
    var inside: [FieldValue]
    var outside: [FieldValue]

    init(_ inside: [FieldValue], outside: [FieldValue]) {
      self.inside = inside
      self.outside = outside
    }

    /// The bounds of a range. Programs have `most` at most where what else they have leaves no more.
    init(_ range: ClosedRange<Int64>, most: Int64? = nil) {
      inside = [.int(range.lowerBound), .int(most ?? range.upperBound)]
      outside = [.int(range.lowerBound - 1), .int(range.upperBound + 1)]
    }
  }

  private static func element(_ bits: Int, _ signed: Bool) -> FieldValue {
    .element(.integer(bits: bits, signed: signed))
  }

  private static func rows(_ input: Int, _ shift: Int) -> FieldValue {
    .rows([RowEntry(input: input, shift: shift)])
  }

  private static func columns(_ output: Int, _ shift: Int, _ negative: Bool = false) -> FieldValue {
    .columns([ColumnEntry(output: output, shift: shift, negative: negative)])
  }

  private static func bounds<Owner>(of field: LayerField<Owner>) -> Bounds? {
    let (side, index) = (LayerLimits.side, LayerLimits.indexFirst)
    switch (field.name, field.kind) {
    // A program has fewer crossbars and segments than the numbers that they may have.
    case ("crossbar", .int(let range)), ("segment", .int(let range)): return Bounds(range, most: 1)
    case (_, .int(let range)): return Bounds(range)
    case (_, .word(let choices)): return Bounds(choices.map { .word($0) }, outside: [.word("never")])
    case (_, .flag): return Bounds([.flag(true)], outside: [])
    case (_, .inputs):
      let most = LayerLimits.inputBits
      return Bounds(
        [element(1, false), element(most, false), element(2, true), element(most, true)],
        outside: [element(0, false), element(most + 1, false), element(1, true), element(most + 1, true)])
    case (_, .ints(_, let range)):
      let (least, most) = (range.lowerBound, range.upperBound)
      return Bounds(
        [.ints([least, least]), .ints([most, least]), .ints([least, most])],
        outside: [
          .ints([most + 1, least]), .ints([least, most + 1]), .ints([least - 1, least]),
          .ints([least, least - 1]),
        ])
    // Accumulators hold no input of a bit that is shifted by more than 60, and no bitline of such a shift.
    case (_, .rows):
      return Bounds(
        [rows(0, 0), rows(side - 1, 0), rows(0, 60)],
        outside: [rows(side, 0), rows(-1, 0), rows(0, LayerLimits.rowShift + 1), rows(0, -1)])
    case (let name, .columns):
      let most = name == "column-layout" ? LayerLimits.columnShift : 60
      return Bounds(
        [columns(0, 0), columns(side - 1, 0), columns(0, most), columns(0, most, true)],
        outside: [
          columns(side, 0), columns(-1, 0), columns(0, LayerLimits.columnShift + 1),
          columns(0, LayerLimits.columnShift + 1, true), columns(0, -1),
        ])
    case (_, .index):
      let (least, most) = (LayerLimits.indexBits.lowerBound, LayerLimits.indexBits.upperBound)
      return Bounds(
        [.index(.absolute(bits: least, first: 0)), .index(.delta(bits: most, first: 0))],
        outside: [
          .index(.absolute(bits: least - 1, first: 0)), .index(.delta(bits: most + 1, first: 0)),
          .index(.delta(bits: 1, first: index)), .index(.delta(bits: 1, first: -1)),
        ])
    case (_, .units):
      let most = LayerLimits.unitSide
      return Bounds(
        [
          .units(.fixed(height: 1, width: 1)), .units(.dynamic(height: most, width: 1)),
          .units(.zeroSkipping(height: 1, width: most)),
        ],
        outside: [
          .units(.fixed(height: 0, width: 1)), .units(.fixed(height: 1, width: 0)),
          .units(.fixed(height: most + 1, width: 1)), .units(.fixed(height: 1, width: most + 1)),
        ])
    case (_, .tensor): return nil
    }
  }

  // MARK: Programs

  /// A layer of one cell, and a second one that shares nothing with it.
  private struct Parts {
    var layers: [Layer]
    var crossbars = 2
    var machine: Machine

    init() throws {
      machine = try Machine.target(named: "recom")
      machine.array = ArrayDescription(
        rows: 1, columns: 1, cellBits: 1, unitHeight: 1, unitWidth: 1, dacBits: 1, adcBits: 1)
      layers = (0..<2).map { number in
        var layer = Layer(
          name: "layer\(number)", rows: 1, columns: 1, inputs: .unsigned(bits: 1),
          readout: Readout(dacBits: 1, adcBits: 1))
        layer.blocks = [
          Block(
            rows: [RowEntry(input: 0)], columns: [ColumnEntry(output: 0, shift: 0)],
            units: .fixed(height: 1, width: 1), placement: Placement(crossbar: number))
        ]
        return layer
      }
    }

    /// The program that drives both layers.
    var program: Program {
      var (buffers, code): ([Buffer], [Instruction]) = ([], [])
      var (inputs, outputs): ([Port], [Port]) = ([], [])
      for (number, layer) in layers.enumerated() {
        // Buffers stay possible where the layer is not.
        let rows = min(max(1, layer.rows), LayerLimits.side)
        let columns = min(max(1, layer.columns), LayerLimits.side)
        let bits = min(max(layer.inputs.isSigned ? 2 : 1, layer.inputs.bits), LayerLimits.inputBits)
        let element = ElementType.integer(bits: bits, signed: layer.inputs.isSigned)
        let first = buffers.count
        buffers += [
          Buffer(name: "x\(number)", shape: [1, 1, 1, rows], element: .float32),
          Buffer(name: "q\(number)", shape: [1, 1, 1, rows], element: element),
          Buffer(name: "r\(number)", shape: [rows], element: element),
          Buffer(name: "a\(number)", shape: [columns], element: .accumulator),
          Buffer(name: "s\(number)", shape: [1, columns, 1, 1], element: .accumulator),
          Buffer(name: "y\(number)", shape: [1, columns, 1, 1], element: .float32),
        ]
        let place = OutputLayout(channels: columns, positions: 1, channelStart: 0)
        let low = layer.inputs.isSigned ? -element.highest : 0
        let operations: [Operation] = [
          .digital(
            .quantize(scale: 1, zero: 0, low: low, high: element.highest), inputs: [first], output: first + 1),
          .load(register: first + 2, source: first + 1, window: .rows(1, rows), padding: 0),
          .drive(register: first + 2, layer: number), .convert(layer: number),
          .accumulate(register: first + 3, layer: number),
          .store(destination: first + 4, register: first + 3, layout: place),
          .digital(.dequantize(scale: 1, zero: 0), inputs: [first + 4], output: first + 5),
        ]
        code += operations.map { Instruction($0) }
        inputs.append(Port(name: "x\(number)", buffer: first))
        outputs.append(Port(name: "y\(number)", buffer: first + 5))
      }
      let count = machine.array.rows * machine.array.columns
      return Program(
        name: "bounds", machine: machine, inputs: inputs, outputs: outputs, buffers: buffers,
        crossbars: [Crossbar](
          repeating: Crossbar(cells: [UInt8](repeating: 1, count: count)), count: crossbars),
        layers: layers, code: code, info: [])
    }

    /// Gives the last layer's field a value, and what such a value asks for.
    mutating func set(_ field: LayerField<Layer>, _ value: FieldValue) {
      switch (field.name, value) {
      case ("inputs", .element(.integer(let bits, let signed))):
        layers[1].inputs = signed ? .twoPass(bits: bits) : .unsigned(bits: bits)
        return
      case ("column-layout", .columns(let columns)):
        layers[1].columns = min(max(1, (columns.map(\.output).max() ?? 0) + 1), LayerLimits.side)
      case ("bitlines-per-conversion", .int(let count)) where 1...16 ~= count:
        layers[1].blocks[0].columns = (0..<Int(count)).map { ColumnEntry(output: 0, shift: $0) }
        layers[1].blocks[0].units = .fixed(height: 1, width: Int(count))
        machine.array.columns = Int(count)
      case ("offsets", .ints(let numbers)): layers[1].columns = numbers.count
      case ("masks", _): layers[1].coding.columnLayout = layers[1].blocks[0].columns
      case ("rows", .int(let count)) where count > 1: layers[1].blocks[0].rows[0].input = Int(count) - 1
      case ("columns", .int(let count)) where count > 1:
        layers[1].blocks[0].columns[0].output = min(Int(count), LayerLimits.side) - 1
      default: break
      }
      field.set(&layers[1], value)
    }

    /// Gives the last layer's block a value in a field, and what such a value asks for.
    mutating func set(_ field: LayerField<Block>, _ value: FieldValue) {
      switch value {
      case .ints(let numbers):
        machine.array.rows = min(4096, max(1, Int(numbers[0]) + 1))
        machine.array.columns = min(4096, max(1, Int(numbers[1]) + 1))
      case .rows(let rows): layers[1].rows = min(max(1, (rows.map(\.input).max() ?? 0) + 1), LayerLimits.side)
      case .columns(let columns):
        layers[1].columns = min(max(1, (columns.map(\.output).max() ?? 0) + 1), LayerLimits.side)
      case .index: layers[1].coding.columnLayout = layers[1].blocks[0].columns
      case .units(let units):
        machine.array.rows = min(4096, max(1, units.height))
        machine.array.columns = min(4096, max(1, units.width))
      case .int(let number) where field.name == "crossbar" && number == 0: layers.removeFirst()
      default: break
      }
      field.set(&layers[layers.count - 1].blocks[0], value)
    }
  }

  // MARK: Ways

  /// The bytes of a program that need not be valid.
  private func bytes(_ program: Program) -> [UInt8] {
    let sections = encodeSections(program)
    var places: [SectionPlace] = []
    var body: [UInt8] = []
    let start = headBytes(sections.count)
    for section in sections {
      body += [UInt8](repeating: 0, count: Layout.aligned(start + body.count) - start - body.count)
      let offset = start + body.count
      body += section.bytes
      places.append(
        SectionPlace(
          kind: section.kind, range: offset..<offset + section.bytes.count,
          checksum: CRC32C.checksum(section.bytes)))
    }
    return encodeHead(places) + body
  }

  private func message(_ body: () throws(Diagnostic) -> Void) -> String? {
    do throws(Diagnostic) {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  /// Binary, module and text give the program back.
  private func expectRoundTrip(_ program: Program, _ what: String) throws {
    try #require(message { () throws(Diagnostic) in try validate(program) } == nil, "\(what)")
    let bytes = try encode(program)
    #expect(bytes == self.bytes(program), "\(what)")
    let back = try decode(bytes, file: "t.xbar")
    #expect(back == program, "\(what)")
    let lifted = liftProgram(back)
    #expect(verify(lifted).isEmpty, "\(what): \(verify(lifted))")
    let text = lifted.text
    let arrays = Dictionary(uniqueKeysWithValues: lifted.resources.map { ($0.name, $0.tensor) })
    guard case .program(let parsed) = try parseModule(text, resources: { arrays[$0] }) else {
      Issue.record("\(what): another level")
      return
    }
    #expect(verify(parsed).isEmpty, "\(what): \(verify(parsed))")
    #expect(parsed.text == text, "\(what)")
    #expect(try encode(try emitProgram(parsed)) == bytes, "\(what)")
  }

  /// What checks a program, what reads its bytes and what reads its text all name the field.
  private func expectRefusal(_ program: Program, _ name: String, fits: Bool, _ what: String) {
    let quoted = "'\(name)'"
    let checked = message { () throws(Diagnostic) in try validate(program) }
    #expect(checked?.contains(quoted) == true, "\(what): \(checked ?? "valid")")
    if fits {
      let bytes = bytes(program)
      let read = message { () throws(Diagnostic) in _ = try decode(bytes, file: "t.xbar") }
      #expect(read?.contains(quoted) == true, "\(what): \(read ?? "read")")
    }
    let lifted = liftProgram(program)
    let spelled = verify(lifted).map { "\($0)" }
    #expect(spelled.contains { $0.contains(quoted) }, "\(what): \(spelled)")
    expectTextRefusal(lifted.text, lifted, quoted, what)
  }

  /// The parser refuses a text, or the verifier what it parses to.
  private func expectTextRefusal(
    _ text: String, _ lifted: Module<ProgramLevel>, _ name: String, _ what: String
  ) {
    let arrays = Dictionary(uniqueKeysWithValues: lifted.resources.map { ($0.name, $0.tensor) })
    do throws(Diagnostic) {
      let found = verify(try parseModule(text, resources: { arrays[$0] })).map { "\($0)" }
      #expect(found.contains { $0.contains(name) }, "\(what): \(found)")
    } catch {
      // A number below zero is none that a map has, whatever its attribute is called.
      #expect("\(error)".contains(name) || error.id == "text.syntax", "\(what): \(error)")
    }
  }

  /// Whether the binary has room for a value; others cannot be written at all.
  private func fits(_ value: FieldValue, _ storage: FieldStorage) -> Bool {
    switch value {
    case .int(let number):
      return storage == .tagged(1) || storage == .tagged(3) || storage == .tagged(4) || number >= 0
    case .ints(let numbers): return numbers.allSatisfy { $0 >= 0 }
    case .rows(let rows): return rows.allSatisfy { $0.input >= 0 && $0.shift >= 0 }
    case .columns(let columns): return columns.allSatisfy { $0.output >= 0 && $0.shift >= 0 }
    case .index(let index): return 0..<1 << 24 ~= index.first
    case .word, .flag, .element, .units: return true
    }
  }

  // MARK: Tests

  private static let layerFields = Layer.fields.filter { $0.storage != .module }.map(\.name)
  private static let blockFields = Block.fields.filter { $0.storage != .module }.map(\.name)

  @Test(arguments: layerFields) func layersKeepBounds(_ name: String) throws {
    let field = try #require(Layer.field(name))
    let bounds = try #require(Self.bounds(of: field))
    for value in bounds.inside {
      var parts = try Parts()
      parts.set(field, value)
      #expect(field.problem(of: value) == nil)
      try expectRoundTrip(parts.program, "\(name) \(value)")
    }
    for value in bounds.outside {
      #expect(field.problem(of: value)?.field == name)
      if case .word(let word) = value {
        try expectWordRefusal(field, word)
        continue
      }
      var parts = try Parts()
      parts.set(field, value)
      expectRefusal(parts.program, name, fits: fits(value, field.storage), "\(name) \(value)")
    }
  }

  @Test(arguments: blockFields) func blocksKeepBounds(_ name: String) throws {
    let field = try #require(Block.field(name))
    let bounds = try #require(Self.bounds(of: field))
    for value in bounds.inside {
      var parts = try Parts()
      parts.set(field, value)
      #expect(field.problem(of: value) == nil)
      try expectRoundTrip(parts.program, "\(name) \(value)")
    }
    for value in bounds.outside {
      #expect(field.problem(of: value)?.field == name)
      var parts = try Parts()
      parts.set(field, value)
      expectRefusal(parts.program, name, fits: fits(value, field.storage), "\(name) \(value)")
    }
  }

  /// No layer has a word that does not exist, but a text can, and a file a number for it.
  private func expectWordRefusal(_ field: LayerField<Layer>, _ word: String) throws {
    var parts = try Parts()
    guard case .word(let choices) = field.kind, let last = choices.last else { return }
    parts.set(field, .word(last))
    let lifted = liftProgram(parts.program)
    let text = lifted.text.replacing("\(field.name): \(last)", with: "\(field.name): \(word)")
    expectTextRefusal(text, lifted, "'\(field.name)'", "\(field.name) \(word)")
  }

  /// Bounds that only passes see: the text of a module on its way has the same ones.
  @Test func modulesKeepBounds() throws {
    let fields = Layer.fields.filter { $0.storage == .module && $0.kind != .tensor }
    #expect(fields.map(\.name) == ["weight-bits", "encoding", "cell-bits", "stage"])
    for field in fields {
      let bounds = try #require(Self.bounds(of: field))
      for (value, isInside) in bounds.inside.map({ ($0, true) }) + bounds.outside.map({ ($0, false) }) {
        let word: String
        switch value {
        case .int(let number): word = "\(number)"
        case .word(let choice): word = choice
        default: continue
        }
        let text =
          "xir 2\nmodule @m level crossbar facts [] {\n  layer @a [rows: 1, columns: 1, inputs: u1, "
          + "\(field.name): \(word)] {\n  }\n}\n"
        let module = try parseModule(text)
        let found = verify(module).map { "\($0)" }
        #expect(found.contains { $0.contains("'\(field.name)'") } == !isInside, "\(text)\(found)")
        #expect(module.text == text)
      }
    }
  }

  /// What accumulators cannot hold is inside of the fields' bounds, and refused all the same.
  @Test func accumulatorsAreNarrowerThanShifts() throws {
    for (name, value) in [("rows", Self.rows(0, LayerLimits.rowShift)), ("columns", Self.columns(0, 61))] {
      let field = try #require(Block.field(name))
      #expect(field.problem(of: value) == nil)
      var parts = try Parts()
      parts.set(field, value)
      let program = parts.program
      let checked = message { () throws(Diagnostic) in try validate(program) }
      #expect(checked?.contains("[program.accumulator-range]") == true, "\(checked ?? "valid")")
      #expect(verify(liftProgram(program)).map(\.id) == ["verify.accumulator-range"])
    }
  }

  /// Offsets and shifts that the text of version 0.1.0 could not say.
  @Test func wideNumbersSurviveTheText() throws {
    var parts = try Parts()
    parts.machine.array.rows = 2
    parts.layers[1].rows = 2
    parts.layers[1].inputs = .unsigned(bits: 4)
    parts.layers[1].coding.offset = -(1 << 50)
    parts.layers[1].coding.columnLayout = [ColumnEntry(output: 0, shift: 61, negative: true)]
    parts.layers[1].blocks[0].rows = [RowEntry(input: 1, shift: 33), RowEntry(input: 0, shift: 20)]
    parts.layers[1].blocks[0].columns = [ColumnEntry(output: 0, shift: 22)]
    try expectRoundTrip(parts.program, "wide")
    #expect(liftProgram(parts.program).text.contains("rows(1<<33, 0<<20)"))
  }

  /// More bitlines than a column layout may have; fewer are not refused for their number.
  @Test func columnLayoutsHaveABound() {
    let column = ColumnEntry(output: 0, shift: 0)
    let most = [ColumnEntry](repeating: column, count: LayerLimits.columnLayout)
    #expect(FieldKind.columns.admits(.columns(most)))
    #expect(!FieldKind.columns.admits(.columns(most + [column])))
  }
}
