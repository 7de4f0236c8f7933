import Hardware
import Mapping
import ProgramSamples
import Support
import Tensors
import Testing

@testable import ProgramFormat

/// The small program with a second layer like its first one, in crossbars of its own and in segment 1.
///
/// Instructions: 0 quantize, 1 ... 6 the loop of layer 0, 7 ... 12 that of layer 1, then two digital ones.
func twoSegments() -> Program {
  var program = smallProgram()
  program.machine.writing = WriteFigures(wordlineNanoseconds: 50.88, cellPicojoules: 3910)
  program.machine.hierarchy = Hierarchy(crossbarsPerComputeUnit: 1, computeUnitsPerTile: 2, tiles: 1)
  program.crossbars += program.crossbars
  var blocks = program.blocks
  for index in blocks.indices { blocks[index].placement?.crossbar += 2 }
  var layer = program.layers[0]
  (layer.name, layer.segment, layer.blocks) = ("conv2", 1, blocks)
  program.layers.append(layer)
  guard case .loop(let count, let body) = program.code[1].operation else { return program }
  let second = body.map { instruction in
    switch instruction.operation {
    case .drive(let register, _): return Instruction(.drive(register: register, layer: 1))
    case .convert: return Instruction(.convert(layer: 1))
    case .accumulate(let register, _): return Instruction(.accumulate(register: register, layer: 1))
    default: return instruction
    }
  }
  program.code.insert(Instruction(.loop(count: count, body: second)), at: 2)
  return program
}

extension Program {
  /// The body of top-level loop `index`.
  fileprivate func body(_ index: Int) -> [Instruction] {
    guard case .loop(_, let body) = code[index].operation else { return [] }
    return body
  }
}

@Suite("Segments of programs")
struct SegmentTests {
  @Test func twoSegmentsAreValid() throws {
    let program = twoSegments()
    try validate(program)
    #expect(program.segments == 2)
    let bytes = try encode(program)
    #expect(try decoded(bytes) == program)
    #expect(bytes[4...7] == [2, 0, 0, 0])
  }

  /// The segments lie in `PLAN`, which is written when all layers are known, and nowhere else.
  @Test func segmentsAreAPartOfThePlan() throws {
    var program = twoSegments()
    program.machine.hierarchy.tiles = 0
    program.machine.writing = nil
    let with = encodeSections(program)
    program.layers[1].segment = 0
    let without = encodeSections(program)
    #expect(with.map(\.kind) == without.map(\.kind) && with.last?.kind == .plan)
    #expect(with.last?.bytes == [1, 0, 1, 0, 8, 0, 0, 0] + [0, 0, 0, 0, 1, 0, 0, 0])
    #expect(without.last?.bytes == [])
    #expect(with.dropLast().map(\.bytes) == without.dropLast().map(\.bytes))
  }

  static let refusals: [(name: String, section: String, change: @Sendable (inout Program) -> Void)] = [
    ("room", "MAPS", { $0.machine.hierarchy.computeUnitsPerTile = 1 }),
    (
      "shared crossbar", "MAPS",
      { program in
        program.blocks[2].placement?.crossbar = 0
        program.blocks[2].placement?.row = 0
        program.blocks[2].placement?.column = 3
        program.blocks[2].rows = [RowEntry(input: 0)]
      }
    ),
    (
      "gap", "MAPS",
      { program in
        var layer = program.layers[1]
        (layer.name, layer.segment, layer.blocks) = ("spare", 0, [])
        program.layers[1].segment = 2
        program.layers.append(layer)
      }
    ),
    ("as many as layers", "MAPS", { $0.layers[1].segment = 2 }),
    ("back", "CODE", { $0.code.swapAt(1, 2) }),
    ("back later", "CODE", { $0.code.append($0.code[1]) }),
    (
      "two in a loop", "CODE",
      { program in
        program.code[1].operation = .loop(count: 2, body: program.body(1) + program.body(2))
      }
    ),
    (
      "two in loops of a loop", "CODE",
      { program in
        program.code[1].operation = .loop(count: 1, body: [program.code[1], program.code[2]])
      }
    ),
    (
      "read too late", "CODE",
      { program in
        // Both are driven before the first is converted.
        let (a, b) = (program.body(1), program.body(2))
        program.buffers[4].initial = Tensor([1, 2, 1, 2], .i64([0, 0, 0, 0]))
        program.code.replaceSubrange(1...2, with: [a[0], a[1], b[0], b[1], a[2], a[3], b[2], b[3]])
      }
    ),
  ]

  @Test(arguments: refusals.indices) func refused(_ index: Int) throws {
    let (name, section, change) = Self.refusals[index]
    var program = twoSegments()
    change(&program)
    do throws(Diagnostic) {
      try validate(program)
      Issue.record("\(name) is accepted")
    } catch { #expect(error.id == "program.segment", "\(name): \(error)") }
    let error = try #require(refusal(HostileFile(program).bytes), "\(name) is decoded")
    #expect(error.id == "program.segment", "\(name): \(error)")
    guard case .bytes(section, _) = error.location.place else {
      Issue.record("\(name) at \(error.location)")
      return
    }
    // Without segments all of these are programs.
    for layer in program.layers.indices { program.layers[layer].segment = 0 }
    try validate(program)
  }

  @Test func aNegativeSegmentIsRefused() {
    for wrong in [-1, Int.min, Int.max] {
      var program = twoSegments()
      program.layers[1].segment = wrong
      do throws(Diagnostic) {
        try validate(program)
        Issue.record("\(wrong) is accepted")
      } catch {
        #expect(error.id == "program.layer" && error.message.contains("'segment'"))
      }
    }
  }

  /// One segment alone may be larger than the machine: the program was compiled as if it had room.
  @Test func oneSegmentMayBeTooLarge() throws {
    var program = twoSegments()
    program.layers[1].segment = 0
    try validate(program)
    #expect(program.segments == 1)
  }

  /// Driving, converting and accumulating outside of loops is an instruction each.
  @Test func segmentsChangeOutsideOfLoopsToo() throws {
    var program = twoSegments()
    let unrolled = [1, 2].flatMap { index in
      program.body(index).dropLast()
        + [Instruction(.loop(count: 2, body: Array(program.body(index).suffix(1))))]
    }
    program.code.replaceSubrange(1...2, with: unrolled)
    try validate(program)
    #expect(try decoded(try encode(program)) == program)
  }

  @Test func randomProgramsHaveSegments() {
    let counts = (0..<200).map { ProgramSampler.program(seed: UInt64($0)).segments }
    #expect(counts.count { $0 > 1 } > 30 && counts.count { $0 > 2 } > 5 && counts.count { $0 == 1 } > 30)
  }

  /// A hostile list of segments is refused or means a valid program; nothing else is possible.
  @Test func damagedSegmentsAreRefusedOrValid() throws {
    var random = SeededGenerator(seed: 8)
    var accepted = 0
    for seed in 0..<400 {
      let program = ProgramSampler.program(seed: UInt64(seed))
      guard program.layers.count > 1 else { continue }
      var file = HostileFile(program)
      var (list, segment): ([UInt8], UInt8) = ([], 0)
      for _ in program.layers {
        list += [random.chance(0.1) ? UInt8(random.below(4)) : segment, 0, 0, random.chance(0.05) ? 255 : 0]
        if random.chance(0.5) { segment += 1 }
      }
      file[.plan] = partBytes(1, list)
      guard refusal(file.bytes) == nil else { continue }
      accepted += 1
      #expect(try encode(decoded(file.bytes)) == file.bytes)
    }
    #expect(accepted > 20)
  }
}
