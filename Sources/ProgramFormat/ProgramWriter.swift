import Hardware
public import Support

/// Writes a program layer by layer, so that the cells of one layer alone need to be in memory.
///
/// The file is the one that `encode(_:)` gives of the whole program, and appears when it is complete.
public struct ProgramWriter {
  private let file: OutputFile
  /// The program without crossbars and blocks; layers are added as they come.
  private var program: Program
  private var places: [SectionPlace] = []
  private let code: (instructions: [UInt8], constants: [UInt8], origins: [UInt8]?)
  private var cellsStart = 0
  private var maps = ByteWriter()
  private var crossbars = 0
  private var blocks = 0
  /// Crossbars of each layer.
  private var sizes: [Int] = []

  /// Starts the file at `path`. `program` has everything but layers, blocks and crossbars; its instructions name the layers
  /// in the order in which they will be appended.
  ///
  /// Throws `io.write`.
  public init(_ program: Program, to path: String) throws(Diagnostic) {
    self.program = program
    code = encodeCode(program)
    file = try OutputFile(path: path)
    let sections = 6 + (program.info.isEmpty ? 0 : 1) + (code.origins == nil ? 0 : 1)
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

  /// Appends a layer with `blocks`, which lie in the next `count` crossbars, and their cells: `image` gives those of the
  /// crossbar with a number from 0 up among them.
  ///
  /// Throws what `validate(_:)` throws of layers, blocks and cells.
  public mutating func append(
    _ layer: Layer, _ blocks: [Block], crossbars count: Int, threads: Int, image: @Sendable (Int) -> [UInt8]
  ) throws(Diagnostic) {
    try check(layer, blocks, crossbars: count)
    encode(layer, blocks[...], into: &maps)
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
    var bare = layer
    bare.blocks = 0..<0
    program.layers.append(bare)
    crossbars += count
    sizes.append(count)
    self.blocks += blocks.count
  }

  /// Crossbars that are in memory together.
  private static var share: Int { 64 }

  /// Checks the layer in a program of its own, whose crossbars are those of the layer.
  private func check(_ layer: Layer, _ blocks: [Block], crossbars count: Int) throws(Diagnostic) {
    var alone = program
    alone.crossbars = [Crossbar](repeating: Crossbar(cells: []), count: count)
    alone.layers = [layer]
    alone.blocks = blocks
    for index in alone.blocks.indices { alone.blocks[index].crossbar -= crossbars }
    do throws(Issue) {
      try checkLayers(alone)
      try checkBlocks(alone)
    } catch {
      throw error.fault.diagnostic(error.message, at: Location(.item(alone.text(of: error.subject))))
    }
  }

  /// Writes what is left and moves the file to its place; returns its size in bytes. `segments` are those of layers by
  /// name; the others lie in segment 0.
  ///
  /// Throws what `validate(_:)` throws of the program as a whole.
  public mutating func finish(segments: [String: Int] = [:]) throws(Diagnostic) -> Int {
    for index in program.layers.indices {
      program.layers[index].segment = segments[program.layers[index].name] ?? program.layers[index].segment
    }
    try validate(program)
    do throws(Issue) { try checkSegments(program, sizes: sizes) } catch {
      throw error.fault.diagnostic(error.message, at: Location(.item(program.text(of: error.subject))))
    }
    guard crossbars <= ProgramLimits.crossbars, blocks <= ProgramLimits.blocks else {
      throw ProgramFault.limit.diagnostic(
        "\(crossbars) crossbars and \(blocks) blocks, limits \(ProgramLimits.crossbars) and \(ProgramLimits.blocks)",
        at: Location(.item("program '\(program.name)'")))
    }
    try file.patch(encodeCellsHead(crossbars: crossbars), at: cellsStart)
    let cells = cellsStart..<file.count
    places.append(SectionPlace(kind: .cells, range: cells, checksum: try file.checksum(cells)))
    try append(
      .maps,
      encodeMapsHead(layers: program.layers.count, blocks: blocks) + maps.bytes + encodeSegments(program))
    try append(.code, code.instructions)
    try append(.data, code.constants)
    if !program.info.isEmpty { try append(.info, encodeInfo(program.info)) }
    if let origins = code.origins { try append(.debug, origins) }
    try file.patch(encodeHead(places, minor: program.minorVersion), at: 0)
    try file.commit()
    return file.count
  }
}
