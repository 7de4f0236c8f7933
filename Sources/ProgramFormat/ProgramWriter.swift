import Hardware
public import Mapping
public import Support

/// Writes a program layer by layer, so that the cells of one layer alone need to be in memory.
///
/// The bytes are those that `encode(_:)` gives of the whole program. Who opened the output ends it.
public struct ProgramWriter: ProgramSink {
  private let file: any PatchableOutput
  /// The program without crossbars and blocks; layers are added as they come.
  private var program: Program
  private var places: [SectionPlace] = []
  private let code: (instructions: [UInt8], constants: [UInt8], origins: [UInt8]?)
  private var cellsStart = 0
  private var maps = ByteWriter()
  private var crossbars = 0
  private var totals = LayerTotals()
  /// The crossbars of each layer.
  private var holders: [Set<Int>] = []

  /// Starts the file. `program` has everything but layers, blocks and crossbars; its instructions name the layers
  /// in the order in which they will be appended.
  ///
  /// Throws `io.write`.
  public init(_ program: Program, to file: any PatchableOutput) throws(Diagnostic) {
    self.program = program
    code = encodeCode(program)
    self.file = file
    let sections = 7 + (program.info.isEmpty ? 0 : 1) + (code.origins == nil ? 0 : 1)
    try file.write([UInt8](repeating: 0, count: headBytes(sections)))
    try append(.machine, encodeMachine(program.machine))
    try append(.ports, encodePorts(program))
    try file.align(to: Layout.alignment)
    cellsStart = file.count
    try file.write(encodeCellsHead(crossbars: 0))
  }

  private mutating func append(_ kind: SectionKind, _ bytes: [UInt8]) throws(Diagnostic) {
    try file.align(to: Layout.alignment)
    places.append(
      SectionPlace(
        kind: kind, range: file.count..<file.count + bytes.count, checksum: CRC32C.checksum(bytes)))
    try file.write(bytes)
  }

  /// Appends layers to the file; checks them one by one.
  public mutating func append(
    _ layers: [Layer], crossbars count: Int, threads: Int, image: @Sendable (Int) -> [UInt8]
  ) throws(Diagnostic) {
    try check(layers, crossbars: count)
    for layer in layers { encode(layer, into: &maps) }
    let array = program.machine.array
    let (cells, bits, first) = (array.rows * array.columns, array.cellBits, crossbars)
    for start in stride(from: 0, to: count, by: ProgramWriter.share) {
      let packed = try parallelMap(min(ProgramWriter.share, count - start), threads: threads) {
        index throws(Diagnostic) in
        let levels = image(start + index)
        guard levels.count == cells, Int(levels.max() ?? 0) >> bits == 0 else {
          throw ProgramFault.level.diagnostic(
            "its cells are not \(cells) levels of \(bits) bits",
            at: Location(.item("crossbar \(first + start + index)")))
        }
        return packLevels(levels, bits: bits)
      }
      for bytes in packed { try file.write(bytes) }
    }
    crossbars += count
  }

  /// Crossbars that are in memory together.
  private static var share: Int { 64 }

  /// Checks layers whose crossbars are the next `count` ones, and notes what the whole program is checked by.
  private mutating func check(_ layers: [Layer], crossbars count: Int) throws(Diagnostic) {
    let first = program.layers.count
    for layer in layers {
      var bare = layer
      bare.blocks = []
      program.layers.append(bare)
      holders.append(Set(layer.blocks.map(\.crossbar)))
    }
    do throws(Issue) {
      for (number, layer) in layers.enumerated() {
        try ProgramFormat.check(layer, first + number, program.machine)
        try totals.add(layer, first + number)
        for (place, block) in layer.blocks.enumerated()
        where !(crossbars..<crossbars + count).contains(block.crossbar) {
          throw Issue(.index, "there is no crossbar \(block.crossbar)", .block(layer: first + number, place))
        }
      }
      try checkOverlaps(
        layers, crossbars: count, program.machine.array, first: crossbars, number: first)
    } catch {
      throw error.fault.diagnostic(error.message, at: Location(.item(program.text(of: error.part))))
    }
  }

  /// Writes what is left and moves the file to its place; returns its size in bytes.
  ///
  /// Throws what `validate(_:)` throws of the program as a whole.
  public mutating func finish(segments: [String: Int]) throws(Diagnostic) -> Int {
    program.assign(segments)
    try validate(program)
    do throws(Issue) { try checkSegments(program, holders: holders) } catch {
      throw error.fault.diagnostic(error.message, at: Location(.item(program.text(of: error.part))))
    }
    guard crossbars <= ProgramLimits.crossbars else {
      throw ProgramFault.limit.diagnostic(
        "\(crossbars) crossbars, limit \(ProgramLimits.crossbars)",
        at: Location(.item("program '\(program.name)'")))
    }
    try file.patch(encodeCellsHead(crossbars: crossbars), at: cellsStart)
    let cells = cellsStart..<file.count
    places.append(SectionPlace(kind: .cells, range: cells, checksum: try file.checksum(cells)))
    try append(
      .maps,
      encodeMapsHead(layers: program.layers.count, blocks: totals.blocks) + maps.bytes)
    try append(.code, code.instructions)
    try append(.data, code.constants)
    if !program.info.isEmpty { try append(.info, encodeInfo(program.info)) }
    if let origins = code.origins { try append(.debug, origins) }
    try append(.plan, encodePlan(program))
    try file.patch(encodeHead(places), at: 0)
    return file.count
  }
}
