public import Hardware
public import IR
public import Support
public import Tensors

/// What a pass promises about the numbers.
public enum Guarantee: Hashable, Sendable {
  /// Every output keeps its value, bit for bit, except as the text says.
  case exact(String)
  /// Outputs change within the bound that the text states.
  case bounded(String)

  /// The promise in words.
  public var text: String {
    switch self {
    case .exact(let note): return note.isEmpty ? "exact" : "exact; \(note)"
    case .bounded(let bound): return "bounded: \(bound)"
    }
  }
}

/// What passes see of their surroundings and what they report.
public struct PassContext: Sendable {
  /// Samples for calibration, each with one tensor per graph input.
  public var calibration: [[Tensor]]
  /// Threads that a pass may use; results never depend on it.
  public var threads: Int
  /// Warnings, in the order in which they arose.
  public var warnings: [Diagnostic]
  /// Relative errors of layers' weights, root mean square, by the names of the layers.
  public var weightErrors: [(layer: String, error: Double)]
  /// Counts such as `weights-zeroed`, in the order in which they arose.
  public var counts: [(name: String, value: Int)]

  /// Creates a context.
  public init(calibration: [[Tensor]] = [], threads: Int = 1) {
    self.calibration = calibration
    self.threads = threads
    warnings = []
    weightErrors = []
    counts = []
  }

  /// Reports a count.
  public mutating func count(_ name: String, _ value: Int) { counts.append((name, value)) }
}

/// What is stated of every pass and every lowering.
public protocol PassDescription: Sendable {
  /// The kebab-case name.
  static var name: String { get }
  /// One sentence: what is true afterwards.
  static var summary: String { get }
  /// What must hold before.
  static var requires: Set<Fact> { get }
  /// What does not hold afterwards any more, unless the pass establishes it anew; nothing unless stated.
  static var invalidates: Set<Fact> { get }
  /// What holds afterwards.
  static var establishes: Set<Fact> { get }
  /// Whether blocks have index tables afterwards, so that their wordlines and bitlines are fixed; no unless stated.
  static var writesIndexTables: Bool { get }
  /// What happens to the numbers.
  static var guarantee: Guarantee { get }
  /// The options.
  static var options: [PassOptionSpec] { get }
  /// Creates a pass from checked options.
  init(_ options: PassOptions) throws(Diagnostic)
}

extension PassDescription {
  /// Nothing.
  public static var invalidates: Set<Fact> { [] }
  /// No.
  public static var writesIndexTables: Bool { false }
}

extension Set<Fact> {
  /// The facts after a pass that `invalidates` some and `establishes` others.
  func after(invalidates: Set<Fact>, establishes: Set<Fact>) -> Set<Fact> {
    subtracting(invalidates).union(establishes)
  }
}

/// A step that changes a module and leaves it at its level.
public protocol Pass: PassDescription {
  /// The level it works at.
  associatedtype L: Level
  /// Changes `module`.
  func run(on module: inout Module<L>, in context: inout PassContext) throws(Diagnostic)
}

/// A step that takes a module to another level.
public protocol Lowering: PassDescription {
  /// The level it starts from.
  associatedtype From: Level
  /// The level it leads to.
  associatedtype To: Level
  /// Builds the module at the new level.
  func run(on module: Module<From>, in context: inout PassContext) throws(Diagnostic) -> Module<To>
}

extension Module {
  /// The machine that the module is compiled for, or the error that it names none.
  public func requiredMachine() throws(Diagnostic) -> Machine {
    guard let machine else { throw noMachine }
    return machine
  }
}

/// The error that a pass needs a machine and there is none.
var noMachine: Diagnostic {
  Diagnostic("pass.machine", "the module names no machine", notes: ["add 'machine sre' to its text"])
}
