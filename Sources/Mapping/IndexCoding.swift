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

/// The columns of a layer's column layout by number: what column index tables refer to.
public struct ColumnNumbering: Sendable {
  private let numbers: [ColumnEntry: Int]

  /// Nil where a column appears twice.
  public init?(_ layout: [ColumnEntry]) {
    var numbers: [ColumnEntry: Int] = [:]
    numbers.reserveCapacity(layout.count)
    for (number, column) in layout.enumerated() {
      guard numbers.updateValue(number, forKey: column) == nil else { return nil }
    }
    self.numbers = numbers
  }

  /// The numbers of `columns`; nil where one is not in the layout.
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
