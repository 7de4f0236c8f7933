public import Hardware
public import Support
public import Tensors

/// A large constant that is kept in the side file of the text.
public struct Resource: Equatable, Sendable {
  /// The name without the sigil, unique in the module.
  public var name: String
  /// The type of its elements.
  public var element: ElementType
  /// The numbers.
  public var tensor: Tensor

  /// Creates a resource.
  public init(name: String, element: ElementType, tensor: Tensor) {
    self.name = name
    self.element = element
    self.tensor = tensor
  }
}

/// A network at one level: values, operations and constants.
public struct Module<L: Level>: Equatable, Sendable {
  /// The name without the sigil.
  public var name: String
  /// What holds, in no order; printed in the order of `Fact`.
  public var facts: Set<Fact>
  /// The machine that it is compiled for; needed from `partitioned` on.
  public var machine: Machine?
  /// The values.
  public var values: Arena<Value>
  /// The operations; those not reachable from `body` are not part of the module.
  public var ops: Arena<Op>
  /// The operations in order.
  public var body: [OpID]
  /// Large constants in the order in which they were added.
  public private(set) var resources: [Resource]
  /// Free text about the origin, such as the pipeline.
  public var info: [InfoLine]
  /// Where the module began in the text that it was parsed from.
  public var position: TextPosition?
  private var resourceIndex: [String: Int]

  /// Creates an empty module.
  public init(name: String, facts: Set<Fact> = [], machine: Machine? = nil) {
    self.name = name
    self.facts = facts
    self.machine = machine
    values = Arena()
    ops = Arena()
    body = []
    resources = []
    info = []
    resourceIndex = [:]
  }

  /// The resource called `name`.
  public func resource(_ name: String) -> Resource? { resourceIndex[name].map { resources[$0] } }

  /// Adds a resource, or replaces the one of the same name.
  public mutating func setResource(_ resource: Resource) {
    if let at = resourceIndex[resource.name] {
      resources[at] = resource
    } else {
      resourceIndex[resource.name] = resources.count
      resources.append(resource)
    }
  }

  /// Removes the resources whose names are not in `names`.
  public mutating func keepResources(_ names: Set<String>) {
    resources.removeAll { !names.contains($0.name) }
    resourceIndex = [:]
    for (at, resource) in resources.enumerated() { resourceIndex[resource.name] = at }
  }
}

/// One line of free text with a key.
public struct InfoLine: Equatable, Sendable {
  /// What the text is about, such as `pipeline`.
  public var key: String
  /// The text.
  public var text: String

  /// Creates a line.
  public init(key: String, text: String) {
    self.key = key
    self.text = text
  }
}

extension Module {
  /// Where a message about the module as a whole points: its text if it was parsed, its name otherwise.
  public var location: Location {
    position.map { Location(.text($0)) } ?? Location(.item("@\(name)"))
  }

  /// Constants up to this many elements are written in the text; larger ones become resources.
  public static var inlineLimit: Int { 64 }

  /// An attribute that holds `tensor`: its numbers in place if they are few, or else a new resource whose name
  /// starts with `name`.
  public mutating func constant(_ tensor: Tensor, element: ElementType, name: String) -> Attribute {
    if tensor.count <= Self.inlineLimit { return nestedList(tensor) }
    let tensor = contained(tensor, element)
    var unique = sanitize(name)
    var number = 1
    while let old = resource(unique) {
      if old.tensor == tensor && old.element == element { return .resource(unique) }
      number += 1
      unique = "\(sanitize(name)).\(number)"
    }
    setResource(Resource(name: unique, element: element, tensor: tensor))
    return .resource(unique)
  }

  /// `tensor` in the container of `element`, which is what a resource of that type is read into.
  private func contained(_ tensor: Tensor, _ element: ElementType) -> Tensor {
    guard !element.isFloat, !tensor.data.isFloat else { return tensor }
    let container = Tensor([0], [Int64](), as: element).data.container
    guard tensor.data.container != container else { return tensor }
    let values = tensor.integers
    guard values.allSatisfy({ $0 >= element.lowest && $0 <= element.highest }) else { return tensor }
    return Tensor(tensor.shape, values, as: element)
  }

  /// The tensor that `attribute` holds, read as `element` with the given shape; nil where it holds something
  /// else, has another number of elements, or a number does not fit.
  public func tensor(_ attribute: Attribute?, element: ElementType, shape: [Int]) -> Tensor? {
    guard let attribute, let count = checkedProduct(shape) else { return nil }
    if case .resource(let name) = attribute {
      guard let found = resource(name), found.element == element, found.tensor.count == count else {
        return nil
      }
      return found.tensor.shape == shape ? found.tensor : found.tensor.reshaped(shape)
    }
    return inlineTensor(attribute, element: element, shape: shape, count: count)
  }

  private func inlineTensor(_ list: Attribute, element: ElementType, shape: [Int], count: Int) -> Tensor? {
    var flat: [Attribute] = []
    flatten(list, into: &flat)
    guard flat.count == count else { return nil }
    if element.isFloat {
      guard let values = Attribute.list(flat).asFloats else { return nil }
      return Tensor(shape, values)
    }
    guard let values = Attribute.list(flat).asInts,
      values.allSatisfy({ $0 >= element.lowest && $0 <= element.highest })
    else { return nil }
    return Tensor(shape, values, as: element)
  }

  private func flatten(_ attribute: Attribute, into flat: inout [Attribute]) {
    if case .list(let items) = attribute {
      for item in items { flatten(item, into: &flat) }
    } else {
      flat.append(attribute)
    }
  }

  private func nestedList(_ tensor: Tensor) -> Attribute {
    let leaves: [Attribute] =
      tensor.data.isFloat ? tensor.floats.map { .float($0) } : tensor.integers.map { .int($0) }
    var level = leaves
    for length in tensor.shape.dropFirst().reversed() where length > 0 {
      level = stride(from: 0, to: level.count, by: length).map { .list(Array(level[$0..<$0 + length])) }
    }
    return .list(level)
  }
}

extension Module {
  /// Adds an operation to the arena without placing it in a body.
  public mutating func add(_ op: Op) -> OpID { ops.add(op) }

  /// Adds an operation at the end of the body.
  @discardableResult public mutating func append(_ op: Op) -> OpID {
    let id = ops.add(op)
    body.append(id)
    return id
  }

  /// The operations of the body, in order, without those of scans.
  public var bodyOps: [Op] { body.map { ops[$0] } }

  /// The operations of the body and of its scans, in the order of the text: after each `scan` its body.
  ///
  /// A scan has no results itself; only results of `yield` and `scan-output` may be used after it. So
  /// the list is straight-line code, in which only carries refer back.
  public var flatBody: [OpID] { body.flatMap { ops[$0].opcode == .scan ? [$0] + ops[$0].body : [$0] } }

  /// The operations of `flatBody`.
  public var flatOps: [Op] { flatBody.map { ops[$0] } }

  /// The operation of the body that defines symbol `name`.
  public func symbol(_ name: String) -> OpID? {
    body.first { ops[$0].symbol == name }
  }

  /// The same module at another level, without its operations and values: a start for a lowering.
  public func emptied<To: Level>(at level: To.Type) -> Module<To> {
    var result = Module<To>(name: name, machine: machine)
    result.info = info
    result.position = position
    return result
  }
}

/// Who uses each value, computed on demand.
public struct Uses {
  private var users: [[OpID]]

  /// Collects the uses in the body of `module` and in its scans.
  public init<L: Level>(of module: Module<L>) {
    users = Array(repeating: [], count: module.values.count)
    for id in module.flatBody {
      for operand in module.ops[id].operands { users[operand.index].append(id) }
    }
  }

  /// The operations that use `value`, in order.
  public subscript(value: ValueID) -> [OpID] { users[value.index] }
}

/// A module of any level.
public enum AnyModule: Sendable {
  case tensor(Module<TensorLevel>)
  case crossbar(Module<CrossbarLevel>)
  case program(Module<ProgramLevel>)

  /// Which level it is.
  public var level: LevelName {
    switch self {
    case .tensor: return .tensor
    case .crossbar: return .crossbar
    case .program: return .program
    }
  }
}

extension Module {
  /// The same module without operations and values that its body does not reach, and without unused resources.
  public func compacted() -> Module {
    var result = Module(name: name, facts: facts, machine: machine)
    result.info = info
    for resource in resources { result.setResource(resource) }
    var names: [ValueID: ValueID] = [:]
    func copy(_ id: OpID) -> OpID {
      var op = ops[id]
      for value in op.results where names[value] == nil { names[value] = result.values.add(values[value]) }
      op.operands = op.operands.compactMap { names[$0] }
      op.results = op.results.compactMap { names[$0] }
      op.body = op.body.map(copy)
      return result.add(op)
    }
    result.body = body.map(copy)
    result.dropUnusedResources()
    return result
  }
}

extension AnyModule {
  /// Wraps a module of any level.
  public init<L: Level>(_ module: Module<L>) { self = L.erase(module) }

  /// The module at level `L`, or nil where it is at another one.
  public func module<L: Level>(at level: L.Type) -> Module<L>? {
    switch self {
    case .tensor(let module): return module as? Module<L>
    case .crossbar(let module): return module as? Module<L>
    case .program(let module): return module as? Module<L>
    }
  }

  /// What holds of the module.
  public var facts: Set<Fact> {
    switch self {
    case .tensor(let module): return module.facts
    case .crossbar(let module): return module.facts
    case .program(let module): return module.facts
    }
  }
}
