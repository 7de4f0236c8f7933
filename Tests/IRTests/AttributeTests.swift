import Hardware
import IR
import Mapping
import Support
import Tensors
import Testing

/// Attributes print to texts that parse to the same attribute.
@Suite struct AttributeTests {
  private func expectRoundTrip(_ value: Attribute) throws {
    #expect(try attribute(value.description) == value, "\(value)")
  }

  @Test func floatsKeepTheirBits() throws {
    var random = SeededGenerator(seed: 1)
    var values: [Float] = [
      0, -0.0, 1, .infinity, -.infinity, .nan, -.nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    ]
    for _ in 0..<2000 { values.append(Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))) }
    for value in values {
      try expectRoundTrip(.float(value))
      guard case .float(let read) = try attribute(Attribute.float(value).description) else { continue }
      #expect(read.bitPattern == value.bitPattern || value.isNaN && read.isNaN)
    }
  }

  @Test func equalityIsThatOfTexts() {
    #expect(Attribute.float(.nan) == .float(-.nan))
    #expect(Attribute.float(0) != .float(-0.0))
    #expect(Attribute.float(1) != .int(1))
    #expect(Attribute.word("a") != .string("a"))
    #expect(Attribute.list([.float(.nan)]) == .list([.float(.nan)]))
    #expect(Attribute.units(.fixed(height: 1, width: 2)) != .units(.dynamic(height: 1, width: 2)))
    #expect(Attribute.rows([]) != .columns([]))
    #expect(Attribute.symbol("a") != .resource("a"))
  }

  @Test func stringsKeepEveryCharacter() throws {
    for text in ["", "a", "\"", "\\", "\n\t\r", "//", "é\u{301}", "\u{0}\u{7f}", "日本", "a\\nb"] {
      try expectRoundTrip(.string(text))
    }
  }

  @Test(arguments: [
    ([], "rows()"), ([RowEntry(input: 5)], "rows(5)"),
    ([RowEntry(input: 0), RowEntry(input: 1), RowEntry(input: 2)], "rows(0..2)"),
    ([RowEntry(input: 2), RowEntry(input: 1), RowEntry(input: 0)], "rows(2, 1, 0)"),
    ([RowEntry(input: 0), RowEntry(input: 0)], "rows(0, 0)"),
    ([RowEntry(input: 0, shift: 1), RowEntry(input: 1, shift: 1), RowEntry(input: 2)], "rows(0..1<<1, 2)"),
    ([RowEntry(input: 1_048_575, shift: 61)], "rows(1048575<<61)"),
  ])
  func rowsPrintRuns(rows: [RowEntry], text: String) throws {
    #expect(Attribute.rows(rows).description == text)
    try expectRoundTrip(.rows(rows))
  }

  @Test(arguments: [
    ([], "columns()"),
    ([ColumnEntry(output: 3, shift: 0)], "columns(3 x [+0])"),
    (
      [ColumnEntry(output: 0, shift: 0), ColumnEntry(output: 0, shift: 2, negative: true)],
      "columns(0 x [+0, -2])"
    ),
    ([ColumnEntry(output: 0, shift: 1), ColumnEntry(output: 1, shift: 1)], "columns(0..1 x [+1])"),
    ([ColumnEntry(output: 1, shift: 1), ColumnEntry(output: 0, shift: 1)], "columns(1 x [+1], 0 x [+1])"),
    ([ColumnEntry(output: 0, shift: 1), ColumnEntry(output: 1, shift: 2)], "columns(0 x [+1], 1 x [+2])"),
  ])
  func columnsPrintGroups(columns: [ColumnEntry], text: String) throws {
    #expect(Attribute.columns(columns).description == text)
    try expectRoundTrip(.columns(columns))
  }

  @Test func randomMapsKeepTheirEntries() throws {
    var random = SeededGenerator(seed: 2)
    for _ in 0..<300 {
      try expectRoundTrip(.rows(random.rows(limit: random.inside(1...40), count: random.below(60))))
      try expectRoundTrip(.columns(random.columns(limit: random.inside(1...10), count: random.below(60))))
    }
  }

  @Test func manyDigitsOfOneOutputStand() throws {
    let digits = (0..<5000).map { ColumnEntry(output: 7, shift: $0 % 62, negative: $0 % 3 == 0) }
    try expectRoundTrip(.columns(digits))
  }

  @Test func randomWindowsKeepTheirNumbers() throws {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<500 { try expectRoundTrip(.window(random.window())) }
    try expectRoundTrip(.window(.rows(3, 7)))
  }

  @Test func windowsLeaveOutWhatIsUsual() {
    let plain = Window(
      batch: 1, channels: 2, height: 3, width: 4, kernelHeight: 2, kernelWidth: 2, outHeight: 2, outWidth: 3)
    #expect(Attribute.window(plain).description == "window(1x2x3x4, kernel 2x2, out 2x3)")
    let full = Window(
      batch: 1, channels: 4, height: 9, width: 9, channelStart: 1, channelCount: 2, kernelHeight: 2,
      kernelWidth: 3,
      strideHeight: 2, strideWidth: 1, padTop: 0, padLeft: 1, dilationHeight: 1, dilationWidth: 2,
      outHeight: 4, outWidth: 6)
    #expect(
      Attribute.window(full).description
        == "window(1x4x9x9, channels 1..2, kernel 2x3, stride 2x1, pad 0x1, dilation 1x2, out 4x6)")
  }

  @Test(arguments: [
    "window()", "window(1x1x2x2)", "window(1x1x2x2, kernel 1x1)", "window(0x1x2x2, kernel 1x1, out 2x2)",
    "window(1x1x2x2, channels 1..1, kernel 1x1, out 2x2)",
    "window(1x2x2x2, channels 1..0, kernel 1x1, out 2x2)",
    "window(1x1x2x2, channels 0..2147483647, kernel 1x1, out 2x2)", "window(1x1x2x2, kernel -1x1, out 2x2)",
    "window(1x1x2147483648x2, kernel 1x1, out 2x2)", "window(1048576x1048576x2x2, kernel 1x1, out 2x2)",
    "window(1x1x2x2, kernel 1x1, out 2x2, color 1x1)", "window(1x1x2x2 kernel 1x1, out 2x2)",
    "window(1x1x2x2, kernel 1x+1, out 2x2)",
  ])
  func badWindowsAreRefused(text: String) {
    #expect(throws: Diagnostic.self) { try attribute(text) }
  }

  @Test func unitsHaveBounds() throws {
    try expectRoundTrip(.units(.fixed(height: 1, width: 4096)))
    try expectRoundTrip(.units(.dynamic(height: 4096, width: 1)))
    for text in [
      "fixed(0x1)", "fixed(1x4097)", "fixed(1)", "fixed(1x1x1)", "dynamic(-1x1)", "fixed(1x)", "other(1x1)",
    ] {
      #expect(throws: Diagnostic.self) { try attribute(text) }
    }
  }

  @Test func mapsOfAShortTextAreBounded() throws {
    let whole = try attribute("rows(0..1048575)")
    guard case .rows(let rows) = whole else { return }
    #expect(rows.count == 1 << 20)
    let eight = "columns(0..1048575 x [+0, +1, +2, +3, -0, -1, -2, -3])"
    expectFailure("text.map") { () throws(Diagnostic) in
      _ = try attribute("[\(eight), \(eight), rows(0..99999)]")
    }
    let many = (0..<17).map { "+\($0)" }.joined(separator: ", ")
    expectFailure("text.map") { () throws(Diagnostic) in _ = try attribute("columns(0..1048575 x [\(many)])")
    }
    expectFailure("text.number") { () throws(Diagnostic) in _ = try attribute("rows(1048576)") }
    expectFailure("text.number") { () throws(Diagnostic) in _ = try attribute("rows(0<<62)") }
    expectFailure("text.number") { () throws(Diagnostic) in _ = try attribute("columns(0 x [+62])") }
    expectFailure("text.number") { () throws(Diagnostic) in _ = try attribute("columns(1048576 x [+0])") }
    expectFailure("text.range") { () throws(Diagnostic) in _ = try attribute("rows(1..0)") }
  }

  @Test func kindsAdmitWhatTheySay() {
    #expect(AttributeKind.int(1...3).admits(.int(3)) && !AttributeKind.int(1...3).admits(.int(4)))
    #expect(AttributeKind.word(["a"]).admits(.word("a")) && !AttributeKind.word(["a"]).admits(.string("a")))
    #expect(AttributeKind.element.admits(.word("u63")) && !AttributeKind.element.admits(.word("u64")))
    #expect(AttributeKind.ints.admits(.list([])) && !AttributeKind.ints.admits(.list([.float(1)])))
    #expect(AttributeKind.floats.admits(.list([.float(1)])) && !AttributeKind.floats.admits(.list([.int(1)])))
    #expect(AttributeKind.tensor.admits(.resource("w")) && !AttributeKind.tensor.admits(.int(1)))
    #expect(!AttributeKind.rows.admits(.rows([RowEntry(input: -1)])))
    #expect(!AttributeKind.rows.admits(.rows([RowEntry(input: 0, shift: 64)])))
    #expect(!AttributeKind.columns.admits(.columns([ColumnEntry(output: 1 << 24, shift: 0)])))
    #expect(!AttributeKind.units.admits(.units(.fixed(height: 0, width: 1))))
    #expect(!AttributeKind.window.admits(.window(.rows(0, 1))))
    #expect(
      AttributeKind.int(0...Int64.max).name == "int >= 0" && AttributeKind.int(1...8).name == "int 1...8")
    #expect(AttributeKind.word(["a", "b"]).name == "a or b")
  }

  @Test func readersGiveNothingForOtherKinds() {
    #expect(
      Attribute.float(1).asInt == nil && Attribute.int(1).asInts == nil && Attribute.ints([1]).asFloats == nil
    )
    #expect(Attribute.ints([1, 2]).asInts == [1, 2] && Attribute.floats([1]).asFloats == [1])
    #expect(Attribute.bool(true) == .word("true") && Attribute.element(.float32) == .word("f32"))
    let op = Op(.relu)
    #expect(op[.axis] == 0 && op[.scale] == 0 && op[.portName] == "" && !op[.reverse])
    #expect(op[.layer] == "" && op.window == nil && op[.pads] == [] && op[.low] == 0 && op[.range] == [])
    #expect(op.find(.axis) == nil && op.find(.value) == nil)
    // Some have another value where they are absent.
    #expect(op[.groups] == 1 && op[.crossbarNumber] == -1)
  }

  @Test func settingAnAttributeReplacesAddsAndRemoves() {
    var op = Op(.relu)
    op[.axis] = 1
    op[.parts] = 2
    op[.axis] = 3
    #expect(op.attributes.map(\.name) == ["axis", "parts"] && op[.axis] == 3)
    op.remove(.axis)
    op.remove(.scale)
    #expect(op.attributes.map(\.name) == ["parts"] && op.attributes.without(.parts).isEmpty)
    op["parts"] = nil
    #expect(op.attributes.isEmpty)
  }

  @Test func keysReadWhatTheyWrite() {
    func holds<Value: AttributeValue & Equatable>(_ key: AttributeKey<Value>, _ value: Value) -> Bool {
      let op = Op(.relu, attributes: [NamedAttribute(key, value)])
      return op.find(key) == value && key.kind.admits(value.attribute(key.kind)) && Op(.relu).find(key) == nil
    }
    #expect(holds(.axis, 3) && holds(.padding, -1) && holds(.scale, 0.5) && holds(.reverse, true))
    #expect(holds(.portName, "x y") && holds(.layer, "x") && holds(.inputs, "u8"))
    #expect(holds(.pads, [1, 2]) && holds(.range, [0, 1]) && holds(.window, .rows(2, 3)))
    #expect(holds(.value, .ints([1])))
    // A keyword is no text, and a text no symbol.
    #expect(Op(.input, attributes: [NamedAttribute("name", .word("a"))]).find(.portName) == nil)
    #expect(Op(.mvm, attributes: [NamedAttribute("layer", .string("a"))]).find(.layer) == nil)
  }
}
