import Hardware
public import Support
import Tensors

/// Where the numbers of large constants stand.
public enum ResourcePlace: Hashable, Sendable {
  /// In the side file: the text only declares them.
  case sideFile
  /// In the text, which then stands for itself.
  case text
}

extension Module {
  /// The text form.
  public func text(resources place: ResourcePlace) -> String {
    let listed = facts.sorted().map(\.rawValue).joined(separator: ", ")
    var out = "xir \(textVersion)\nmodule @\(name) level \(L.name.rawValue) facts [\(listed)] {\n"
    if let machine { out += "  \(machineText(machine, indent: "  "))\n" }
    for line in info { out += "  info \(quote(line.key)): \(quote(line.text))\n" }
    for resource in resources {
      let type = ValueType(resource.element, resource.tensor.shape)
      out += "  resource #\(resource.name) : \(type) crc \"\(checksumText(resource.tensor))\""
      switch place {
      case .sideFile: out += "\n"
      case .text: out += " bytes \"\(resource.tensor.data.withBytes { Base64.encode($0) })\"\n"
      }
    }
    for id in body { print(id, indent: "  ", to: &out) }
    return out + "}\n"
  }

  /// The text form; a side file holds the numbers of large constants.
  public var text: String { text(resources: .sideFile) }

  /// The text of one operation, without a line end.
  public func text(of id: OpID) -> String {
    var out = ""
    print(id, indent: "", to: &out)
    return String(out.dropLast())
  }

  private func print(_ id: OpID, indent: String, to out: inout String) {
    let op = ops[id]
    var head = op.results.isEmpty ? "" : names(op.results) + " = "
    head += op.opcode.rawValue
    if let symbol = op.symbol { head += " @\(symbol)" }
    if !op.operands.isEmpty { head += " " + names(op.operands) }
    // Without operands that it could have, an empty list keeps the next line's value from becoming one.
    let couldHaveOperands = op.operands.isEmpty && op.opcode.spec.operands.upperBound > 0
    var tail = ""
    if !op.results.isEmpty, L.name != .program || op.opcode == .buffer {
      tail += " : " + op.results.map { values[$0].type.description }.joined(separator: ", ")
    }
    if let origin = op.origin {
      tail += " loc(\(origin.index), \(quote(origin.name)), \(quote(origin.op)))"
    }
    let hasBody = op.opcode.spec.body != nil
    if hasBody { tail += " {" }
    out += indent
    if op.attributes.isEmpty && !couldHaveOperands {
      out += head + tail
    } else {
      let parts = op.attributes.map { ("\($0.name): \($0.value)", $0.value.isComposite) }
      out += wrapped(head + " ", open: "[", parts, close: "]", tail: tail, indent: indent)
    }
    if hasBody {
      out += "\n"
      for inner in op.body { print(inner, indent: indent + "  ", to: &out) }
      out += indent + "}"
    }
    out += "\n"
  }

  private func names(_ ids: [ValueID]) -> String {
    ids.map { "%\(values[$0].name)" }.joined(separator: ", ")
  }
}

extension AnyModule {
  /// The text form.
  public func text(resources place: ResourcePlace) -> String {
    switch self {
    case .tensor(let module): return module.text(resources: place)
    case .crossbar(let module): return module.text(resources: place)
    case .program(let module): return module.text(resources: place)
    }
  }

  /// The text form; a side file holds the numbers of large constants.
  public var text: String { text(resources: .sideFile) }

  /// The large constants.
  public var resources: [Resource] {
    switch self {
    case .tensor(let module): return module.resources
    case .crossbar(let module): return module.resources
    case .program(let module): return module.resources
    }
  }
}

/// The version of the text form, which every text begins with.
let textVersion = 2

extension Attribute {
  /// Whether the text may be long: that of a list or a map, which takes lines of its own where it is broken.
  fileprivate var isComposite: Bool {
    switch self {
    case .list, .rows, .columns, .window, .string: return true
    case .int, .float, .word, .symbol, .resource, .units, .index: return false
    }
  }
}
