import Hardware
import Support
import TestTools
import Testing

@Suite struct TargetFileTests {
  private func text() throws -> String {
    String(decoding: try Machine.targetBytes(named: "sre"), as: UTF8.self)
  }

  /// The `sre` file with a text replaced; the text must occur.
  private func changed(_ old: String, _ new: String) throws -> [UInt8] {
    let parts = try text().split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(parts.count == 2, "\(old)")
    return Array((parts[0] + new + parts[1]).utf8)
  }

  private func expectRefusal(
    _ id: String, _ bytes: [UInt8], mentions: String = "", note: String? = nil,
    _ place: SourceLocation = #_sourceLocation
  ) {
    do throws(Diagnostic) {
      _ = try TargetFile(json: bytes, file: "my.json")
      Issue.record("expected \(id), nothing was thrown", sourceLocation: place)
    } catch {
      #expect(error.id == id && error.message.contains(mentions), "\(error)", sourceLocation: place)
      #expect(error.location.file == "my.json", sourceLocation: place)
      if case .text = error.location.place {
      } else {
        Issue.record("no place: \(error)", sourceLocation: place)
      }
      if let note { #expect(error.notes == [note], sourceLocation: place) }
    }
  }

  @Test func refusesUnknownKeys() throws {
    expectRefusal(
      "target.key", try changed("\"rows\"", "\"row\""), mentions: "'array.row'", note: "did you mean 'rows'?")
    expectRefusal("target.key", try changed("\"energy\"", "\"energies\""), note: "did you mean 'energy'?")
    expectRefusal(
      "target.key", try changed("\"adcConversion\"", "\"adcConversions\""), mentions: "energy.adcConversions",
      note: "did you mean 'adcConversion'?")
    expectRefusal("target.key", try changed("\"value\"", "\"val\""), mentions: "'array.rows.val'")
    let plain = try TargetFile(json: Array(try text().utf8), file: "x")
    #expect(plain.machine == (try Machine.target(named: "sre")))
  }

  @Test func namesMissingKeys() throws {
    expectRefusal("target.missing", Array("{}".utf8), mentions: "name, summary, array.rows, array.columns")
    let line = try text().split(separator: "\n").first { $0.contains("\"pool\"") } ?? ""
    expectRefusal("target.missing", try changed(String(line), ""), mentions: "missing: energy.pool")
    expectRefusal("target.missing", try changed("\"value\": 128, ", ""), mentions: "array.rows.value")
  }

  @Test(arguments: [
    ("128,", "0,", "array.rows"), ("128,", "4097,", "1 ... 4096"), ("128,", "1.5,", "whole number"),
    ("128,", "-1,", ""), ("128,", "1e300,", ""), ("15.36", "0", "timing.cycleNanoseconds"),
    ("15.36", "-1", ""),
    ("0.0059", "-0.1", "energy.wordlineDrive"), ("10.3", "1e13", ""), ("10.3", "-0", "energy.dramWriteBit"),
    ("214560.0", "1e16", "area.tileOverhead"),
    ("\"sre\"", "\"\"", "name"), ("128,", "8,", "does not fit"),
    ("\"source\": \"PP_sim", "\"source\": \"\", \"x\": \"", ""),
  ])
  func checksRanges(_ old: String, _ new: String, _ mention: String) throws {
    let bytes = try changed(old, new)
    expectRefusal(new.contains("\"x\"") ? "target.key" : "target.range", bytes, mentions: mention)
  }

  /// Conversions cost energy, so that there must be converters.
  @Test func refusesConversionsWithoutConverters() throws {
    let bytes = try changed("\"adcsPerCrossbar\": { \"value\": 1.0", "\"adcsPerCrossbar\": { \"value\": 0.0")
    expectRefusal("target.range", bytes, mentions: "area.adcsPerCrossbar is 0")
  }

  /// The `sre` file with a memory section of the members `members`.
  private func withMemory(_ members: String) throws -> [UInt8] {
    try changed("\"array\": {", "\"memory\": {\(members)},\n  \"array\": {")
  }

  private static let memory =
    "\"clockMegahertz\": 800.5, \"sramBytes\": 4096, \"bufferBytes\": 64, \"dramLatencyNanoseconds\": 0, "
    + "\"valuesPerClock\": {\"value\": 2, \"source\": \"a guess\"}"

  @Test func memoriesAreAllOrNothing() throws {
    let file = try TargetFile(json: withMemory(Self.memory), file: "my.json")
    #expect(
      file.machine.memory
        == MemorySystem(
          clockMegahertz: 800.5, sramBytes: 4096, bufferBytes: 64, dramLatencyNanoseconds: 0,
          valuesPerClock: 2))
    let last = try #require(file.numbers.last { $0.path.hasPrefix("memory.") })
    #expect(last.path == "memory.valuesPerClock" && last.value == 2 && last.source == "a guess")
    expectRefusal(
      "target.missing", try withMemory(""),
      mentions: "missing: memory.clockMegahertz, memory.sramBytes, memory.bufferBytes, "
        + "memory.dramLatencyNanoseconds, memory.valuesPerClock")
    let short = Self.memory.split(separator: ", ").filter { !$0.contains("bufferBytes") }
    expectRefusal(
      "target.missing", try withMemory(short.joined(separator: ", ")), mentions: "missing: memory.bufferBytes"
    )
  }

  @Test(arguments: [
    ("800.5", "0", "target.range", "memory.clockMegahertz"), ("800.5", "1e10", "target.range", "1000000000"),
    ("4096", "0", "target.range", "memory.sramBytes"), ("4096", "4096.5", "target.range", "a whole number"),
    ("64", "2147483648", "target.range", "1 ... 2147483647"), (": 0", ": -1", "target.range", "dramLatency"),
    ("\"value\": 2", "\"value\": 0", "target.range", "memory.valuesPerClock"),
    ("64", "\"64\"", "target.type", "memory.bufferBytes"),
    ("64", "null", "target.type", "memory.bufferBytes"),
    ("sramBytes", "sramByte", "target.key", "'memory.sramByte'"),
    ("\"a guess\"", "\"\"", "target.range", "memory.valuesPerClock.source"),
  ])
  func checksMemories(_ old: String, _ new: String, _ id: String, _ mention: String) throws {
    let parts = Self.memory.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(parts.count == 2)
    expectRefusal(id, try withMemory(parts[0] + new + parts[1]), mentions: mention)
  }

  /// The `sre` file with other figures of writing.
  private func writing(_ members: String?) throws -> [UInt8] {
    let text = try text()
    let start = try #require(text.firstRange(of: ",\n  \"writing\""))
    let section = members.map { ",\n\"writing\": {\($0)}" } ?? ""
    return Array((text[..<start.lowerBound] + section + "}").utf8)
  }

  @Test func writingIsAllOrNothing() throws {
    let file = try TargetFile(
      json: writing("\"cellPicojoules\": 0, \"wordlineNanoseconds\": 1e3"), file: "my.json")
    #expect(file.machine.writing == WriteFigures(wordlineNanoseconds: 1000, cellPicojoules: 0))
    #expect(file.numbers.suffix(2).map(\.value) == [1000, 0])
    let none = try TargetFile(json: writing(nil), file: "my.json")
    #expect(none.machine.writing == nil && none.numbers.count == file.numbers.count - 2)
    expectRefusal(
      "target.missing", try writing("\"cellPicojoules\": 1"), mentions: "missing: writing.wordlineNanoseconds"
    )
    expectRefusal(
      "target.missing", try writing(""),
      mentions: "missing: writing.wordlineNanoseconds, writing.cellPicojoules")
  }

  @Test(arguments: [
    ("1,", "-1,", "target.range", "writing.wordlineNanoseconds"), ("1,", "1e13,", "target.range", "0.0 ..."),
    ("2", "-0", "target.range", "writing.cellPicojoules"), ("2", "\"2\"", "target.type", "a number"),
    ("cellPico", "cellsPico", "target.key", "'writing.cellsPicojoules'"),
  ])
  func checksWriting(_ old: String, _ new: String, _ id: String, _ mention: String) throws {
    let members = "\"wordlineNanoseconds\": 1, \"cellPicojoules\": 2"
    expectRefusal(id, try writing(members.replacing(old, with: new)), mentions: mention)
  }

  @Test func memoriesAreAnObject() throws {
    expectRefusal(
      "target.type", try changed("\"array\": {", "\"memory\": null, \"array\": {"), mentions: "memory is null"
    )
    expectRefusal(
      "target.key", try changed("\"array\": {", "\"memories\": {}, \"array\": {"),
      note: "did you mean 'memory'?")
  }

  @Test func checksTypes() throws {
    for value in ["\"128\"", "null", "true", "[128]", "{\"value\": {}}"] {
      expectRefusal(
        "target.type", try changed("\"value\": 128", "\"value\": \(value)"), mentions: "array.rows")
    }
    expectRefusal("target.type", try changed("\"sre\"", "7"), mentions: "name is a number")
    expectRefusal("target.type", Array("[1]".utf8), mentions: "an object is expected")
    let source = "\"assumed: no number is given, so there is no limit\""
    expectRefusal("target.type", try changed(source, "1"), mentions: "hierarchy.tiles.source is a number")
    expectRefusal("target.range", try changed(source, "\"\""), mentions: "hierarchy.tiles.source")
  }

  @Test func takesNumbersWithoutSource() throws {
    let whole = "\"adcBits\": { \"value\": 6,"
    let start = try #require(try text().split(separator: "\n").first { $0.contains(whole) })
    let bytes = try changed(String(start), "    \"adcBits\": 7")
    let file = try TargetFile(json: bytes, file: "my.json")
    #expect(file.machine.array.adcBits == 7)
    #expect(file.numbers.first { $0.path == "array.adcBits" } == file.numbers.first { $0.source == nil })
    #expect(file.numbers.filter { $0.source == nil }.count == 1)
    #expect(try Machine(json: bytes, file: "my.json") == file.machine)
  }

  @Test func pointsToTheLine() throws {
    do throws(Diagnostic) {
      _ = try TargetFile(json: Array("{\n  \"name\": \"x\",\n  \"nama\": 1\n}".utf8), file: "f.json")
    } catch {
      #expect(error.location.description == "f.json:3:3")
    }
    do throws(Diagnostic) {
      _ = try TargetFile(json: Array("{\n  \"name\": x}".utf8), file: "f.json")
    } catch {
      #expect(error.location.description == "f.json:2:11" && error.id == "target.syntax")
    }
  }

  @Test func refusesDoubles() throws {
    expectRefusal("target.syntax", try changed("\"rows\"", "\"columns\""), mentions: "'columns' occurs twice")
    expectRefusal("target.syntax", try changed("\"summary\"", "\"name\""), mentions: "twice")
  }

  @Test(arguments: Machine.targetNames)
  func standsMutations(_ name: String) throws {
    let bytes = try Machine.targetBytes(named: name)
    var random = SeededGenerator(seed: 91)
    var refused = 0
    for _ in 0..<1000 {
      let copy = mutatedJSON(bytes, &random)
      do throws(Diagnostic) {
        _ = try TargetFile(json: copy, file: "x")
      } catch {
        #expect(error.id.hasPrefix("target."))
        refused += 1
      }
    }
    #expect(refused > 300)
  }

  @Test func refusesEveryTruncation() throws {
    let bytes = Array(try Machine.targetBytes(named: "sre").dropLast())
    for length in stride(from: 0, to: bytes.count, by: 7) {
      expectRefusal("target.syntax", Array(bytes[..<length]))
    }
  }
}
