import Hardware
import IR
import Mapping
import Support
import Tensors
import Testing

/// What the verifier finds in modules that no text can spell, or that only a program can build; the texts of
/// Tests/FileTests/Files/verify show each constraint.
@Suite struct VerifyTests {
  private func ids<L: Level>(_ module: Module<L>) -> [String] { verify(module).map(\.id) }

  private func module(_ change: (inout Module<TensorLevel>, ValueID) -> Void) -> Module<TensorLevel> {
    var module = Module<TensorLevel>(name: "m")
    let x = module.values.add(Value(name: "x", type: ValueType(.float32, [1])))
    module.append(Op(.input, results: [x], attributes: [NamedAttribute("name", .string("x"))]))
    change(&module, x)
    return module
  }

  @Test func s6UseBeforeDefinition() {
    let module = module { module, _ in
      let y = module.values.add(Value(name: "y", type: ValueType(.float32, [1])))
      let z = module.values.add(Value(name: "z", type: ValueType(.float32, [1])))
      module.append(Op(.relu, operands: [y], results: [z]))
    }
    #expect(ids(module) == ["verify.undefined"])
  }

  @Test func s6DefinedTwice() {
    let module = module { module, x in module.append(Op(.relu, operands: [x], results: [x])) }
    #expect(ids(module) == ["verify.undefined"])
  }

  @Test func s6AWriteNeedsABuffer() {
    var module = Module<ProgramLevel>(name: "m")
    let b = module.values.add(Value(name: "b", type: ValueType(.float32, [1])))
    module.append(Op(.input, results: [b], attributes: [NamedAttribute("name", .string("x"))]))
    #expect(ids(module) == ["verify.undefined"])
  }

  @Test func s7NamesAreUniqueAndCanBeWritten() {
    let twice = module { module, x in
      let y = module.values.add(Value(name: "x", type: ValueType(.float32, [1])))
      module.append(Op(.relu, operands: [x], results: [y]))
    }
    #expect(ids(twice) == ["verify.name-twice"])
    let odd = module { module, x in
      let y = module.values.add(Value(name: "a b", type: ValueType(.float32, [1])))
      module.append(Op(.relu, operands: [x], results: [y]))
    }
    #expect(ids(odd) == ["verify.name"])
    #expect(ids(Module<TensorLevel>(name: "")) == ["verify.name"])
    var layers = Module<CrossbarLevel>(name: "m")
    layers.append(layers.encode(layer("a/b"), origin: nil))
    #expect(ids(layers) == ["verify.name"])
  }

  private func layer(_ name: String) -> Layer {
    Layer(
      name: name, rows: 1, columns: 1, inputs: .unsigned(bits: 4), weightBits: 4,
      weights: Tensor([1, 1], .i8([1])))
  }

  private func ids(_ layer: Layer, facts: Set<Fact> = []) -> [String] {
    var module = Module<CrossbarLevel>(name: "m", facts: facts, machine: try? Machine.target(named: "sre"))
    module.append(module.encode(layer, origin: nil))
    return ids(module)
  }

  @Test func s5BodiesOfOperationsWithoutOne() {
    let module = module { module, x in
      let inner = module.add(Op(.output, operands: [x], attributes: [NamedAttribute("name", .string("o"))]))
      module.append(
        Op(.output, operands: [x], attributes: [NamedAttribute("name", .string("p"))], body: [inner]))
    }
    #expect(ids(module) == ["verify.body"])
  }

  @Test func s11MapsOfBuiltLayers() {
    func block(_ rows: [RowEntry], _ columns: [ColumnEntry]) -> Layer {
      var layer = layer("a")
      layer.blocks = [
        Block(
          rows: rows, columns: columns, cells: [UInt8](repeating: 1, count: rows.count * columns.count))
      ]
      return layer
    }
    let row = [RowEntry(input: 0)]
    let column = [ColumnEntry(output: 0, shift: 0)]
    #expect(ids(block(row, column)) == [])
    #expect(ids(block([RowEntry(input: -1)], column)) == ["verify.attribute"])
    #expect(ids(block([RowEntry(input: 1)], column)) == ["verify.row"])
    #expect(ids(block([RowEntry(input: 0, shift: -1)], column)) == ["verify.attribute"])
    #expect(ids(block([RowEntry(input: 0, shift: 59)], column)) == ["verify.row"])
    #expect(ids(block(row, [ColumnEntry(output: 1, shift: 0)])) == ["verify.column"])
    #expect(ids(block(row, [ColumnEntry(output: -1, shift: 0)])) == ["verify.attribute"])
    #expect(ids(block(row, [ColumnEntry(output: 0, shift: 58)])) == ["verify.accumulator-range"])
    #expect(ids(block([], [])) == ["verify.block-bounds"])
  }

  @Test func s11UnitsOfBuiltLayers() {
    var odd = layer("a")
    odd.blocks = [
      Block(rows: [RowEntry(input: 0)], columns: [ColumnEntry(output: 0, shift: 0)], cells: [1])
    ]
    odd.blocks[0].units = .fixed(height: 0, width: 1)
    #expect(ids(odd) == ["verify.attribute"])
  }

  @Test func s11NothingOverflowsWhileDecoding() {
    // 2^16 cells of the highest weight on one weight: their sum does not fit 64 bits.
    var huge = layer("a")
    huge.coding.cellBits = 8
    huge.coding.signs = .differential
    huge.blocks = [
      Block(
        rows: [RowEntry](repeating: RowEntry(input: 0, shift: 16), count: 256),
        columns: [ColumnEntry](repeating: ColumnEntry(output: 0, shift: 24), count: 256),
        cells: [UInt8](repeating: 255, count: 65536))
    ]
    #expect(ids(huge, facts: [.sliced]) == ["verify.accumulator-range"])
  }

  @Test func s11TheWidestLayerStands() {
    var wide = layer("a")
    wide.inputs = .twoPass(bits: 32)
    wide.weightBits = 16
    wide.weights = Tensor([1, 1], .i16([-32768]))
    wide.coding.cellBits = 8
    wide.coding.signs = .offset
    wide.coding.offset = 32768
    wide.blocks = [
      Block(
        rows: [RowEntry(input: 0)],
        columns: [ColumnEntry(output: 0, shift: 0), ColumnEntry(output: 0, shift: 8)],
        cells: [0, 0])
    ]
    #expect(ids(wide, facts: [.sliced]) == [])
    wide.coding.offset = 1 << 32
    wide.weights = nil
    #expect(ids(wide) == ["verify.layer"])
  }

  @Test func fSlicedEveryLevelOfEightBits() {
    var full = layer("a")
    full.weightBits = 9
    full.weights = Tensor([1, 1], .i16([255]))
    full.coding.cellBits = 8
    full.coding.signs = .differential
    full.blocks = [
      Block(rows: [RowEntry(input: 0)], columns: [ColumnEntry(output: 0, shift: 0)], cells: [255])
    ]
    #expect(ids(full, facts: [.sliced]) == [])
  }

  @Test func fSlicedLevelsOfResourcesFitTheCell() {
    var module = Module<CrossbarLevel>(name: "m", facts: [.sliced])
    let cells = Tensor([1, 100], .u8([UInt8](repeating: 2, count: 100)))
    module.setResource(Resource(name: "c", element: .integer(bits: 1, signed: false), tensor: cells))
    var view = layer("a")
    view.coding.cellBits = 1
    view.coding.signs = .differential
    var op = module.encode(view, origin: nil)
    var block = Op(.block)
    block["rows"] = .rows([RowEntry(input: 0)])
    block["columns"] = .columns([ColumnEntry](repeating: ColumnEntry(output: 0, shift: 0), count: 100))
    block["cells"] = .resource("c")
    op.body = [module.add(block)]
    module.append(op)
    #expect(ids(module) == ["verify.sliced"])
  }

  @Test func layersThatCannotBeReadGiveNothing() {
    var module = Module<CrossbarLevel>(name: "m")
    let attributes: [(String, Attribute)] = [
      ("rows", .int(-1)), ("rows", .int(.max)), ("columns", .float(1)), ("inputs", .word("x")),
      ("weight-bits", .int(-5)),
      ("weight-bits", .int(100)), ("weight-bits", .int(0)), ("cell-bits", .int(-1)), ("cell-bits", .int(99)),
      ("weights", .word("a")), ("offset", .string("")), ("dac", .int(.min)),
    ]
    for (name, value) in attributes {
      var view = layer("a")
      view.coding.cellBits = 2
      view.blocks = [
        Block(rows: [RowEntry(input: 0)], columns: [ColumnEntry(output: 0, shift: 0)], cells: [1])
      ]
      var op = module.encode(view, origin: nil)
      op[name] = value
      let id = module.add(op)
      // Reading must not stop the program, whatever it gives.
      _ = module.layer(id)
    }
    let other = module.add(Op(.relu))
    #expect(module.layer(other) == nil)
  }

  @Test func everyOpcodeWithoutAnythingIsRefused() {
    // No operands, results or attributes: the verifier must say so at every level and not look for them.
    for opcode in Opcode.allCases {
      func check<L: Level>(_ level: L.Type) {
        var module = Module<L>(
          name: "m", facts: Set(Fact.allCases), machine: try? Machine.target(named: "sre"))
        module.append(Op(opcode))
        #expect(!ids(module).isEmpty)
      }
      check(TensorLevel.self)
      check(CrossbarLevel.self)
      check(ProgramLevel.self)
    }
  }

  @Test func everyOpcodeWithTooMuchIsHandled() {
    // Operands and results of every count, with attributes of the wrong kind.
    for opcode in Opcode.allCases {
      for count in 0..<7 {
        var module = Module<TensorLevel>(name: "m")
        var values: [ValueID] = []
        for k in 0..<count {
          let v = module.values.add(
            Value(name: "v\(k)", type: ValueType(k % 2 == 0 ? .float32 : .accumulator, k % 3 == 0 ? nil : []))
          )
          module.append(
            Op(.constant, results: [v], attributes: [NamedAttribute("value", .list([.float(1)]))]))
          values.append(v)
        }
        let result = module.values.add(Value(name: "r", type: ValueType(.float32, nil)))
        let attributes = opcode.spec.attributes.map { NamedAttribute($0.name, .string("?")) }
        module.append(Op(opcode, operands: values, results: [result], attributes: attributes))
        _ = verify(module)
      }
    }
  }

  @Test func s13AMachineThatCannotBeBuilt() throws {
    var module = module { _, _ in }
    module.machine = try Machine.target(named: "sre")
    #expect(ids(module).isEmpty)
    module.machine?.array.unitHeight = 4096
    #expect(ids(module) == ["verify.machine"])
  }
}
