/// A wordline of a block: driven by `input << shift`. Large networks have hundreds of millions of them, so an entry takes 8
/// bytes; numbers beyond 32 bits become the nearest one of 32 bits, which no layer has.
public struct RowEntry: Hashable, Sendable {
  private var storedInput: Int32
  private var storedShift: Int32

  /// Which input of the layer, below 2^24.
  public var input: Int {
    get { Int(storedInput) }
    set { storedInput = Int32(clamping: newValue) }
  }

  /// Left shift of the input, below 64.
  public var shift: Int {
    get { Int(storedShift) }
    set { storedShift = Int32(clamping: newValue) }
  }

  /// Creates an entry.
  public init(input: Int, shift: Int = 0) {
    storedInput = Int32(clamping: input)
    storedShift = Int32(clamping: shift)
  }
}

/// A bitline of a block: adds `(negative ? -1 : 1) * 2^shift * ADC(...)` to an output. It takes 8 bytes, as `RowEntry` does.
public struct ColumnEntry: Hashable, Sendable {
  private var storedOutput: Int32
  private var storedShift: Int16
  /// Whether the bitline subtracts.
  public var negative: Bool

  /// Which output of the layer, below 2^24.
  public var output: Int {
    get { Int(storedOutput) }
    set { storedOutput = Int32(clamping: newValue) }
  }

  /// Weight of the bitline as a power of two, below 64.
  public var shift: Int {
    get { Int(storedShift) }
    set { storedShift = Int16(clamping: newValue) }
  }

  /// Creates an entry.
  public init(output: Int, shift: Int, negative: Bool = false) {
    storedOutput = Int32(clamping: output)
    storedShift = Int16(clamping: shift)
    self.negative = negative
  }
}

/// How the numbers of a block's wordlines or bitlines are stored in an index table: ascending numbers, one field of
/// `bits` bits for each (reference: section 2.4, after SRE, ISCA 2019).
public enum IndexCoding: Hashable, Sendable {
  /// Each field is the number less `first`.
  case absolute(bits: Int, first: Int)
  /// Each field is the gap to the number before it: the first number is `first + gap`, every other one is the one
  /// before it plus 1 plus its gap.
  case delta(bits: Int, first: Int)

  /// Bits of a field, 1 ... 24.
  public var bits: Int {
    switch self {
    case .absolute(let bits, _), .delta(let bits, _): return bits
    }
  }

  /// The smallest number that a first field can mean.
  public var first: Int {
    switch self {
    case .absolute(_, let first), .delta(_, let first): return first
    }
  }

  /// The same coding with another first number.
  public func starting(at first: Int) -> IndexCoding {
    switch self {
    case .absolute(let bits, _): return .absolute(bits: bits, first: first)
    case .delta(let bits, _): return .delta(bits: bits, first: first)
    }
  }

  /// The fields for `numbers`; nil where they do not ascend or a field is too small.
  public func fields(of numbers: [Int]) -> [Int]? {
    var fields: [Int] = []
    fields.reserveCapacity(numbers.count)
    var next = first
    for number in numbers {
      guard number >= next else { return nil }
      let field: Int
      switch self {
      case .absolute: field = number - first
      case .delta: field = number - next
      }
      guard field >> bits == 0 else { return nil }
      fields.append(field)
      next = number + 1
    }
    return fields
  }

  /// The numbers that `fields` mean; nil where absolute fields do not ascend.
  public func numbers(of fields: [Int]) -> [Int]? {
    var numbers: [Int] = []
    numbers.reserveCapacity(fields.count)
    var next = first
    for field in fields {
      switch self {
      case .absolute:
        guard first + field >= next else { return nil }
        next = first + field
      case .delta: next += field
      }
      numbers.append(next)
      next += 1
    }
    return numbers
  }
}

extension IndexCoding: CustomStringConvertible {
  /// `delta(2)` or `absolute(7 from 128)`.
  public var description: String {
    let name: String
    switch self {
    case .absolute: name = "absolute"
    case .delta: name = "delta"
    }
    return "\(name)(\(bits)\(first == 0 ? "" : " from \(first)"))"
  }
}

/// The natural bitlines of a layer by number: what column index tables refer to.
public struct BitlineNumbering: Sendable {
  private let numbers: [ColumnEntry: Int]

  /// Nil where a bitline stands twice.
  public init?(_ bitlines: [ColumnEntry]) {
    var numbers: [ColumnEntry: Int] = [:]
    numbers.reserveCapacity(bitlines.count)
    for (number, bitline) in bitlines.enumerated() {
      guard numbers.updateValue(number, forKey: bitline) == nil else { return nil }
    }
    self.numbers = numbers
  }

  /// The numbers of `columns`; nil where one is no natural bitline.
  public func numbers(of columns: [ColumnEntry]) -> [Int]? {
    var result: [Int] = []
    result.reserveCapacity(columns.count)
    for column in columns {
      guard let number = numbers[column] else { return nil }
      result.append(number)
    }
    return result
  }
}
