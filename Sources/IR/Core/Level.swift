/// One of the three levels of the IR; the type parameter of a module, so that a pass on the wrong level does not
/// compile.
public protocol Level: Sendable {
  /// Which level it is.
  static var name: LevelName { get }
  /// `module` without its level in the type.
  static func erase(_ module: Module<Self>) -> AnyModule
}

/// The names of the levels as written in the text.
public enum LevelName: String, Hashable, Sendable, CaseIterable {
  case tensor, crossbar, program
}

/// Tensors and the operators of networks.
public enum TensorLevel: Level {
  /// `tensor`.
  public static let name = LevelName.tensor
  /// The case of this level.
  public static func erase(_ module: Module<TensorLevel>) -> AnyModule { .tensor(module) }
}

/// Integer matrices realized by blocks of cells.
public enum CrossbarLevel: Level {
  /// `crossbar`.
  public static let name = LevelName.crossbar
  /// The case of this level.
  public static func erase(_ module: Module<CrossbarLevel>) -> AnyModule { .crossbar(module) }
}

/// Buffers, physical crossbars and instructions.
public enum ProgramLevel: Level {
  /// `program`.
  public static let name = LevelName.program
  /// The case of this level.
  public static func erase(_ module: Module<ProgramLevel>) -> AnyModule { .program(module) }
}
