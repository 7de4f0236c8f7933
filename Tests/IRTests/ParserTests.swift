import Hardware
import IR
import Support
import Tensors
import TestSupport
import Testing

/// Headers, operations, resources, machines and limits.
@Suite struct ParserTests {
  @Test func theSmallestModule() throws {
    for level in LevelName.allCases {
      let module = try parseModule("xir 2\nmodule @m level \(level.rawValue) facts []{}")
      #expect(module.level == level && module.facts.isEmpty && verify(module) == [])
      #expect(module.text == "xir 2\nmodule @m level \(level.rawValue) facts [] {\n}\n")
    }
  }

  @Test func factsArePrintedInTheirOrder() throws {
    let all = Fact.allCases.map(\.rawValue)
    let module = try parseModule(
      "xir 2\nmodule @m level tensor facts [\(all.reversed().joined(separator: ", "))] {}")
    #expect(module.text.contains("facts [\(all.joined(separator: ", "))]"))
    #expect(Fact.shaped < Fact.quantized && !(Fact.scheduled < Fact.placed))
  }

  @Test(arguments: [
    ("text.version", ""), ("text.version", "module"), ("text.syntax", "xir"), ("text.version", "xir 1"),
    ("text.version", "xir 3"), ("text.syntax", "xir 2"), ("text.syntax", "xir 2\nmodule @m"),
    ("text.syntax", "xir 2\nmodule @m level tensor"),
    ("text.level", "xir 2\nmodule @m level array facts [] {}"),
    ("text.fact", "xir 2\nmodule @m level tensor facts [a] {}"),
    ("text.syntax", "xir 2\nmodule @m level tensor facts [shaped shaped] {}"),
    ("text.syntax", "xir 2\nmodule @m level tensor facts [] {"),
    ("text.syntax", "xir 2\nmodule @m level tensor facts [] {}}"),
    ("text.syntax", "xir 2\nmodule @m level tensor facts [] {} module"),
    ("text.syntax", "xir 2\nmodule \"m\" level tensor facts [] {}"),
    ("text.version", "module @m level tensor facts [] {}"),
  ])
  func badHeaders(id: String, text: String) { expectParseFailure(id, "", text) }

  @Test func anEmptyTextSaysWhatIsMissing() {
    #expect(expectParseFailure("text.version", "a text begins with its version, 'xir 2'", "") != nil)
    expectParseFailure("text.syntax", "found the end of the text", "xir 2 // only a comment")
  }

  // MARK: Limits

  @Test func listsNestSixteenTimes() throws {
    func list(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
    }
    _ = try attribute(list(16))
    expectFailure("text.depth") { () throws(Diagnostic) in _ = try attribute(list(17)) }
    expectFailure("text.depth") { () throws(Diagnostic) in _ = try attribute(list(100_000)) }
  }

  @Test func bodiesNestEightTimes() throws {
    func text(_ depth: Int) -> String {
      "xir 2\nmodule @m level program facts [] {" + String(repeating: "repeat [count: 1] {", count: depth)
        + String(repeating: "}", count: depth) + "}"
    }
    #expect(verify(try parseModule(text(8))) == [])
    expectParseFailure("text.depth", "", text(9))
    expectParseFailure("text.depth", "", text(100_000))
  }

  @Test(arguments: [
    "1x2xf32", "f32", "*xf32", "0xf32", "1073741824xi8", "0x1073741824xu1",
    "1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32", "u63", "i1",
  ])
  func legalTypes(text: String) throws {
    let module = try parseModule(tensorText("%x = input [name: \"x\"] : tensor<\(text)>"))
    #expect(module.text.contains("tensor<\(text)>"))
  }

  @Test(arguments: [
    "", "1", "1x", "x", "xf32", "1xf64", "f16", "u0", "i0", "u64", "i65", "i064", "i+8", "-1xf32", "+1xf32",
    "01xf32", "1x*xf32",
    "*f32", "**xf32", "*x1xf32", "1073741825xi8", "0x1073741825xi8", "32768x32769xf32",
    "9223372036854775808xf32",
    "99999999999999999999xf32", "1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32", "1xu8, scale 0.5",
    "1xu8, zero 0, scale 0.5",
    "1xu8, scale 1, zero 0", "1xu8, scale -1.0, zero 0", "1xu8, scale nan, zero 0", "1xu8, scale inf, zero 0",
    "1xu8, scale 0.5, zero 0.5", "1xu8, scale 0.5, zero 9223372036854775808", "1xu8, scale 0.5, zero 0,",
  ])
  func badTypes(text: String) {
    #expect(throws: Diagnostic.self) {
      try parseModule(tensorText("%x = input [name: \"x\"] : tensor<\(text)>"))
    }
  }

  @Test func countsAndOriginsAreBounded() {
    let head = "%x = input [name: \"x\"] : tensor<1xf32> "
    expectParseFailure("text.number", "", tensorText(head + "loc(2147483648, \"\", \"\")"))
    expectParseFailure("text.syntax", "", tensorText(head + "loc(-1, \"\", \"\")"))
    expectParseFailure("text.syntax", "", tensorText(head + "loc(1, \"\")"))
  }

  @Test func aLongTextIsRead() throws {
    let lines = (0..<5000).map { "%v\($0 + 1) = relu %v\($0) : tensor<1xf32>" }.joined(separator: "\n")
    let module = try parseModule(
      tensorText("%v0 = input [name: \"x\"] : tensor<1xf32>\n" + lines, facts: "shaped"))
    #expect(verify(module) == [])
  }

  // MARK: Operations

  @Test func operandsMustBeDefinedAbove() {
    expectParseFailure("text.undefined", "%y", tensorText("%x = relu %y : tensor<1xf32>"))
    expectParseFailure("text.undefined", "%x", tensorText("%x = relu %x : tensor<1xf32>"))
    expectParseFailure("text.value-twice", "%x", tensorText("%x, %x = relu : tensor<1xf32>, tensor<1xf32>"))
    expectParseFailure("text.syntax", "", tensorText("%x, %y = relu : tensor<1xf32>"))
    expectParseFailure("text.syntax", "", tensorText("%x = : tensor<1xf32>"))
    expectParseFailure("text.syntax", "", tensorText("%x relu : tensor<1xf32>"))
  }

  @Test func anOperationWithoutOperandsDoesNotTakeTheNextResult() throws {
    // Neither text verifies, but what parses must print and parse to the same.
    let missing = tensorText("relu []\n%x = input [name: \"x\"] : tensor<1xf32>")
    let module = try parseModule(missing)
    #expect(verify(module).map(\.id) == ["verify.operands", "verify.results"])
    #expect(try parseModule(module.text).text == module.text)
    let program = try parseModule(
      "xir 2\nmodule @m level program facts [] { %b = buffer : tensor<1xf32> %b = relu [] %b = relu %b }")
    #expect(isSame(try parseModule(program.text), program))
  }

  @Test func atProgramLevelResultsNameBuffers() throws {
    let body = "xir 2\nmodule @m level program facts [] {\n  %b = buffer : tensor<1xf32>\n"
    let module = try parseModule(body + "  %b = relu %b\n}")
    #expect(verify(module) == [])
    expectParseFailure("text.syntax", "", body + "  %b = relu %b : tensor<1xf32>\n}")
    expectParseFailure("text.undefined", "%c", body + "  %c = relu %b\n}")
    expectParseFailure("text.value-twice", "%b", body + "  %b = buffer : tensor<1xf32>\n}")
  }

  // MARK: Resources

  private let declared = "resource #w : tensor<2xi4> crc \"CRC\"\n%c = constant [value: #w] : tensor<2xi4>"

  private func text(crc: String) -> String { tensorText(declared.replacingFirst("CRC", with: crc)) }

  @Test func resourcesComeFromTheSideFile() throws {
    let good = Tensor([2], TensorData.i8([1, -1]))
    let wide = Tensor([2], [Int64(1), -1])
    let actual = expectFailure("text.resource-crc") { () throws(Diagnostic) in
      _ = try parseModule(text(crc: "00000000")) { _ in good }
    }
    let found = actual?.message.split(separator: " ").first { $0.hasSuffix(",") }?.dropLast() ?? ""
    for tensor in [good, wide] {
      let module = try parseModule(text(crc: String(found))) { name in name == "w" ? tensor : nil }
      #expect(module.resources.map(\.tensor) == [good])
      #expect(verify(module) == [])
    }
  }

  @Test func badResourcesAreRefused() {
    func expect(_ id: String, _ tensor: Tensor?) {
      expectFailure(id) { () throws(Diagnostic) in _ = try parseModule(text(crc: "00000000")) { _ in tensor }
      }
    }
    expect("text.resource-missing", nil)
    expect("text.resource-type", Tensor([3], [Int64(1), 2, 3]))
    expect("text.resource-type", Tensor([1, 2], [Int64(1), 2]))
    expect("text.resource-type", Tensor([2], [Float(1), 2]))
    expect("text.resource-type", Tensor([2], [Int64(8), 0]))
    expect("text.resource-crc", Tensor([2], [Int64(7), 0]))
    expectFailure("test.lookup") { () throws(Diagnostic) in
      _ = try parseModule(text(crc: "00000000")) { _ throws(Diagnostic) in
        throw Diagnostic("test.lookup", "no file")
      }
    }
    let twice = "resource #w : tensor<0xi8> crc \"00000000\"\n"
    expectFailure("text.resource-twice") { () throws(Diagnostic) in
      _ = try parseModule(tensorText(twice + twice)) { _ in Tensor([0], [Int64]()) }
    }
    expectParseFailure("text.syntax", "", tensorText("resource w : tensor<0xi8> crc \"00000000\""))
  }

  @Test func aChecksumMayBeLeftOut() throws {
    let tensor = Tensor([2], TensorData.i8([1, -1]))
    let text = tensorText(declared.replacingFirst(" crc \"CRC\"", with: ""))
    #expect(try parseModule(text) { _ in tensor }.resources.map(\.tensor) == [tensor])
  }

  @Test func aWrongChecksumSaysHowToRenewIt() {
    let error = expectFailure("text.resource-crc") { () throws(Diagnostic) in
      _ = try parseModule(text(crc: "00000000")) { _ in Tensor([2], TensorData.i8([1, -1])) }
    }
    let sum = error?.message.split(separator: " ").first { $0.hasSuffix(",") }?.dropLast() ?? "none"
    #expect(error?.notes.contains { $0.contains("crc \"\(sum)\"") } == true, "\(error?.notes ?? [])")
  }

  /// Little-endian, in the container of the element type; these texts are Python's.
  @Test(arguments: [
    ("tensor<2xi4>", "Af8=", Tensor([2], TensorData.i8([1, -1]))),
    ("tensor<1x2xf32>", "AACAPwAAAMA=", Tensor([1, 2], [Float(1), -2])),
    ("tensor<2xu12>", "AQD/Dw==", Tensor([2], TensorData.u16([1, 4095]))),
    ("tensor<1xi64>", "/v////////8=", Tensor([1], TensorData.i64([-2]))),
    ("tensor<0xi8>", "", Tensor([0], TensorData.i8([]))),
  ]) func numbersMayStandInTheText(type: String, bytes: String, tensor: Tensor) throws {
    let module = try parseModule(tensorText("resource #w : \(type) bytes \"\(bytes)\"")) { _ in nil }
    #expect(module.resources.map(\.tensor) == [tensor])
    #expect(module.text(resources: .text).contains("bytes \"\(bytes)\""))
    #expect(!module.text.contains("bytes"))
  }

  @Test func badNumbersInTheTextAreRefused() {
    for (type, bytes) in [
      ("tensor<2xi4>", "Af8"), ("tensor<2xi4>", "Af8A"), ("tensor<3xi4>", "Af8="), ("tensor<2xi4>", "Af9="),
      ("tensor<2xi4>", "A*8="), ("tensor<2xi4>", "Af=="), ("tensor<2xi4>", "===="), ("tensor<*xi4>", "Af8="),
    ] {
      expectParseFailure("text.resource-bytes", "", tensorText("resource #w : \(type) bytes \"\(bytes)\""))
    }
    expectParseFailure("text.resource-type", "", tensorText("resource #w : tensor<2xi4> bytes \"CAg=\""))
    expectParseFailure(
      "text.resource-crc", "", tensorText("resource #w : tensor<2xi4> crc \"00000000\" bytes \"Af8=\""))
  }

  @Test func aResourceWithoutAShapeIsRefused() {
    expectFailure("text.resource-type") { () throws(Diagnostic) in
      _ = try parseModule(tensorText("resource #w : tensor<*xi8> crc \"00000000\"")) { _ in
        Tensor([0], [Int64]())
      }
    }
  }

  // MARK: Machines

  private func machine(_ change: (inout Machine) -> Void) throws -> Machine {
    var machine = try Machine.target(named: "sre")
    change(&machine)
    return machine
  }

  @Test func knownMachinesStandByName() throws {
    for name in Machine.targetNames {
      let module = Module<CrossbarLevel>(name: "m", machine: try Machine.target(named: name))
      #expect(module.text.contains("\n  machine \(name)\n"))
      expectRoundTrip(module)
    }
  }

  /// A built-in target that was changed prints what differs.
  @Test func variantsPrintWhatDiffers() throws {
    let changes: [(text: String, change: (inout Machine) -> Void)] = [
      ("array.rows: 4096", { $0.array.rows = 4096 }),
      ("timing.cycleNanoseconds: 0.1", { $0.timing.cycleNanoseconds = 0.1 }),
      ("energy.adcConversion: 1e-12", { $0.energy.adcConversion = 1e-12 }),
      ("area.tileOverhead: 5e-324", { $0.area.tileOverhead = .leastNonzeroMagnitude }),
      ("hierarchy.tiles: 77", { $0.hierarchy.tiles = 77 }),
      ("array.rows: 100, operands.inputBits: 1", { ($0.array.rows, $0.operands.inputBits) = (100, 1) }),
    ]
    for (text, change) in changes {
      let module = Module<CrossbarLevel>(name: "m", machine: try machine(change))
      #expect(module.text.contains("\n  machine sre {\(text)}\n"), "\(module.text)")
      expectRoundTrip(module)
    }
  }

  /// Machines of another name, or without something that the target has, print every figure.
  @Test func otherMachinesPrintEveryFigure() throws {
    let changes: [(inout Machine) -> Void] = [
      { $0.name = "my \"own\"" }, { $0.summary = "line\nline" }, { $0.name = "isaac" },
    ]
    for change in changes {
      let module = Module<CrossbarLevel>(name: "m", machine: try machine(change))
      #expect(module.text.contains("machine \"") && module.text.contains("    array.rows: 128, "))
      expectRoundTrip(module)
    }
    var recom = try Machine.target(named: "recom")
    recom.memory = nil
    let bare = Module<CrossbarLevel>(name: "m", machine: recom)
    #expect(bare.text.contains("machine \"recom\"") && !bare.text.contains("memory."))
    expectRoundTrip(bare)
  }

  @Test func optionalSectionsAreFigures() throws {
    let memory = MemorySystem(
      clockMegahertz: 1200, sramBytes: 131_072, bufferBytes: 256, dramLatencyNanoseconds: 15,
      valuesPerClock: 1)
    let with = Module<CrossbarLevel>(name: "m", machine: try machine { $0.memory = memory })
    for figure in [
      "memory.clockMegahertz: 1200.0", "memory.sramBytes: 131072", "memory.bufferBytes: 256",
      "memory.dramLatencyNanoseconds: 15.0", "memory.valuesPerClock: 1",
    ] { #expect(with.text.contains(figure)) }
    expectRoundTrip(with)
    var machine = try Machine.target(named: "recom")
    machine.writing = WriteFigures(wordlineNanoseconds: 0.5, cellPicojoules: 1e-7)
    let both = Module<CrossbarLevel>(name: "m", machine: machine)
    #expect(
      both.text.contains(
        "machine recom {writing.wordlineNanoseconds: 0.5, writing.cellPicojoules: 1e-07}\n"))
    expectRoundTrip(both)
  }

  /// What is wrong with a figure is said at its place.
  @Test(arguments: [
    ("memory.clockMegahertz: 0.0", "target.range"), ("memory.clockMegahertz: -1.0", "text.syntax"),
    ("memory.clockMegahertz: 1e10", "target.range"), ("memory.clockMegahertz: nan", "text.syntax"),
    ("memory.clockMegahertz: 1e999", "text.syntax"), ("memory.sramBytes: 0", "target.range"),
    ("memory.sramBytes: 131072.0", "text.syntax"), ("memory.sramBytes: 2147483648", "target.range"),
    ("memory.bufferBytes: -256", "text.syntax"), ("memory.dramLatencyNanoseconds: inf", "text.syntax"),
    ("memory.valuesPerClock: 65537", "target.range"), ("memories.sramBytes: 1", "target.key"),
    ("memory.sramBytes", "text.syntax"), ("memory.sramBytes: []", "text.syntax"),
    ("memory.sramBytes: 1, memory.sramBytes: 1", "target.key"), ("array.rows: 0", "target.range"),
    ("array.rows: 5000", "target.range"), ("array.rows: 99999999999999999999", "target.range"),
    ("array.cellBits: 9", "target.range"), ("array.unitWidth: 4096", "target.range"),
    ("array.adcBits: 17", "target.range"), ("writing.cellPicojoules: 1e13", "target.range"),
  ])
  func badFigures(text: String, id: String) throws {
    let error = expectParseFailure(id, "", crossbarText("  machine recom {\(text)}"))
    guard case .text(let position)? = error?.location.place else {
      Issue.record("\(text) without a place")
      return
    }
    #expect(position.line == 3)
  }

  @Test(arguments: [
    ("machine none", "target.unknown"), ("machine", "text.syntax"), ("machine \"a\"", "text.syntax"),
    ("machine 5", "text.syntax"), ("machine \"a\" \"b\"", "text.syntax"),
    ("machine \"a\" \"b\" {}", "target.missing"),
    ("machine \"a\" \"b\" {array.rows: 1}", "target.missing"),
    ("machine sre {memory.sramBytes: 1}", "target.missing"),
  ])
  func badMachines(text: String, id: String) { expectParseFailure(id, "", crossbarText(text)) }

  // MARK: Pipelines

  @Test func pipelinesAreRead() throws {
    #expect(try parsePipeline("") == [])
    let calls = try parsePipeline(" quantize(weights: 4,inputs:8,) , slice-bits , ")
    #expect(calls.map(\.text) == ["quantize(weights: 4, inputs: 8)", "slice-bits"])
    #expect(calls[1].position == TextPosition(line: 1, column: 35, length: 10))
  }

  @Test(arguments: [
    ("a b", "text.syntax"), ("a(", "text.syntax"), ("a(b)", "text.syntax"),
    ("a(b: 1, b: 2)", "text.option-twice"), (",", "text.syntax"),
    ("a(b: [)", "text.syntax"), ("1", "text.syntax"), ("a)", "text.syntax"),
  ])
  func badPipelines(text: String, id: String) {
    expectFailure(id) { () throws(Diagnostic) in _ = try parsePipeline(text) }
  }
}

extension String {
  /// The text with the first `old` replaced.
  fileprivate func replacingFirst(_ old: String, with new: String) -> String {
    guard let range = firstRange(of: old) else { return self }
    return self[..<range.lowerBound] + new + self[range.upperBound...]
  }
}
