/// What it takes to write cells. A part of `Machine` where a source gives it.
///
/// The cells of a wordline are written together, the wordlines of a crossbar one after the other, and crossbars at the
/// same time. Every cell is written once, whatever its level was and will be.
public struct WriteFigures: Equatable, Sendable {
  /// Time to write the cells of one wordline of a crossbar, in nanoseconds.
  public var wordlineNanoseconds: Double
  /// Energy to write a cell, in picojoules.
  public var cellPicojoules: Double

  /// Creates figures.
  public init(wordlineNanoseconds: Double, cellPicojoules: Double) {
    self.wordlineNanoseconds = wordlineNanoseconds
    self.cellPicojoules = cellPicojoules
  }
}

extension WriteFigures: CustomStringConvertible {
  /// One line, such as `a wordline is written in 50.88 ns, a cell with 3910.0 pJ`.
  public var description: String {
    "a wordline is written in \(wordlineNanoseconds) ns, a cell with \(cellPicojoules) pJ"
  }
}

extension Machine {
  /// The figures for reading and writing by field: those of the machine, or zeros that it does not have yet.
  var writeFigures: WriteFigures {
    get { writing ?? WriteFigures(wordlineNanoseconds: 0, cellPicojoules: 0) }
    set { writing = newValue }
  }
}
