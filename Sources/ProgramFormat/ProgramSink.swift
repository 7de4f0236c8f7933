public import Mapping
public import Support

/// Takes up a program layer by layer. Everything but layers and crossbars is there from the start; its instructions
/// name the layers in the order in which they come.
public protocol ProgramSink {
  /// What the program is in the end.
  associatedtype Output

  /// Appends layers that lie in the next `count` crossbars, together alone, and their cells: `image` gives those of the
  /// crossbar with a number from 0 up among them.
  ///
  /// Throws what `validate(_:)` throws of layers and cells.
  mutating func append(
    _ layers: [Layer], crossbars count: Int, threads: Int, image: @Sendable (Int) -> [UInt8]
  ) throws(Diagnostic)

  /// Ends the program. `segments` are those of layers by name, where they are known after the last layer only.
  ///
  /// Throws what `validate(_:)` throws of the program as a whole.
  mutating func finish(segments: [String: Int]) throws(Diagnostic) -> Output
}

/// Builds a program in memory.
public struct ProgramBuilder: ProgramSink {
  private var program: Program

  /// Starts from a program without layers and crossbars.
  public init(_ program: Program) { self.program = program }

  /// Appends layers to the program.
  public mutating func append(
    _ layers: [Layer], crossbars count: Int, threads: Int, image: @Sendable (Int) -> [UInt8]
  ) throws(Diagnostic) {
    program.layers += layers
    program.crossbars += try parallelMap(count, threads: threads) { (number) throws(Diagnostic) in
      Crossbar(cells: image(number))
    }
  }

  /// The program, which is not checked: whoever encodes or runs it does that.
  public mutating func finish(segments: [String: Int]) throws(Diagnostic) -> Program {
    program.assign(segments)
    return program
  }
}

extension Program {
  /// Sets the segments of layers by name.
  mutating func assign(_ segments: [String: Int]) {
    for index in layers.indices {
      layers[index].segment = segments[layers[index].name] ?? layers[index].segment
    }
  }
}
