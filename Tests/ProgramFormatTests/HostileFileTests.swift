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
  HostileCase(.version, "major", "header", 4) { $0.major = 2 },
  HostileCase(.version, "major 0", "header", 4) { $0.major = 0 },
  HostileCase(.version, "minor", "header", 4) { $0.minor = 2 },
  HostileCase(.version, "a newer minor than it needs", "header", 4) { $0.minor = 1 },
  HostileCase(.version, "an older minor than it needs", "header", 4) { $0[.machine] += writingBytes },
  HostileCase(.feature, "bit", "header", 8) { $0.features = 0x8000_0000 },
  HostileCase(.truncated, "size", "header", 16) { $0.sizeError = 1 },
  HostileCase(.fileSize, "size", "header", 16) { $0.sizeError = -1 },
  HostileCase(.limit, "sections", "header", 12) { $0.countError = 1 << 20 },
  HostileCase(.headerChecksum, "sum", "header", 24) { $0.checksumError = 1 },
  HostileCase(.headerChecksum, "count", "header", 24) { $0.countError = -1 },
  HostileCase(.reserved, "header", "header", 28) { $0.reserved = 1 },
  HostileCase(.reserved, "flags", "header", 36) { $0.sections[0].flags = 3 },
  HostileCase(.sectionFlags, "entry", "header", 60) { $0.sections[0].name[3] = 0 },
  HostileCase(.sectionChecksum, "cells", "header", 120) { $0.sections[2].checksumError = 0x100 },
  HostileCase(.sectionOrder, "swap", "header", 64) { $0.sections.swapAt(0, 1) },
  HostileCase(.sectionOrder, "twice", "header", 64) { $0.sections[1].kind = 1 },
  HostileCase(.sectionOrder, "zero", "header", 32) { $0.sections[0].kind = 0 },
  HostileCase(.sectionLayout, "offset", "header", 40) { $0.sections[0].offsetError = 64 },
  HostileCase(.sectionLayout, "overlap", "header", 72) { $0.sections[1].offsetError = -64 },
  HostileCase(.sectionLayout, "huge", "header", 40) { $0.sections[0].lengthError = -100_000 },
  HostileCase(.sectionLayout, "huge offset", "header", 40) { $0.sections[0].offsetError = .min },
  HostileCase(.sectionFlags, "required", "header", 36) { $0.sections[0].flags = 0 },
  HostileCase(.sectionFlags, "optional", "header") { $0.sections[$0.sections.count - 1].flags = 1 },
  HostileCase(.unknownSection, "kind", "header") { file in
    file.sections.append(HostileFile.Section(kind: 99, flags: 1, bytes: [1], name: Array("NEWS".utf8)))
  },
  HostileCase(.missingSection, "code", "header") { $0.sections.remove(at: 4) },
  HostileCase(.missingSection, "all", "header") { $0.sections = [] },
  HostileCase(.padding, "between sections", "header") { $0.paddingByte = 1 },
  HostileCase(.trailing, "file", "header") { $0.tail = [0] },
  HostileCase(.trailing, "MACH", "MACH") { $0[.machine] += memoryBytes + [0] },
  HostileCase(.truncated, "MACH", "MACH") { $0[.machine] += [0] },
  HostileCase(.machine, "writing is no number", "MACH") {
    $0[.machine] += [UInt8](repeating: 0xFF, count: 16)
  },
  HostileCase(.trailing, "MACH behind writing", "MACH") { $0[.machine] += memoryBytes + writingBytes + [0] },
  HostileCase(.value, "segments of zero", "MAPS") { $0[.maps] += [0, 0, 0, 0] },
  HostileCase(.segment, "segment", "MAPS") { $0[.maps] += [1, 0, 0, 0] },
  HostileCase(.segment, "huge segment", "MAPS") { $0[.maps] += [255, 255, 255, 255] },
  HostileCase(.trailing, "PORT", "PORT") { $0[.ports] += [0, 0, 0, 0] },
  HostileCase(.trailing, "CELL", "CELL") { $0[.cells] += [0] },
  HostileCase(.trailing, "MAPS", "MAPS") { $0[.maps] += [0] },
  HostileCase(.trailing, "CODE", "CODE") { $0[.code] += [0, 0, 0, 0] },
  HostileCase(.trailing, "DATA", "DATA") { $0[.data] += [0] },
  HostileCase(.trailing, "INFO", "INFO") { $0[.info] += [0] },
  HostileCase(.trailing, "DBUG", "DBUG") { $0[.debug] += [0] },
]

/// The end of `MACH` for a 1200 MHz clock, 128 KB of SRAM, buffers of 256 bytes, memory at 15 ns and a value per clock.
let memoryBytes: [UInt8] =
  [0, 0, 2, 0] + [0, 1, 0, 0] + [1, 0, 0, 0] + [0, 0, 0, 0, 0, 0xC0, 0x92, 0x40]
  + [0, 0, 0, 0, 0, 0, 0x2E, 0x40]

/// The end of `MACH` for wordlines written in 50.88 ns and cells with 3910 pJ.
let writingBytes: [UInt8] =
  [0x71, 0x3D, 0x0A, 0xD7, 0xA3, 0x70, 0x49, 0x40] + [0, 0, 0, 0, 0, 0x8C, 0xAE, 0x40]

/// `memoryBytes` with other bytes from `offset` on.
private func memoryBytes(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
  var changed = memoryBytes
  changed.replaceSubrange(offset..<offset + bytes.count, with: bytes)
  return changed
}

let sectionCases: [HostileCase] = [
  HostileCase(.truncated, "memory", "MACH") { $0[.machine] += memoryBytes.dropLast() },
  HostileCase(.truncated, "only half a memory", "MACH") { $0[.machine] += memoryBytes.prefix(12) },
  HostileCase(.machine, "no SRAM", "MACH", 0) { $0[.machine] += memoryBytes(0, [0, 0, 0, 0]) },
  HostileCase(.machine, "SRAM", "MACH", 0) { $0[.machine] += memoryBytes(0, [0, 0, 0, 0x80]) },
  HostileCase(.machine, "no buffer", "MACH", 0) { $0[.machine] += memoryBytes(4, [0, 0]) },
  HostileCase(.machine, "no values per clock", "MACH", 0) { $0[.machine] += memoryBytes(8, [0]) },
  HostileCase(.machine, "values per clock", "MACH", 0) { $0[.machine] += memoryBytes(8, [1, 0, 1]) },
  HostileCase(.machine, "no clock", "MACH", 0) { $0[.machine] += memoryBytes(17, [0, 0, 0]) },
  HostileCase(.machine, "clock is no number", "MACH", 0) {
    $0[.machine] += memoryBytes(17, [0xF8, 0xFF, 0x7F])
  },
  HostileCase(.machine, "infinite latency", "MACH", 0) { $0[.machine] += memoryBytes(26, [0xF0, 0x7F]) },
  HostileCase(.machine, "latency", "MACH", 0) { $0[.machine] += memoryBytes(27, [0xC0]) },
  HostileCase(.text, "name", "MACH", 4) { $0[.machine][4] = 0xFF },
  HostileCase(.truncated, "text", "MACH", 0) { $0.patch(.machine, 0, 60_000) },
  HostileCase(.limit, "text", "MACH", 0) { $0.patch(.machine, 0, 0x7FFF_FFFF) },
  HostileCase(.padding, "text", "MACH", 10) { $0[.machine][10] = 1 },
  HostileCase(.value, "table", "MACH") { $0.patch(.machine, 36 + 52 + 8, 14) },
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
  HostileCase(.value, "signed", "MAPS", 25) { $0[.maps][25] = 2 },
  HostileCase(.layer, "no composed bitlines", "MAPS", 8) { $0[.maps][36] = 0 },
  HostileCase(.layer, "composed bitlines", "MAPS", 8) { $0[.maps][37] = 1 },
  HostileCase(.unit, "groups divided by units", "MAPS", 64) { $0[.maps][36] = 3 },
  HostileCase(.column, "composed bitlines of two outputs", "MAPS", 64) { $0[.maps][36] = 2 },
  HostileCase(.value, "features of a layer", "MAPS", 38) { $0[.maps][38] = 6 },
  HostileCase(.layer, "fetches without memories", "MAPS", 8) { $0[.maps][38] = 2 },
  HostileCase(.layer, "negative full scale", "MAPS", 8) { $0[.maps][47] = 0x80 },
  HostileCase(.layer, "full scale", "MAPS", 8) { $0[.maps][46] = 2 },
  HostileCase(.limit, "bitlines", "MAPS", 48) { $0.patch(.maps, 48, 0x0200_0000) },
  HostileCase(.truncated, "bitlines", "MAPS", 48) { $0.patch(.maps, 48, 1000) },
  HostileCase(.value, "units", "MAPS", 80) { $0[.maps][80] = 3 },
  HostileCase(.value, "index kind", "MAPS", 84) { $0[.maps][81] = 3 },
  HostileCase(.value, "column index kind", "MAPS", 92) { $0[.maps][82] = 0xFF },
  HostileCase(.value, "shift fields of a plain map", "MAPS", 83) { $0[.maps][83] = 1 },
  HostileCase(.value, "wide shift fields", "MAPS", 119) { $0[.maps][119] = 7 },
  HostileCase(.value, "shift fields that are too wide", "MAPS", 128) { file in
    file[.maps][119] = 2
    file[.maps].insert(contentsOf: [0b0001, 0, 0, 0], at: 128)
  },
  HostileCase(.padding, "shift fields", "MAPS", 128) { file in
    file[.maps][119] = 1
    file[.maps].insert(contentsOf: [0b0111, 0, 0, 0], at: 128)
  },
  HostileCase(.truncated, "map", "MAPS") {
    $0[.maps][72] = 0xFF
    $0[.maps][73] = 0xFF
  },
  HostileCase(.value, "no bits of a field", "MAPS", 120) { $0[.maps][123] = 0 },
  HostileCase(.value, "bits of a field", "MAPS", 120) { $0[.maps][123] = 25 },
  HostileCase(.padding, "fields", "MAPS", 124) { $0[.maps][125] = 1 },
  HostileCase(.indexTable, "inputs", "MAPS", 124) { $0.patch(.maps, 120, 0x02FF_FFFF) },
  HostileCase(.row, "coded input", "MAPS", 100) { $0.patch(.maps, 120, 0x0200_0001) },
  HostileCase(.indexTable, "not ascending", "MAPS", 132) { $0[.maps][132] = 0b01 },
  HostileCase(.indexTable, "twice", "MAPS", 132) { $0[.maps][132] = 0b11 },
  HostileCase(.indexTable, "no such bitline", "MAPS", 132) { $0[.maps][128] = 1 },
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

@Suite struct HostileFileTests {
  @Test func theHelperWritesTheSameFile() throws {
    #expect(try encode(smallProgram()) == HostileFile(smallProgram()).bytes)
  }

  @Test(arguments: (fileCases + sectionCases).indices)
  func refused(_ index: Int) {
    let wrong = (fileCases + sectionCases)[index]
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
      (partCases + codeCases + digitalCases).map(\.fault) + (fileCases + sectionCases).map(\.fault))
    #expect(ProgramFault.allCases.filter { !tested.contains($0) }.isEmpty)
    #expect(Set(ProgramFault.allCases.map(\.id)).count == ProgramFault.allCases.count)
  }

  /// Memories stand behind everything else that `MACH` holds, so that machines without them keep their bytes.
  @Test func memoriesEndTheMachine() throws {
    var file = HostileFile(smallProgram())
    file[.machine] += memoryBytes
    var expected = smallProgram()
    expected.machine.memory = MemorySystem(
      clockMegahertz: 1200, sramBytes: 131_072, bufferBytes: 256, dramLatencyNanoseconds: 15,
      valuesPerClock: 1)
    #expect(try decoded(file.bytes) == expected)
    #expect(try encode(expected) == file.bytes)
    #expect(encodeMachine(smallProgram().machine).count == 36 + 52 + 8 + 4 + 15 * 8 + 4 + 8 * 8)
  }

  /// Figures of writing stand behind the memories or alone; such a file is of version 1.1, others stay at 1.0.
  @Test(arguments: [false, true]) func writingEndsTheMachine(hasMemory: Bool) throws {
    var file = HostileFile(smallProgram())
    file[.machine] += (hasMemory ? memoryBytes : []) + writingBytes
    file.minor = 1
    var expected = smallProgram()
    expected.machine.writing = WriteFigures(wordlineNanoseconds: 50.88, cellPicojoules: 3910)
    if hasMemory {
      expected.machine.memory = MemorySystem(
        clockMegahertz: 1200, sramBytes: 131_072, bufferBytes: 256, dramLatencyNanoseconds: 15,
        valuesPerClock: 1)
    }
    #expect(try decoded(file.bytes) == expected)
    #expect(try encode(expected) == file.bytes)
    #expect(try encode(smallProgram())[6] == 0)
  }

  @Test func unknownOptionalSectionsAreSkipped() throws {
    var file = HostileFile(smallProgram())
    file.sections.append(
      HostileFile.Section(kind: 4000, flags: 0, bytes: [1, 2, 3], name: Array("MORE".utf8)))
    #expect(try decoded(file.bytes) == smallProgram())
  }

  @Test func debugIsStrippable() throws {
    var file = HostileFile(smallProgram())
    file.sections.removeLast()
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
    return bytes[last] > 8 || bytes[last + 1...last + 3].contains { $0 > 0 }
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
