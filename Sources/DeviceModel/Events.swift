/// Input values fetched, by where they come from.
public struct InputFetches: Equatable, Sendable {
  /// Values read from memory outside of the chip. For each sample: the elements of graph inputs, as digital events;
  /// what a layer with planned fetches reads before its positions; and, in a run of several segments in batches of
  /// more than one sample, the elements that a segment takes from earlier ones or reads again from the graph's
  /// inputs, as events of writing.
  public var dram: Int
  /// Values that `load` copies from a tile's buffer, padding included. With sparsity masks only those of channels
  /// in use.
  public var sram: Int
  /// Values written to the input registers of crossbars. For each position: the wordlines of all blocks; or, where
  /// fetches are planned, the inputs that the input buffers deliver.
  public var buffer: Int

  /// Creates counts.
  public init(dram: Int = 0, sram: Int = 0, buffer: Int = 0) {
    self.dram = dram
    self.sram = sram
    self.buffer = buffer
  }
}

/// Exact counts of what the hardware does.
///
/// The comment of each is its definition in ir-spec.md, *Events*, whose terms are those of *Products on crossbars* and
/// *Fetching*.
public struct Events: Equatable, Sendable {
  /// Input vectors that the layer received, one for each `drive`.
  public var positions = 0
  /// Activations of operation units, for each position, pass and digit of a block. A fixed unit counts always; a
  /// zero-skipping unit where the digit of one of its wordlines is not 0; dynamic units count `ceil(active / height) *
  /// ceil(bitlines / width)` times, with `active` for the wordlines of the block whose digit is not 0.
  public var ouActivations = 0
  /// For each position and pass, the activations of the crossbar of the layer with the most of them, plus the
  /// machine's `timing.pipelineCycles`. Blocks that share a crossbar add up. None for a layer without blocks, and
  /// none where fetches are planned.
  public var cycles = 0
  /// Input buffers filled: for each position, those of a layer with planned fetches.
  public var bufferFills = 0
  /// Of `bufferFills`, buffers that delivered nothing and were not computed.
  public var skippedBuffers = 0
  /// Clocks of the machine's memories that a layer with planned fetches takes: its reads from outside of the chip,
  /// and each position until its last buffer is filled and computed.
  public var clocks = 0
  /// Of `clocks`, those in which crossbars wait for a buffer between two computations of a position.
  public var stallClocks = 0
  /// Conversions: for each activation of a unit its bitlines, or its groups of bitlines.
  public var adcConversions = 0
  /// Conversions that saturate.
  public var adcSaturations = 0
  /// Groups of wordlines that dynamic units gather: `ceil(active / height)` for each dynamic block, position, pass
  /// and digit, whatever the number of units side by side.
  public var wordlineVectors = 0
  /// Wordlines with a digit other than 0, in each activated unit.
  public var wordlineDrives = 0
  /// Cells on driven wordlines: `wordlineDrives` of each activated unit times its bitlines.
  public var cellReads = 0
  /// Shifts and adds, one for each conversion.
  public var shiftAdds = 0
  /// Entries read of what tells inputs and outputs of blocks, for each position. Wordlines: one each with an index
  /// table; without one none where neighbors are driven by neighboring inputs, else one each. Bitlines: one each
  /// with an index table; without one none where the runs of bitlines with equal outputs have neighboring outputs,
  /// else one for each run. With sparsity masks instead one for each input and each output of the layer. And one
  /// for each wordline of every distinct pair of wordlines and outputs of bitlines among the blocks, where one of
  /// these wordlines is shifted.
  public var indexReads = 0
  /// Bits of these entries: those of a field of an index table; without one as many as `rows - 1`, or `columns -
  /// 1`, needs; one in a sparsity mask; and for shifts as many as the largest of the block needs.
  public var indexBits = 0
  /// Input values fetched.
  public var inputFetches = InputFetches()
  /// Bits read from and written to a tile's buffer: values of `inputFetches.sram`, `outputWrites`, parts of `scan-slice`
  /// and `scan-output` (read and written), and arguments and results of digital operators, each with the bits of its
  /// type.
  public var bufferBits = 0
  /// Values that the activation and requantization unit computes: results of digital operators of the classes
  /// activations and multiply-adds.
  public var activations = 0
  /// Values that go through the pool unit: those of digital operators of the classes window comparisons and
  /// comparisons.
  public var poolComparisons = 0
  /// Multiply-adds of products of two computed matrices, which digital logic computes. No figure of a machine
  /// prices them.
  public var digitalMultiplyAdds = 0
  /// Values that `store` copies from output registers to a tile's buffer.
  public var outputWrites = 0
  /// Values written to memory outside of the chip. For each sample: the elements of graph outputs, as digital
  /// events; what `store` copies for a layer with planned fetches; and, in a run of several segments in batches of
  /// more than one sample, the elements that a segment leaves for later ones, as events of writing.
  public var dramWrites = 0
  /// Cells written for segments. A program of one segment is written before it runs and counts none, here and in
  /// the next two.
  public var cellWrites = 0
  /// Wordlines with such cells.
  public var wordlineWrites = 0
  /// For each writing of a segment, the wordlines of the crossbar with the most of them: wordlines are written one
  /// after the other, crossbars at the same time.
  public var writeSteps = 0

  /// No events.
  public init() {}

  /// The counts with their names, in the order of reports.
  public static let fields: [(name: String, path: any (WritableKeyPath<Events, Int> & Sendable))] = [
    ("positions", \.positions), ("ouActivations", \.ouActivations), ("cycles", \.cycles),
    ("bufferFills", \.bufferFills), ("skippedBuffers", \.skippedBuffers), ("clocks", \.clocks),
    ("stallClocks", \.stallClocks),
    ("adcConversions", \.adcConversions), ("adcSaturations", \.adcSaturations),
    ("wordlineVectors", \.wordlineVectors), ("wordlineDrives", \.wordlineDrives),
    ("cellReads", \.cellReads), ("shiftAdds", \.shiftAdds),
    ("indexReads", \.indexReads), ("indexBits", \.indexBits), ("inputFetches.dram", \.inputFetches.dram),
    ("inputFetches.sram", \.inputFetches.sram), ("inputFetches.buffer", \.inputFetches.buffer),
    ("bufferBits", \.bufferBits), ("activations", \.activations), ("poolComparisons", \.poolComparisons),
    ("digitalMultiplyAdds", \.digitalMultiplyAdds),
    ("outputWrites", \.outputWrites), ("dramWrites", \.dramWrites), ("cellWrites", \.cellWrites),
    ("wordlineWrites", \.wordlineWrites), ("writeSteps", \.writeSteps),
  ]

  /// Adds the counts of `b`; counts wrap beyond 2^63.
  public static func += (a: inout Events, b: Events) { a.add(b, times: 1) }

  /// Adds the counts of `b` multiplied by `times`; counts wrap beyond 2^63.
  public mutating func add(_ b: Events, times: Int) {
    for field in Events.fields { self[keyPath: field.path] &+= b[keyPath: field.path] &* times }
  }
}
