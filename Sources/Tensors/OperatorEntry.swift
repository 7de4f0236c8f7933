/// The first code of a digital operator in a program; functions of one or two arguments have a second one.
public enum OperatorCode: UInt32, Hashable, Sendable, CaseIterable {
  case unary = 1
  case binary = 2
  case softmax = 3
  case matmul = 4
  case maxPool = 5
  case averagePool = 6
  case mean = 7
  case reshape = 8
  case transpose = 9
  case concat = 10
  case pad = 11
  case quantize = 12
  case dequantize = 13
  case requantize = 14
  case addBias = 15
  case lookup = 16
  case slice = 17
  case gather = 18
  case argMax = 19
  case select = 20
  case reduceMax = 21
}

/// A parameter of a digital operator.
public struct OperatorParameter: Hashable, Sendable {
  /// What it is, which determines its bytes in a program and its attribute in the IR.
  public enum Kind: Hashable, Sendable {
    /// A binary32 number.
    case float
    /// A 64-bit integer.
    case integer
    /// The number of an axis, 32 bits.
    case axis
    /// 0 or 1, 32 bits.
    case flag
    /// The numbers of a `Window`, 32 bits each.
    case window
    /// Axes: how many, and their numbers, 32 bits each.
    case axes
    /// Lengths along axes: how many, and the lengths, 32 bits each.
    case lengths
    /// As many lengths as the parameter before has, without their number.
    case moreLengths
    /// 64-bit integers, which a program keeps with its data. A constant of the IR that holds them has this suffix.
    case constants(suffix: String)
  }

  /// The name, which is that of the attribute in the IR.
  public let name: String
  /// What it is.
  public let kind: Kind

  init(_ name: String, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }
}

/// How many arguments a digital operator takes.
public enum ArgumentCount: Hashable, Sendable {
  case one, two, three, oneOrMore
}

/// Which element types a digital operator takes and gives.
public enum ElementRule: Hashable, Sendable {
  /// Floats to floats.
  case floats
  /// Floats to floats; in a program integers to integers, too.
  case numbers
  /// Elements of any type, all of one, which the result keeps.
  case kept
  /// Floats to the integers that the parameters allow.
  case floatsToIntegers
  /// Integers to floats.
  case integersToFloats
  /// Integers to the integers that the parameters allow.
  case integers
  /// Accumulators to the integers that the parameters allow.
  case accumulatorsToIntegers
  /// Accumulators to accumulators.
  case accumulators
}

/// What determines the shape of the result of a digital operator.
public enum ShapeRule: Hashable, Sendable {
  /// It is the shape of the argument.
  case argument
  /// All arguments broadcast to it.
  case broadcast
  /// Rows of the first argument, columns of the second.
  case product
  /// The positions of a window.
  case window
  /// The shape of the argument with length 1 on the axes.
  case reduced
  /// The arguments one after the other on an axis.
  case joined
  /// The parameters and the shape of the argument.
  case parameters
}

/// The hardware events that a digital operator causes besides reading its arguments and writing its result.
public enum EventClass: Hashable, Sendable {
  /// None, and it neither reads nor writes: the result is the argument under another shape.
  case alias
  /// None.
  case move
  /// An activation for each element of the result.
  case activations
  /// A comparison for each tap of each window.
  case windowComparisons
  /// A comparison for each element of the argument.
  case comparisons
  /// An activation for each element of the result, and a multiply-add for each term of its sum.
  case multiplyAdds
}

/// A row of the catalog of digital operators: all that compiler, program and executor must know of an operator but its
/// meaning, which is `DigitalOperator.apply`.
public struct OperatorEntry: Sendable {
  /// The name, which is that of the operation in the IR.
  public let name: String
  /// The code in a program.
  public let code: OperatorCode
  /// The second code, of functions of one or two arguments.
  public let function: UInt32?
  /// The parameters, in the order of program and IR.
  public let parameters: [OperatorParameter]
  /// How many arguments it takes.
  public let arguments: ArgumentCount
  /// Which element types it takes and gives.
  public let elements: ElementRule
  /// What determines the shape of its result.
  public let shape: ShapeRule
  /// Its hardware events.
  public let events: EventClass
  /// What it does, in a sentence.
  public let summary: String

  init(
    _ name: String, _ code: OperatorCode, function: UInt32? = nil, _ parameters: [OperatorParameter],
    _ arguments: ArgumentCount, elements: ElementRule, shape: ShapeRule, events: EventClass, _ summary: String
  ) {
    self.name = name
    self.code = code
    self.function = function
    self.parameters = parameters
    self.arguments = arguments
    self.elements = elements
    self.shape = shape
    self.events = events
    self.summary = summary
  }
}
