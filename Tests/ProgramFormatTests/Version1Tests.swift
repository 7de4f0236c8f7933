import Foundation
import Hardware
import Mapping
import ProgramSamples
import Support
import Testing

@testable import ProgramFormat

/// Programs that version 0.1.0 wrote. What they compute is checked where the executor is.
@Suite("Programs of version 1") struct Version1Tests {
  private static let folder = "\(Bundle.module.bundlePath)/Fixtures/version1"

  static let names =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".xbar") }
    .sorted()

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try #require(FileManager.default.contents(atPath: "\(Self.folder)/\(name)"), "\(name)"))
  }

  private func file(_ name: String) throws -> HostileFile { HostileFile(bytes: try bytes(name)) }

  @Test(arguments: names) func comesBackInVersion2(_ name: String) throws {
    let old = try bytes(name)
    #expect(old[4...5] == [1, 0])
    let program = try decoded(old)
    let new = try encode(program)
    #expect(new[4...7] == [2, 0, 0, 0])
    #expect(try decoded(new) == program)
    #expect(!list(program).isEmpty)
  }

  @Test func theHelperWritesTheSameFile() throws {
    for name in Self.names { #expect(try file(name).bytes == bytes(name), "\(name)") }
  }

  /// Everything that version 1 can write is in some program.
  @Test func nothingIsLeftOut() throws {
    #expect(Self.names.count >= 30)
    let programs = try Self.names.map { try decoded(bytes($0)) }
    let layers = programs.flatMap(\.layers)
    let blocks = layers.flatMap(\.blocks)
    #expect(Set(blocks.map { code(of: $0.rowIndex) }) == [0, 1, 2])
    #expect(Set(blocks.map { code(of: $0.columnIndex) }) == [0, 1, 2])
    #expect(Set(blocks.map(\.formedUnits.keyword)) == Set(UnitForming.keywords))
    for isPlain in [true, false] {
      #expect(blocks.contains { ($0.rowIndex == nil) == isPlain && $0.rows.contains { $0.shift > 0 } })
    }
    #expect(Set(layers.map(\.fetch)) == [nil, .serial, .doubleBuffered])
    #expect(Set(layers.map(\.inputs.isSigned)).count == 2 && Set(layers.map(\.hasMasks)).count == 2)
    #expect(layers.contains { $0.coding.offset != 0 } && layers.contains { $0.bitlinesPerConversion > 1 })
    #expect(layers.contains { $0.readout?.fullScale != nil } && layers.contains { $0.dacBits > 1 })
    let machines = programs.map(\.machine)
    for (memory, writing) in [(true, true), (false, true), (false, false)] {
      #expect(machines.contains { ($0.memory != nil) == memory && ($0.writing != nil) == writing })
    }
    for hasMemory in [true, false] {
      #expect(programs.contains { $0.segments > 1 && ($0.machine.memory != nil) == hasMemory })
    }
    #expect(programs.contains { $0.buffers.contains { $0.initial != nil } })
    #expect(programs.contains { $0.code.contains { isTimeLoop($0.operation) } })
    #expect(Set(try Self.names.map { try bytes($0)[6] }) == [0, 1])
  }

  /// Whether digital operators stand in a loop that drives more than one layer.
  private func isTimeLoop(_ operation: ProgramFormat.Operation) -> Bool {
    guard case .loop(_, let body) = operation, drivenLayers(operation).count > 1 else { return false }
    return body.contains { if case .digital = $0.operation { return true } else { return false } }
  }

  // MARK: Refusals

  /// Changes of the program `segments`, whose first layer begins with a name of 8 bytes, two sides, four bytes of
  /// widths, the offset, two times 16 bits, the full scale and the number of bitlines.
  private static let wrong: [HostileCase] = [
    HostileCase(.layer, "no composed bitlines", "MAPS", 8) { $0[.maps][36] = 0 },
    HostileCase(.layer, "composed bitlines", "MAPS", 8) { $0[.maps][37] = 1 },
    HostileCase(.value, "features of a layer", "MAPS", 38) { $0[.maps][38] = 6 },
    HostileCase(.layer, "fetches without memories", "MAPS", 8) { $0[.maps][38] = 2 },
    HostileCase(.layer, "offset", "MAPS", 8) { $0[.maps][35] = 0x40 },
    HostileCase(.layer, "lowest offset", "MAPS", 8) { $0[.maps][35] = 0x80 },
    HostileCase(.layer, "negative full scale", "MAPS", 8) { $0[.maps][47] = 0x80 },
    HostileCase(.layer, "full scale", "MAPS", 8) { $0[.maps][46] = 2 },
    HostileCase(.layer, "no converter", "MAPS", 8) { $0[.maps][27] = 0 },
    HostileCase(.layer, "no digits", "MAPS", 8) { $0[.maps][26] = 0 },
    HostileCase(.layer, "no inputs", "MAPS", 24) { $0[.maps][24] = 0 },
    HostileCase(.limit, "bitlines", "MAPS", 48) { $0.patch(.maps, 48, 0x0200_0000) },
    HostileCase(.truncated, "bitlines", "MAPS", 48) { $0.patch(.maps, 48, 10_000) },
    HostileCase(.segment, "gap in segments", "MAPS") { $0[.maps][$0[.maps].count - 4] = 2 },
    HostileCase(.layer, "huge segment", "MAPS") { $0[.maps][$0[.maps].count - 1] = 0xFF },
    HostileCase(.value, "segments of zero", "MAPS") { $0[.maps][$0[.maps].count - 4] = 0 },
    HostileCase(.trailing, "half a segment", "MAPS") { $0[.maps].removeLast(2) },
    HostileCase(.trailing, "MACH", "MACH") { $0[.machine] += [UInt8](repeating: 0, count: 28) + [0] },
    HostileCase(.truncated, "half a memory", "MACH") { $0[.machine] += [0, 0, 0, 0] },
    HostileCase(.machine, "no SRAM", "MACH", 0) { file in
      file[.machine].insert(contentsOf: [UInt8](repeating: 0, count: 28), at: file[.machine].count - 16)
    },
    HostileCase(.machine, "writing is no number", "MACH", 0) {
      $0[.machine].replaceSubrange(($0[.machine].count - 8)..., with: [UInt8](repeating: 0xFF, count: 8))
    },
    HostileCase(.reserved, "name of a section", "header", 60) { $0.sections[0].name[0] = 1 },
    HostileCase(.version, "minor", "header", 4) { $0.minor = 2 },
    HostileCase(.unknownSection, "PLAN", "header") {
      $0.sections.append(HostileFile.Section(kind: 9, flags: 1, bytes: [], name: [0, 0, 0, 0]))
    },
    HostileCase(.missingSection, "cells", "header") { $0.sections.remove(at: 2) },
  ]

  @Test(arguments: wrong.indices) func refused(_ index: Int) throws {
    let wrong = Self.wrong[index]
    var file = try file("segments.xbar")
    wrong.change(&file)
    let error = try #require(refusal(file.bytes), "\(wrong.name) is accepted")
    #expect(error.id == wrong.fault.id, "\(wrong.name): \(error)")
    guard case .bytes(wrong.section, let offset) = error.location.place else {
      Issue.record("\(wrong.name) at \(error.location)")
      return
    }
    if let expected = wrong.offset { #expect(offset == expected, "\(wrong.name): \(error)") }
  }

  /// Number 9 means nothing in version 1.
  @Test func otherSectionsAreSkipped() throws {
    for kind in [9, 4000] {
      var file = try file("segments.xbar")
      file.sections.append(
        HostileFile.Section(kind: UInt32(kind), flags: 0, bytes: [1, 2, 3], name: [0, 0, 0, 0]))
      #expect(try decoded(file.bytes) == decoded(bytes("segments.xbar")))
    }
  }

  /// A file of version 2 is none of version 1 with another number.
  @Test func versionsDoNotMix() throws {
    for (name, major) in [("dense.xbar", 2), ("recom.xbar", 2), ("segments.xbar", 2)] {
      var file = try file(name)
      file.major = UInt16(major)
      file.minor = 0
      for index in file.sections.indices {
        let kind = try #require(SectionKind(rawValue: file.sections[index].kind))
        file.sections[index].name = Array(kind.name.utf8)
      }
      #expect(refusal(file.bytes) != nil, "\(name)")
    }
    var file = HostileFile(smallProgram())
    file.major = 1
    for index in file.sections.indices { file.sections[index].name = [0, 0, 0, 0] }
    file.sections.removeLast()
    #expect(refusal(file.bytes) != nil)
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = try bytes("recom.xbar")
    for count in 0..<bytes.count {
      let id = refusal(Array(bytes[..<count]))?.id
      #expect(id == "program.truncated" || (count < 4 && id == "program.magic"), "\(count)")
    }
  }

  /// Whatever the bytes are, there is a program that can be written, or a refusal at an offset.
  @Test func mutationsAreRefusedOrValid() throws {
    var random = SeededGenerator(seed: 5)
    let files = try Self.names.map { try bytes($0) }
    var accepted = 0
    for round in 0..<3000 {
      var bytes = files[round % files.count]
      for _ in 0...random.below(3) {
        let place = random.below(bytes.count)
        bytes[place] =
          random.chance(0.5) ? UInt8(random.below(256)) : bytes[place] ^ 1 << UInt8(random.below(8))
      }
      if round % 8 != 0 { repairChecksums(&bytes) }
      guard let error = refusal(bytes) else {
        accepted += 1
        // Numbers that are none are not equal to themselves, but their bytes are.
        let new = try encode(decoded(bytes))
        #expect(try encode(decoded(new)) == new)
        continue
      }
      guard case .bytes = error.location.place, error.id.hasPrefix("program.") else {
        Issue.record("\(error) has no offset")
        continue
      }
    }
    #expect(accepted > 20)
  }

  /// Every flipped bit of the maps and of the machine.
  @Test(arguments: ["recom.xbar", "delta.xbar", "occ.xbar", "segments.xbar"]) func flippedBits(_ name: String)
    throws
  {
    let original = try file(name)
    for kind in [SectionKind.maps, .machine] {
      for place in original[kind].indices {
        for bit in 0..<8 {
          var file = original
          file[kind][place] ^= 1 << UInt8(bit)
          guard refusal(file.bytes) == nil else { continue }
          #expect(throws: Never.self, "\(kind.name) \(place).\(bit)") { try encode(decoded(file.bytes)) }
        }
      }
    }
  }
}
