/// Input values fetched, by where they come from.
public struct InputFetches: Equatable, Sendable {
  /// Values read from memory outside of the chip, once for each sample: elements of graph inputs; and where a layer's
  /// fetches are planned, all elements of the image that its windows walk over, those of channels that its sparsity
  /// masks leave out excepted; where these do not fit the SRAM, those of every window.
  public var dram: Int
  /// Values that `load` copies from a tile's buffer, padding included; those of channels that the layer's sparsity
  /// masks leave out are not copied.
  public var sram: Int
  /// Values written to the input registers of crossbars: the wordlines of all blocks, once for each position; where a
  /// layer's fetches are planned, the inputs that its buffers deliver.
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
/// A *position* is one input vector of a layer. A *pass* presents the digits of a position's inputs: one pass for
/// unsigned inputs; two, for the positive and the negative parts, for signed ones. All counts below up to
/// `shiftAdds` are per position, pass, input digit and operation unit.
public struct Events: Equatable, Sendable {
  /// Input vectors that the layer received.
  public var positions = 0
  /// Activations of operation units. A fixed unit is activated once for each digit, a zero-skipping one for each digit
  /// that is not 0 on all of its wordlines; dynamic units are formed of the wordlines with a digit other than 0, so
  /// that there may be none.
  public var ouActivations = 0
  /// Cycles: for each position and pass, the activations of the crossbar with the most of them, and the pipeline's.
  /// None where a layer's fetches are planned: its time is `clocks`.
  public var cycles = 0
  /// Input buffers filled, for layers whose fetches are planned.
  public var bufferFills = 0
  /// Of these, buffers that delivered nothing and were not computed.
  public var skippedBuffers = 0
  /// Clocks of the machine's memories in which such layers fetch and compute, position by position, and read from
  /// memory outside of the chip before.
  public var clocks = 0
  /// Of these, clocks in which crossbars wait for a buffer between computations.
  public var stallClocks = 0
  /// Conversions: the bitlines of each activated unit, or its groups of composed bitlines.
  public var adcConversions = 0
  /// Conversions whose code would have been larger than the converter's largest one: with a step of 1 those whose exact
  /// sum exceeded `2^adcBits - 1`.
  public var adcSaturations = 0
  /// Wordline vectors that are formed at run time: one for each group of wordlines that dynamic units gather, whatever
  /// the number of units side by side that it serves.
  public var wordlineVectors = 0
  /// Wordlines with a digit other than 0 in each activated unit.
  public var wordlineDrives = 0
  /// Cells on driven wordlines and converted bitlines.
  public var cellReads = 0
  /// Shifts and adds, one for each conversion.
  public var shiftAdds = 0
  /// Entries of index tables read, once for each position: those of the tables of blocks; and where a block has none
  /// but needs one, an entry for each wordline if they are not driven by a run of neighboring inputs, and one for each
  /// run of bitlines with the same output if these outputs are no run of neighbors.
  public var indexReads = 0
  /// Bits of these entries: those of the table's fields, or as many as number the layer's inputs, or its outputs.
  public var indexBits = 0
  /// Input values fetched.
  public var inputFetches = InputFetches()
  /// Bits read from and written to the tile's buffer by `load`, `store` and digital operators.
  public var bufferBits = 0
  /// Values that the activation and requantization unit computes: the results of digital operators that compute
  /// element by element or reduce, except for pools.
  public var activations = 0
  /// Values that go through the pool unit.
  public var poolComparisons = 0
  /// Multiply-adds of products of two computed matrices, which digital logic computes: the elements of the result times
  /// the length of a row of the first operand. No table has a cost for them yet.
  public var digitalMultiplyAdds = 0
  /// Values that `store` copies from output registers to a tile's buffer.
  public var outputWrites = 0
  /// Values written to memory outside of the chip, once for each sample: elements of graph outputs, and the outputs of
  /// layers whose fetches are planned.
  public var dramWrites = 0
  /// Cells written for segments of a program that take turns in the crossbars; a program of one segment is written
  /// before it runs and counts none, in this and the next two.
  public var cellWrites = 0
  /// Wordlines written, with such cells on them.
  public var wordlineWrites = 0
  /// Steps of writing that follow each other: for each writing of a segment the wordlines of the crossbar with the most
  /// of them, as crossbars are written at the same time.
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
