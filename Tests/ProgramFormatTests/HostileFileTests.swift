import Hardware
import ProgramSamples
import Support
import Testing

@testable import ProgramFormat

/// A change to the bytes of the small program, and why it is refused.
struct HostileCase: Sendable {
  let fault: ProgramFault
  let name: String
  let section: String
  let offset: Int?
  let change: @Sendable (inout HostileFile) -> Void

  init(
    _ fault: ProgramFault, _ name: String, _ section: String, _ offset: Int? = nil,
    _ change: @escaping @Sendable (inout HostileFile) -> Void
  ) {
    self.fault = fault
    self.name = name
    self.section = section
    self.offset = offset
    self.change = change
  }
}

let fileCases: [HostileCase] = [
  HostileCase(.magic, "letters", "header", 0) { $0.magic[3] = 0x53 },
  HostileCase(.version, "major", "header", 4) { $0.major = 3 },
  HostileCase(.version, "major 0", "header", 4) { $0.major = 0 },
  HostileCase(.version, "minor", "header", 4) { $0.minor = 1 },
  HostileCase(.version, "minor of version 1", "header", 4) { ($0.major, $0.minor) = (1, 2) },
  HostileCase(.feature, "bit", "header", 8) { $0.features = 0x8000_0000 },
  HostileCase(.truncated, "size", "header", 16) { $0.sizeError = 1 },
  HostileCase(.fileSize, "size", "header", 16) { $0.sizeError = -1 },
  HostileCase(.limit, "sections", "header", 12) { $0.countError = 1 << 20 },
  HostileCase(.headerChecksum, "sum", "header", 24) { $0.checksumError = 1 },
  HostileCase(.headerChecksum, "count", "header", 24) { $0.countError = -1 },
  HostileCase(.reserved, "header", "header", 28) { $0.reserved = 1 },
  HostileCase(.reserved, "flags", "header", 36) { $0.sections[0].flags = 3 },
  HostileCase(.reserved, "entry of version 1", "header", 60) { $0.major = 1 },
  HostileCase(.sectionFlags, "no letter in a name", "header", 60) { $0.sections[0].name[3] = 0 },
  HostileCase(.sectionFlags, "name of another section", "header", 92) {
    $0.sections[1].name = Array("MACH".utf8)
  },
  HostileCase(.sectionChecksum, "cells", "header", 120) { $0.sections[2].checksumError = 0x100 },
  HostileCase(.sectionOrder, "swap", "header", 64) { $0.sections.swapAt(0, 1) },
  HostileCase(.sectionOrder, "twice", "header", 64) { $0.sections[1].kind = 1 },
  HostileCase(.sectionOrder, "zero", "header", 32) { $0.sections[0].kind = 0 },
  HostileCase(.sectionLayout, "offset", "header", 40) { $0.sections[0].offsetError = 64 },
  HostileCase(.sectionLayout, "overlap", "header", 72) { $0.sections[1].offsetError = -64 },
  HostileCase(.sectionLayout, "huge", "header", 40) { $0.sections[0].lengthError = -100_000 },
  HostileCase(.sectionLayout, "huge offset", "header", 40) { $0.sections[0].offsetError = .min },
  HostileCase(.sectionFlags, "required", "header", 36) { $0.sections[0].flags = 0 },
  HostileCase(.sectionFlags, "required PLAN", "header", 292) { $0.sections[8].flags = 0 },
  HostileCase(.sectionFlags, "optional", "header", 260) { $0.sections[7].flags = 1 },
  HostileCase(.unknownSection, "kind", "header", 320) { file in
    file.sections.append(HostileFile.Section(kind: 99, flags: 1, bytes: [1], name: Array("NEWS".utf8)))
  },
  HostileCase(.missingSection, "code", "header") { $0.sections.remove(at: 4) },
  HostileCase(.missingSection, "plan", "header") { $0.sections.removeLast() },
  HostileCase(.missingSection, "all", "header") { $0.sections = [] },
  HostileCase(.padding, "between sections", "header") { $0.paddingByte = 1 },
  HostileCase(.trailing, "file", "header") { $0.tail = [0] },
  HostileCase(.trailing, "MACH", "MACH") { $0[.machine] += [0] },
  HostileCase(.trailing, "PORT", "PORT") { $0[.ports] += [0, 0, 0, 0] },
  HostileCase(.trailing, "CELL", "CELL") { $0[.cells] += [0] },
  HostileCase(.trailing, "MAPS", "MAPS") { $0[.maps] += [0] },
  HostileCase(.trailing, "segments behind MAPS", "MAPS") { $0[.maps] += [0, 0, 0, 0] },
  HostileCase(.trailing, "CODE", "CODE") { $0[.code] += [0, 0, 0, 0] },
  HostileCase(.trailing, "DATA", "DATA") { $0[.data] += [0] },
  HostileCase(.trailing, "INFO", "INFO") { $0[.info] += [0] },
  HostileCase(.trailing, "DBUG", "DBUG") { $0[.debug] += [0] },
  HostileCase(.truncated, "PLAN", "PLAN") { $0[.plan] += [0] },
]

/// The figures of a memory and of writing, as the small program's machine has none.
let otherFigures = [
  HostileFile.Figure(path: "memory.clockMegahertz", value: 1200),
  HostileFile.Figure(path: "memory.sramBytes", value: 131_072),
  HostileFile.Figure(path: "memory.bufferBytes", value: 256),
  HostileFile.Figure(path: "memory.dramLatencyNanoseconds", value: 15),
  HostileFile.Figure(path: "memory.valuesPerClock", value: 1),
  HostileFile.Figure(path: "writing.wordlineNanoseconds", value: 50.88),
  HostileFile.Figure(path: "writing.cellPicojoules", value: 3910),
]

/// `otherFigures` with another value of one.
private func figures(_ path: String, _ value: Double) -> [HostileFile.Figure] {
  otherFigures.map { $0.path == path ? HostileFile.Figure(path: path, value: value) : $0 }
}

let machineCases: [HostileCase] = [
  HostileCase(.truncated, "figures", "MACH") { $0[.machine].removeLast(8) },
  HostileCase(.truncated, "half a figure", "MACH") { $0[.machine].removeLast(4) },
  HostileCase(.machine, "figure missing", "MACH", 0) { $0.editFigures { $0.remove(at: 3) } },
  HostileCase(.machine, "last figure missing", "MACH", 0) { $0.editFigures { $0.removeLast() } },
  HostileCase(.machine, "no figures", "MACH", 0) { $0.editFigures { $0 = [] } },
  HostileCase(.machine, "figure of memories missing", "MACH", 0) {
    $0.editFigures { $0 += otherFigures.dropFirst() }
  },
  HostileCase(.machine, "figure of writing missing", "MACH", 0) {
    $0.editFigures { $0 += otherFigures.dropLast() }
  },
  HostileCase(.machine, "figure twice", "MACH", 0) { $0.editFigures { $0.append($0[0]) } },
  HostileCase(.machine, "figure twice in a row", "MACH", 0) { $0.editFigures { $0.insert($0[5], at: 5) } },
  HostileCase(.value, "figures out of order", "MACH", 40) { $0.editFigures { $0.swapAt(0, 1) } },
  HostileCase(.value, "memories behind writing", "MACH") {
    $0.editFigures { $0 += otherFigures[5...] + otherFigures[..<5] }
  },
  HostileCase(.value, "flags", "MACH", 56) { $0.editFigures { $0[0].flags = 2 } },
  HostileCase(.value, "known and optional", "MACH", 56) { $0.editFigures { $0[0].flags = 0 } },
  HostileCase(.unknownPart, "figure", "MACH", 40) {
    $0.editFigures { $0.insert(HostileFile.Figure(path: "array.layers", value: 2), at: 0) }
  },
  HostileCase(.machine, "no rows", "MACH", 0) { $0.setFigure("array.rows", 0) },
  HostileCase(.machine, "rows", "MACH", 0) { $0.setFigure("array.rows", 4097) },
  HostileCase(.machine, "half a row", "MACH", 0) { $0.setFigure("array.rows", 4.5) },
  HostileCase(.machine, "huge rows", "MACH", 0) { $0.setFigure("array.rows", 1e300) },
  HostileCase(.machine, "rows are no number", "MACH", 0) { $0.setFigure("array.rows", .nan) },
  HostileCase(.machine, "negative zero", "MACH", 0) { $0.setFigure("hierarchy.tiles", -0.0) },
  HostileCase(.machine, "infinite cost", "MACH", 0) { $0.setFigure("energy.cellRead", .infinity) },
  HostileCase(.machine, "unit", "MACH", 0) { $0.setFigure("array.unitHeight", 5) },
  HostileCase(.machine, "no SRAM", "MACH", 0) { $0.editFigures { $0 += figures("memory.sramBytes", 0) } },
  HostileCase(.machine, "SRAM", "MACH", 0) {
    $0.editFigures { $0 += figures("memory.sramBytes", 0x8000_0000) }
  },
  HostileCase(.machine, "no buffer", "MACH", 0) { $0.editFigures { $0 += figures("memory.bufferBytes", 0) } },
  HostileCase(.machine, "no values per clock", "MACH", 0) {
    $0.editFigures { $0 += figures("memory.valuesPerClock", 0) }
  },
  HostileCase(.machine, "values per clock", "MACH", 0) {
    $0.editFigures { $0 += figures("memory.valuesPerClock", 65_537) }
  },
  HostileCase(.machine, "no clock", "MACH", 0) {
    $0.editFigures { $0 += figures("memory.clockMegahertz", 0) }
  },
  HostileCase(.machine, "clock is no number", "MACH", 0) {
    $0.editFigures { $0 += figures("memory.clockMegahertz", .nan) }
  },
  HostileCase(.machine, "infinite latency", "MACH", 0) {
    $0.editFigures { $0 += figures("memory.dramLatencyNanoseconds", .infinity) }
  },
  HostileCase(.machine, "latency", "MACH", 0) {
    $0.editFigures { $0 += figures("memory.dramLatencyNanoseconds", -15) }
  },
  HostileCase(.machine, "writing is no number", "MACH", 0) {
    $0.editFigures { $0 += figures("writing.cellPicojoules", .nan) }
  },
  HostileCase(.text, "name", "MACH", 4) { $0[.machine][4] = 0xFF },
  HostileCase(.truncated, "text", "MACH", 0) { $0.patch(.machine, 0, 60_000) },
  HostileCase(.limit, "text", "MACH", 0) { $0.patch(.machine, 0, 0x7FFF_FFFF) },
  HostileCase(.padding, "text", "MACH", 10) { $0[.machine][10] = 1 },
  HostileCase(.text, "path", "MACH") { $0[.machine][44] = 0xFF },
  HostileCase(.limit, "number of figures", "MACH", 36) { $0.patch(.machine, 36, 4097) },
  HostileCase(.truncated, "number of figures", "MACH", 36) { $0.patch(.machine, 36, 4096) },
]

let fieldCases: [HostileCase] = [
  HostileCase(.truncated, "bytes of fields", "MAPS", 28) { $0.patch(.maps, 28, 1000) },
  HostileCase(.truncated, "huge bytes of fields", "MAPS", 28) { $0.patch(.maps, 28, 0xFFFF_FFFF) },
  HostileCase(.value, "fields that end in a part", "MAPS", 48) { $0.patch(.maps, 28, 31) },
  HostileCase(.value, "fields that end in a number", "MAPS", 64) { $0.patch(.maps, 28, 33) },
  HostileCase(.value, "fields that end in padding", "MAPS", 73) { file in
    file.addPart(99, flags: 0, [1])
    file.patch(.maps, 28, 41)
  },
  HostileCase(.padding, "part", "MAPS", 73) { file in
    file.addPart(99, flags: 0, [1])
    file[.maps][73] = 1
  },
  HostileCase(.value, "part 0", "MAPS", 32) { $0[.maps][32] = 0 },
  HostileCase(.value, "part twice", "MAPS", 64) { $0.addPart(2, [0, 0, 0, 0]) },
  HostileCase(.value, "parts out of order", "MAPS", 64) { $0.addPart(1, longBytes(3)) },
  HostileCase(.value, "flags of a part", "MAPS", 32) { $0[.maps][34] = 2 },
  HostileCase(.value, "known part and optional", "MAPS", 32) { $0[.maps][34] = 0 },
  HostileCase(.unknownPart, "part of a layer", "MAPS", 64) { $0.addPart(99, [1, 2, 3]) },
  HostileCase(.unknownPart, "part of a block", "MAPS", 92) { $0.addBlockPart(1, [1, 2, 3]) },
  HostileCase(.value, "length of a part", "MAPS", 48) { $0.patch(.maps, 52, 9) },
  HostileCase(.value, "huge length of a part", "MAPS", 48) { $0.patch(.maps, 52, 0xFFFF_FFFF) },
  HostileCase(.value, "short offset", "MAPS", 40) { $0.patch(.maps, 36, 4) },
  HostileCase(.value, "long offset", "MAPS", 40) { $0.patch(.maps, 36, 12) },
  HostileCase(.value, "half a bitline", "MAPS", 56) { $0.patch(.maps, 52, 6) },
  HostileCase(.value, "long word", "MAPS", 72) { $0.addPart(6, longBytes(1)) },
  HostileCase(.value, "no flag", "MAPS", 72) { $0.addPart(5, []) },
  HostileCase(.value, "flag 2", "MAPS", 72) { $0.addPart(5, wordBytes(2)) },
  HostileCase(.value, "no such word", "MAPS", 72) { $0.addPart(6, wordBytes(2)) },
  HostileCase(.value, "offset of zero", "MAPS", 40) { $0.patch(.maps, 40, 0) },
  HostileCase(.value, "no bitlines", "MAPS", 56) { file in
    file[.maps].removeSubrange(56..<64)
    file.patch(.maps, 52, 0)
    file.patch(.maps, 28, 24)
  },
  HostileCase(.value, "one bitline of a conversion", "MAPS", 72) { $0.addPart(4, longBytes(1)) },
  HostileCase(.value, "no masks", "MAPS", 72) { $0.addPart(5, wordBytes(0)) },
  HostileCase(.layer, "offset", "MAPS", 40) { $0[.maps][47] = 0x40 },
  HostileCase(.column, "shift of the column layout", "MAPS", 56) { $0[.maps][59] = 62 },
  HostileCase(.layer, "no composed bitlines", "MAPS", 72) { $0.addPart(4, longBytes(0)) },
  HostileCase(.layer, "composed bitlines", "MAPS", 72) { $0.addPart(4, longBytes(17)) },
  HostileCase(.column, "groups of three", "MAPS", 84) { $0.addPart(4, longBytes(3)) },
  HostileCase(.column, "composed bitlines of two outputs", "MAPS", 84) { $0.addPart(4, longBytes(2)) },
  HostileCase(.unit, "groups divided by units", "MAPS", 84) { file in
    for place in [100, 104] { file.patch(.maps, place, place == 100 ? 0 : 0x0300_0000) }
    file[.maps][82] = 1
    file.addPart(4, longBytes(2))
  },
  HostileCase(.layer, "fetches without memories", "MAPS", 8) { $0.addPart(6, wordBytes(0)) },
  HostileCase(.layer, "no full scale", "MAPS", 72) { $0.addPart(3, longBytes(0)) },
  HostileCase(.layer, "negative full scale", "MAPS", 72) { $0.addPart(3, longBytes(.min)) },
  HostileCase(.layer, "full scale", "MAPS", 72) { $0.addPart(3, longBytes(1 << 48 + 1)) },
  HostileCase(.value, "segments of zero", "PLAN", 8) { $0[.plan] = partBytes(1, wordBytes(0)) },
  HostileCase(.segment, "segment", "MAPS", 8) { $0[.plan] = partBytes(1, wordBytes(1)) },
  HostileCase(.layer, "huge segment", "PLAN", 8) { $0[.plan] = partBytes(1, wordBytes(0xFFFF_FFFF)) },
  HostileCase(.value, "more segments than layers", "PLAN", 8) { $0[.plan] = partBytes(1, longBytes(1)) },
  HostileCase(.value, "no segments", "PLAN", 8) { $0[.plan] = partBytes(1, []) },
  HostileCase(.value, "optional segments", "PLAN", 0) { $0[.plan] = partBytes(1, flags: 0, wordBytes(1)) },
  HostileCase(.value, "segments twice", "PLAN", 12) {
    $0[.plan] = partBytes(1, wordBytes(1)) + partBytes(1, wordBytes(1))
  },
  HostileCase(.unknownPart, "part of the plan", "PLAN", 0) { $0[.plan] = partBytes(2, [1]) },
]

let sectionCases: [HostileCase] = [
  HostileCase(.truncated, "buffers", "PORT", 12) { $0.patch(.ports, 12, 0x000F_FFFF) },
  HostileCase(.limit, "buffers", "PORT", 12) { $0.patch(.ports, 12, 0xFFFF_FFFF) },
  HostileCase(.value, "element kind", "PORT", 24) { $0[.ports][24] = 3 },
  HostileCase(.value, "float bits", "PORT", 24) { $0[.ports][25] = 64 },
  HostileCase(.limit, "rank", "PORT", 26) { $0[.ports][26] = 9 },
  HostileCase(.value, "initial number", "PORT") { file in
    guard let place = file[.ports].firstRange(of: [0xF0] + [UInt8](repeating: 0xFF, count: 7)) else { return }
    file[.ports][place.lowerBound] = 0xEF
  },
  HostileCase(.truncated, "initial numbers", "PORT") {
    $0[.ports][24] = 0x80
    $0.patch(.ports, 28, 1 << 20)
  },
  HostileCase(.truncated, "crossbars", "CELL", 0) { $0.patch(.cells, 0, 3) },
  HostileCase(.limit, "crossbars", "CELL", 0) { $0.patch(.cells, 0, 0x8000_0000) },
  HostileCase(.reserved, "CELL", "CELL", 4) { $0.patch(.cells, 4, 1) },
  HostileCase(.trailing, "crossbars", "CELL", 17) { $0.patch(.cells, 0, 1) },
  HostileCase(.truncated, "layers", "MAPS", 0) { $0.patch(.maps, 0, 1000) },
  HostileCase(.blockOrder, "fewer", "MAPS", 4) { $0.patch(.maps, 4, 3) },
  HostileCase(.limit, "more", "MAPS") { $0.patch(.maps, 4, 1) },
  HostileCase(.layer, "input bits", "MAPS", 24) { $0[.maps][24] = 33 },
  HostileCase(.value, "signed", "MAPS", 25) { $0[.maps][25] = 2 },
  HostileCase(.layer, "no digits", "MAPS", 8) { $0[.maps][26] = 0 },
  HostileCase(.layer, "no converter", "MAPS", 8) { $0[.maps][27] = 0 },
  HostileCase(.value, "units", "MAPS", 84) { $0[.maps][84] = 3 },
  HostileCase(.value, "index kind", "MAPS", 92) { $0[.maps][85] = 3 },
  HostileCase(.value, "column index kind", "MAPS", 100) { $0[.maps][86] = 0xFF },
  HostileCase(.value, "shift fields of a plain map", "MAPS", 87) { $0[.maps][87] = 1 },
  HostileCase(.value, "wide shift fields", "MAPS", 127) { $0[.maps][127] = 7 },
  HostileCase(.value, "shift fields that are too wide", "MAPS", 140) { file in
    file[.maps][127] = 2
    file[.maps].insert(contentsOf: [0b0001, 0, 0, 0], at: 140)
  },
  HostileCase(.padding, "shift fields", "MAPS", 140) { file in
    file[.maps][127] = 1
    file[.maps].insert(contentsOf: [0b0111, 0, 0, 0], at: 140)
  },
  HostileCase(.truncated, "map", "MAPS") {
    $0[.maps][76] = 0xFF
    $0[.maps][77] = 0xFF
  },
  HostileCase(.indexTable, "no bits of a field", "MAPS", 132) { $0[.maps][135] = 0 },
  HostileCase(.indexTable, "bits of a field", "MAPS", 132) { $0[.maps][135] = 25 },
  HostileCase(.padding, "fields", "MAPS", 136) { $0[.maps][137] = 1 },
  HostileCase(.indexTable, "inputs", "MAPS", 136) { $0.patch(.maps, 132, 0x02FF_FFFF) },
  HostileCase(.row, "coded input", "MAPS", 108) { $0.patch(.maps, 132, 0x0200_0001) },
  HostileCase(.indexTable, "not ascending", "MAPS", 144) { $0[.maps][144] = 0b01 },
  HostileCase(.indexTable, "twice", "MAPS", 144) { $0[.maps][144] = 0b11 },
  HostileCase(.indexTable, "no such bitline", "MAPS", 144) { $0[.maps][140] = 1 },
  HostileCase(.truncated, "fields", "MAPS") { $0[.maps].removeLast(4) },
  HostileCase(.truncated, "code", "CODE") { $0.patch(.code, 4, 100_000) },
  HostileCase(.instructionCount, "fewer", "CODE") { $0.patch(.code, 4, 8) },
  HostileCase(.instructionCount, "more", "CODE", 4) { $0.patch(.code, 4, 10) },
  HostileCase(.opcode, "instruction", "CODE", 8) { $0[.code][8] = 99 },
  HostileCase(.opcode, "zero", "CODE", 8) { $0[.code][8] = 0 },
  HostileCase(.opcode, "operator", "CODE", 24) { $0.patch(.code, 24, 99) },
  HostileCase(.reserved, "instruction", "CODE", 9) { $0[.code][9] = 1 },
  HostileCase(.instructionLength, "digital", "CODE", 10) { $0[.code][10] = 5 },
  HostileCase(.instructionLength, "loop", "CODE", 58) { $0[.code][58] = 4 },
  HostileCase(.window, "load", "CODE") { $0.patch(.code, 68 + 12, 0) },
  HostileCase(.truncated, "constant", "DATA", 8) { $0.patch(.data, 8, 1000) },
  HostileCase(.reserved, "DATA", "DATA", 4) { $0.patch(.data, 4, 1) },
  HostileCase(.constant, "unused", "CODE", 0) {
    $0.patch(.data, 0, 3)
    $0[.data] += [0, 0, 0, 0, 0, 0, 0, 0]
  },
  HostileCase(.constant, "missing", "CODE") {
    $0.patch(.data, 0, 1)
    $0[.data].removeLast(24)
  },
  HostileCase(.value, "empty INFO", "INFO", 0) { $0[.info] = [0, 0, 0, 0] },
  HostileCase(.value, "empty DBUG", "DBUG", 0) { $0[.debug] = [0, 0, 0, 0] },
  HostileCase(.origin, "order", "DBUG") { $0.patch(.debug, 28, 1) },
  HostileCase(.origin, "no instruction", "DBUG") { $0.patch(.debug, $0[.debug].count - 24, 99) },
]

/// All of them.
let hostileCases = fileCases + machineCases + fieldCases + sectionCases

@Suite struct HostileFileTests {
  @Test func theHelperWritesTheSameFile() throws {
    #expect(try encode(smallProgram()) == HostileFile(smallProgram()).bytes)
  }

  @Test(arguments: hostileCases.indices)
  func refused(_ index: Int) {
    let wrong = hostileCases[index]
    var file = HostileFile(smallProgram())
    wrong.change(&file)
    guard let error = refusal(file.bytes) else {
      Issue.record("\(wrong.fault) \(wrong.name) is accepted")
      return
    }
    #expect(error.id == wrong.fault.id, "\(wrong.name): \(error)")
    guard case .bytes(wrong.section, let offset) = error.location.place else {
      Issue.record("\(wrong.name) at \(error.location)")
      return
    }
    if let expected = wrong.offset { #expect(offset == expected, "\(wrong.name): \(error)") }
  }

  @Test func everyFaultHasATest() {
    let tested = Set(
      (partCases + codeCases + digitalCases).map(\.fault) + hostileCases.map(\.fault))
    #expect(ProgramFault.allCases.filter { !tested.contains($0) }.isEmpty)
    #expect(Set(ProgramFault.allCases.map(\.id)).count == ProgramFault.allCases.count)
  }

  /// Figures are named, and every one that a machine has is there.
  @Test(arguments: [(true, false), (false, true), (true, true)])
  func memoriesAndWritingAreFigures(hasMemory: Bool, hasWriting: Bool) throws {
    var file = HostileFile(smallProgram())
    file.editFigures {
      $0 += (hasMemory ? otherFigures.prefix(5) : []) + (hasWriting ? otherFigures.suffix(2) : [])
    }
    var expected = smallProgram()
    if hasWriting {
      expected.machine.writing = WriteFigures(wordlineNanoseconds: 50.88, cellPicojoules: 3910)
    }
    if hasMemory {
      expected.machine.memory = MemorySystem(
        clockMegahertz: 1200, sramBytes: 131_072, bufferBytes: 256, dramLatencyNanoseconds: 15,
        valuesPerClock: 1)
    }
    #expect(try decoded(file.bytes) == expected)
    #expect(try encode(expected) == file.bytes)
  }

  /// What an optional part adds is left out where the program is written again; everything else stays.
  @Test func unknownOptionalPartsAreSkipped() throws {
    let changes: [(name: String, change: (inout HostileFile) -> Void)] = [
      (
        "section",
        { $0.sections.append(.init(kind: 4000, flags: 0, bytes: [1, 2, 3], name: Array("MORE".utf8))) }
      ),
      (
        "section without letters",
        { $0.sections.append(.init(kind: 10, flags: 0, bytes: [], name: [0, 1, 2, 255])) }
      ),
      (
        "first figure",
        { $0.editFigures { $0.insert(.init(path: "new.figure", flags: 0, value: .nan), at: 0) } }
      ),
      ("last figure", { $0.editFigures { $0.append(.init(path: "", flags: 0, value: -1)) } }),
      (
        "figure twice",
        { $0.editFigures { $0 += [Figure](repeating: .init(path: "x", flags: 0, value: 0), count: 2) } }
      ),
      ("part of a layer", { $0.addPart(99, flags: 0, [1, 2, 3]) }),
      ("empty part of a layer", { $0.addPart(0xFFFF, flags: 0, []) }),
      ("part of a block", { $0.addBlockPart(1, flags: 0, [1, 2, 3, 4, 5]) }),
      ("part of the plan", { $0[.plan] = partBytes(3, flags: 0, [9]) }),
      ("parts of the plan", { $0[.plan] = partBytes(2, flags: 0, []) + partBytes(3, flags: 0, [9]) }),
    ]
    for (name, change) in changes {
      var file = HostileFile(smallProgram())
      change(&file)
      #expect(refusal(file.bytes) == nil, "\(name)")
      let program = try decoded(file.bytes)
      #expect(program == smallProgram(), "\(name)")
      #expect(try encode(program) == encode(smallProgram()), "\(name)")
    }
  }

  private typealias Figure = HostileFile.Figure

  /// What a reader must know is refused by its name or number.
  @Test func unknownRequiredPartsAreNamed() throws {
    let changes: [(name: String, change: (inout HostileFile) -> Void)] = [
      ("NEWS", { $0.sections.append(.init(kind: 99, flags: 1, bytes: [], name: Array("NEWS".utf8))) }),
      ("'array.layers'", { $0.editFigures { $0.append(Figure(path: "array.layers", value: 2)) } }),
      ("part 99 of a layer", { $0.addPart(99, [1]) }),
      ("part 1 of a block", { $0.addBlockPart(1, [1]) }),
      ("part 2 of a plan", { $0[.plan] = partBytes(2, [1]) }),
    ]
    for (name, change) in changes {
      var file = HostileFile(smallProgram())
      change(&file)
      let error = try #require(refusal(file.bytes), "\(name)")
      #expect(error.message.contains(name), "\(error)")
    }
  }

  /// A refused value is named by its field.
  @Test func refusedFieldsAreNamed() throws {
    let changes: [(name: String, change: (inout HostileFile) -> Void)] = [
      ("'rows'", { $0.patch(.maps, 16, 0) }), ("'columns'", { $0.patch(.maps, 20, 1 << 20 + 1) }),
      ("'inputs'", { $0[.maps][24] = 33 }), ("'dac'", { $0[.maps][26] = 9 }),
      ("'adc'", { $0[.maps][27] = 17 }),
      ("'offset'", { $0[.maps][47] = 0x40 }), ("'column-layout'", { $0[.maps][59] = 62 }),
      ("'full-scale'", { $0.addPart(3, longBytes(0)) }),
      ("'bitlines-per-conversion'", { $0.addPart(4, longBytes(17)) }),
      ("'fetch'", { $0.addPart(6, wordBytes(9)) }), ("'masks'", { $0.addPart(5, wordBytes(0)) }),
      ("'segment'", { $0[.plan] = partBytes(1, wordBytes(0x8000_0000)) }),
      ("'crossbar'", { $0[.maps][71] = 1 }), ("'at'", { $0[.maps][73] = 0x10 }),
      ("'rows'", { $0[.maps][95] = 62 }),
      ("'columns'", { $0[.maps][103] = 62 }), ("'units'", { $0[.maps][81] = 0x11 }),
      ("'row-index'", { $0[.maps][135] = 25 }), ("'column-index'", { $0[.maps][143] = 0 }),
    ]
    for (name, change) in changes {
      var file = HostileFile(smallProgram())
      change(&file)
      let error = try #require(refusal(file.bytes), "\(name)")
      #expect(error.message.contains(name), "\(error)")
    }
  }

  @Test func debugIsStrippable() throws {
    var file = HostileFile(smallProgram())
    file.sections.removeAll { $0.kind == SectionKind.debug.rawValue }
    let program = try decoded(file.bytes)
    #expect(program.code.allSatisfy { $0.origin == nil })
    #expect(try encode(program) == file.bytes)
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = try encode(smallProgram())
    for count in 0..<bytes.count {
      let id = refusal(Array(bytes[..<count]))?.id
      #expect(id == "program.truncated" || (count < 4 && id == "program.magic"), "\(count)")
    }
  }

  @Test func mutationsAreRefusedOrValid() throws {
    var random = SeededGenerator(seed: 77)
    var accepted = 0
    for round in 0..<2000 {
      let program = round % 4 == 0 ? smallProgram() : ProgramSampler.program(seed: UInt64(round % 40))
      var bytes = try encode(program)
      for _ in 0...random.below(3) { mutate(&bytes, &random) }
      if round % 2 == 0 { repairChecksums(&bytes) }
      guard let error = refusal(bytes) else {
        accepted += 1
        // Number and flags of a part would both have to change to make it one that is skipped.
        #expect(try hasUnknownSection(bytes) || encode(decoded(bytes)) == bytes)
        continue
      }
      #expect(error.id.hasPrefix("program."))
      guard case .bytes = error.location.place else {
        Issue.record("\(error) has no offset")
        continue
      }
    }
    // Most accepted mutations change a name, a cost or a cell.
    #expect(accepted > 20)
  }

  /// Whether the last section's kind is none of the known ones.
  private func hasUnknownSection(_ bytes: [UInt8]) -> Bool {
    let last = Layout.headerBytes + Layout.entryBytes * (Int(bytes[12]) - 1)
    return bytes[last] > 9 || bytes[last + 1...last + 3].contains { $0 > 0 }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    // Half of the mutations hit the maps and the code, which lie behind the cells.
    let place =
      random.chance(0.5) ? random.below(bytes.count) : bytes.count / 2 + random.below((bytes.count + 1) / 2)
    guard bytes.indices.contains(place) else { return }
    switch random.below(4) {
    case 0: bytes[place] ^= 1 << UInt8(random.below(8))
    case 1: bytes[place] = UInt8(random.below(256))
    case 2: for k in place..<min(place + 4, bytes.count) { bytes[k] = random.chance(0.5) ? 0xFF : 0 }
    default: bytes[place] = bytes[random.below(bytes.count)]
    }
  }
}
