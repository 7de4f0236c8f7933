import Foundation
import Hardware
import Mapping
import ProgramSamples
import Support
import Testing

@testable import ProgramFormat

/// Programs written layer by layer beside encoded ones.
@Suite("Programs layer by layer")
struct ProgramWriterTests {
  private let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).xbar")
    .path()

  /// Writes `program`, whose layers lie in crossbars of their own, one after the other.
  private func write(_ program: Program) throws -> Int {
    var code = program
    (code.crossbars, code.layers) = ([], [])
    let file = try OutputFile(path: path)
    var writer = try ProgramWriter(code, to: file)
    var first = 0
    let segments = Dictionary(uniqueKeysWithValues: program.layers.map { ($0.name, $0.segment) })
    for layer in program.layers {
      let end =
        layer == program.layers.last
        ? program.crossbars.count : (layer.blocks.map(\.crossbar).max() ?? -1) + 1
      var local = layer
      local.segment = 0
      let images = Array(program.crossbars[first..<max(first, end)])
      try writer.append([local], crossbars: images.count, threads: 2) { images[$0].cells }
      first = max(first, end)
    }
    let count = try writer.finish(segments: segments)
    try file.commit()
    return count
  }

  /// Whether each layer lies in crossbars behind those of the layers before.
  private func isOrdered(_ program: Program) -> Bool {
    var first = 0
    for layer in program.layers {
      let crossbars = layer.blocks.map(\.crossbar)
      guard crossbars.allSatisfy({ $0 >= first }) else { return false }
      first = max(first, (crossbars.max() ?? -1) + 1)
    }
    return !program.layers.isEmpty
  }

  @Test func theBytesAreThoseOfTheEncodedProgram() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    var count = 0
    for seed in 0..<300 {
      let program = ProgramSampler.program(seed: UInt64(seed))
      guard isOrdered(program) else { continue }
      count += 1
      let size = try write(program)
      let bytes = [UInt8](try #require(FileManager.default.contents(atPath: path)))
      let expected = try encode(program)
      #expect(bytes.count == size && bytes == expected, "seed \(seed)")
    }
    #expect(count > 50, "\(count)")
  }

  /// Segments are told when all layers are written; too large ones leave no file.
  @Test func segmentsAreCheckedAtTheEnd() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    var program = twoSegments()
    #expect(try write(program) == encode(program).count)
    #expect([UInt8](try #require(FileManager.default.contents(atPath: path))) == (try encode(program)))
    try FileManager.default.removeItem(atPath: path)
    program.machine.hierarchy.computeUnitsPerTile = 1
    do {
      _ = try write(program)
      Issue.record("there is room for one crossbar")
    } catch {
      #expect((error as? Diagnostic)?.id == "program.segment")
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func layersOfManyCrossbarsAreWritten() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    var program = smallProgram()
    program.crossbars += (0..<150).map { number in
      Crossbar(cells: [UInt8](repeating: UInt8(number % 8), count: 24))
    }
    let (size, expected) = (try write(program), try encode(program))
    #expect(size == expected.count)
    let bytes = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    #expect(bytes == expected)
  }

  /// Each change with the refusal; no file is left.
  @Test func whatIsNotValidIsRefused() throws {
    let changes: [(ProgramFault, (inout Program) -> Void)] = [
      (.level, { $0.crossbars[1].cells[3] = 8 }), (.level, { $0.crossbars[0].cells.removeLast() }),
      (.blockBounds, { $0.blocks[1].placement?.row = 3 }), (.index, { $0.blocks[1].placement?.crossbar = 2 }),
      (.blockOverlap, { $0.blocks[1].placement?.crossbar = 0 }), (.row, { $0.blocks[0].rows[0].input = 2 }),
      (.layer, { $0.layers[0].readout?.adcBits = 17 }), (.name, { $0.buffers[1].name = "x" }),
      (.size, { $0.layers[0].rows = 3 }),
    ]
    for (fault, change) in changes {
      var program = smallProgram()
      change(&program)
      do {
        _ = try write(program)
        Issue.record("\(fault) was not found")
      } catch {
        #expect((error as? Diagnostic)?.id == fault.id)
      }
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func levelsArePackedAsOtherNumbers() {
    var random = SeededGenerator(seed: 3)
    for bits in 1...8 {
      for count in 0..<40 {
        let levels = (0..<count).map { _ in UInt8(random.below(1 << bits)) }
        #expect(
          packLevels(levels, bits: bits) == packBits(levels, bits: bits, size: packedBytes(count, bits: bits))
        )
      }
    }
  }
}
