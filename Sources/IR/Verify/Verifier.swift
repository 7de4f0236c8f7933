import Hardware
import Mapping
public import Support
import Tensors

// Invariants that are checked; the numbers are those of ir-spec.md, *Constraints* and *Facts*.
//
// Structure: S1 level, S2 operands and results, S3 symbols, S4 attributes, S5 bodies, S6 order of definitions,
// S7 names, S8 elements, S9 shapes, S10 ports, S11 layers (Layers.swift), S12 scans (Scans.swift), S13 machine.
// Facts: F-shaped, F-calibrated, F-quantized (TensorFacts.swift), F-sliced, F-partitioned, F-placed, F-scheduled
// (LayerFacts.swift).
//
// Not checked: that a requantization keeps the real numbers of the network (quantize bounds its error). At program
// level, sizes and the order of instructions are checked by `verifyFully` of CodeGen.

/// Everything that is wrong with `module`, in the order of its operations; empty for a valid module.
public func verify<L: Level>(_ module: Module<L>) -> [Diagnostic] {
  var verifier = Verifier(module)
  verifier.checkStructure()
  // Facts are only meaningful on sound operations.
  if verifier.found.isEmpty { verifier.checkTypes() }
  if verifier.found.isEmpty { verifier.checkFacts() }
  return verifier.found
}

/// Everything that is wrong with a module of any level.
public func verify(_ module: AnyModule) -> [Diagnostic] {
  switch module {
  case .tensor(let module): return verify(module)
  case .crossbar(let module): return verify(module)
  case .program(let module): return verify(module)
  }
}

/// Collects what is wrong with a module.
struct Verifier<L: Level> {
  let module: Module<L>
  var found: [Diagnostic] = []

  init(_ module: Module<L>) { self.module = module }

  /// Adds an error about `op`.
  mutating func fail(_ id: String, _ message: String, _ op: Op) {
    found.append(Diagnostic("verify.\(id)", message, at: op.location))
  }

  /// Adds an error about the module as a whole.
  mutating func fail(_ id: String, _ message: String) {
    found.append(Diagnostic("verify.\(id)", message, at: module.location))
  }

  // MARK: Structure

  mutating func checkStructure() {
    var scope = Scope(values: module.values.count)
    var symbols: Set<String> = []
    checkBody(module.body, inside: nil, &scope, &symbols)
    checkNames(scope.defined, symbols)
    checkPorts()
    checkMachine()
  }

  /// S13: the figures of the machine are those of one that can be built.
  private mutating func checkMachine() {
    do throws(Diagnostic) {
      try module.machine?.validate()
    } catch {
      found.append(Diagnostic("verify.machine", error.message, at: module.location, notes: error.notes))
    }
  }

  /// S7: names can be written in a text, and no two values share one.
  private mutating func checkNames(_ defined: [Bool], _ symbols: Set<String>) {
    var names: Set<String> = []
    for (index, value) in module.values.elements.enumerated() where defined[index] {
      if !names.insert(value.name).inserted {
        fail("name-twice", "two values are called %\(value.name)")
      }
    }
    let all = [module.name] + names.sorted() + symbols.sorted() + module.resources.map(\.name)
    for name in all where sanitize(name) != name {
      fail("name", "'\(name)' is no name of the text form")
    }
  }

  /// Which values are defined so far, and which of them can be used.
  private struct Scope {
    var defined: [Bool]
    var visible: [Bool]

    init(values: Int) {
      defined = [Bool](repeating: false, count: values)
      visible = defined
    }
  }

  private mutating func checkBody(
    _ body: [OpID], inside parent: Opcode?, _ scope: inout Scope, _ symbols: inout Set<String>
  ) {
    for id in body {
      let op = module.ops[id]
      let spec = op.opcode.spec
      checkPlace(op, spec, inside: parent)
      checkShape(op, spec)
      checkAttributes(op, spec)
      checkSymbol(op, spec, &symbols)
      checkDefinitions(op, &scope)
      guard spec.body != nil else { continue }
      let outside = scope.visible
      checkBody(op.body, inside: op.opcode, &scope, &symbols)
      if op.opcode == .scan {
        checkScan(op, outside)
        scope.visible = outside
        for inner in op.body.map({ module.ops[$0] }) where inner.opcode.outlivesScan {
          for result in inner.results { scope.visible[result.index] = true }
        }
      }
    }
  }

  private mutating func checkPlace(_ op: Op, _ spec: OpSpec, inside parent: Opcode?) {
    if !spec.levels.contains(L.name) {
      fail("level", "\(op.opcode.rawValue) does not exist at level \(L.name.rawValue)", op)  // S1
    }
    if let parent {
      if parent.spec.body?.contains(op.opcode) != true {
        fail("body", "\(op.opcode.rawValue) is not allowed in a \(parent.rawValue)", op)  // S5
      }
    } else if op.opcode == .block {
      fail("body", "a block is valid only inside a layer", op)  // S5
    } else if op.opcode.needsScan && L.name != .program {
      fail("body", "\(op.opcode.rawValue) is valid only inside a scan", op)  // S5
    }
    if spec.body == nil && !op.body.isEmpty {
      fail("body", "\(op.opcode.rawValue) has no body", op)  // S5
    }
  }

  private mutating func checkShape(_ op: Op, _ spec: OpSpec) {
    if !spec.operands.contains(op.operands.count) {
      let range = spec.operands
      let expected = range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
      // S2
      fail("operands", "\(op.opcode.rawValue) takes \(expected) operands, found \(op.operands.count)", op)
    }
    if op.results.count != spec.results {
      // S2
      fail("results", "\(op.opcode.rawValue) has \(spec.results) results, found \(op.results.count)", op)
    }
  }

  private mutating func checkAttributes(_ op: Op, _ spec: OpSpec) {
    for attribute in op.attributes {
      guard let known = spec.attributes.first(where: { $0.name == attribute.name }) else {
        let isRange = attribute.name == AttributeKey.range.name && attribute.value.asFloats?.count == 2
        if isRange && L.name != .program { continue }
        if isRange {
          fail("attribute", "a program does not keep 'range' of a \(op.opcode.rawValue)", op)  // S4
          continue
        }
        fail("attribute", "\(op.opcode.rawValue) has no attribute '\(attribute.name)'", op)  // S4
        continue
      }
      if !known.kind.admits(attribute.value) {
        // S4
        let found = attribute.value.short
        fail(
          "attribute",
          "'\(attribute.name)' of \(op.opcode.rawValue) is \(found), expected \(known.kind.name)", op)
      }
      if L.name == .program, isOfModules(attribute.name, op.opcode) {
        fail("attribute", "a program does not keep '\(attribute.name)' of a \(op.opcode.rawValue)", op)  // S4
      }
      if case .resource(let name) = attribute.value, module.resource(name) == nil {
        fail("resource", "no resource is called #\(name)", op)  // S4
      }
    }
    for known in spec.attributes where known.isRequired && op[known.name] == nil {
      fail("attribute", "\(op.opcode.rawValue) needs the attribute '\(known.name)'", op)  // S4
    }
  }

  /// Whether `name` is a field of layers or blocks that ends with the lowering.
  private func isOfModules(_ name: String, _ opcode: Opcode) -> Bool {
    opcode == .layer && Layer.field(name)?.storage == .module
      || opcode == .block && Block.field(name)?.storage == .module
  }

  private mutating func checkSymbol(_ op: Op, _ spec: OpSpec, _ symbols: inout Set<String>) {
    guard spec.hasSymbol == (op.symbol != nil) else {
      let message = spec.hasSymbol ? "needs a symbol such as @conv1" : "defines no symbol"
      return fail("symbol", "\(op.opcode.rawValue) \(message)", op)  // S3
    }
    if let symbol = op.symbol, !symbols.insert(symbol).inserted {
      fail("symbol", "@\(symbol) is defined twice", op)  // S3
    }
    if let used = op.find(.layer), !symbols.contains(used) {
      fail("symbol", "no layer above is called @\(used)", op)  // S3
    }
  }

  private mutating func checkDefinitions(_ op: Op, _ scope: inout Scope) {
    for operand in op.operands where !scope.visible[operand.index] {
      let problem = scope.defined[operand.index] ? "cannot be seen from here" : "is used before it is defined"
      fail("undefined", "%\(module.values[operand].name) \(problem)", op)  // S6
    }
    for result in op.results {
      let isWrite = L.name == .program && op.opcode != .buffer
      if scope.defined[result.index] != isWrite {
        let name = module.values[result].name
        fail("undefined", isWrite ? "%\(name) is no declared buffer" : "%\(name) is defined twice", op)  // S6
      }
      scope.defined[result.index] = true
      scope.visible[result.index] = L.name == .program || !op.opcode.outlivesScan
    }
  }

  private mutating func checkPorts() {
    let ops = module.bodyOps
    for kind in [Opcode.input, .output] {
      var names: Set<String> = []
      for op in ops where op.opcode == kind {
        if !names.insert(op[.portName]).inserted {
          fail("port", "two \(kind.rawValue)s are called \"\(op[.portName])\"", op)  // S10
        }
      }
    }
  }

  // MARK: Types

  mutating func checkTypes() {
    for id in allOps(module.body) {
      let op = module.ops[id]
      checkResults(op)
      checkElements(op)
      checkConstant(op)
      if let parameter = module.unreadParameter(of: op) {
        let found = op[parameter.name].map { "\($0.short), expected whole numbers" } ?? "missing"
        fail("attribute", "'\(parameter.name)' of \(op.opcode.rawValue) is \(found)", op)  // S4
        continue
      }
      checkRange(op)
      if op.opcode == .layer { checkLayer(id, op) }
      guard L.name != .program else { continue }
      do throws(Diagnostic) {
        guard let expected = try module.resultType(of: op), let result = op.results.first else { continue }
        let declared = module.values[result].type
        let shapeFits = declared.shape == nil || declared.shape == expected.shape
        if !shapeFits || declared.element != expected.element {
          // S9
          fail("type", "the result of \(op.opcode.rawValue) is \(expected), declared is \(declared)", op)
        }
      } catch {
        found.append(error)
      }
    }
  }

  private func allOps(_ body: [OpID]) -> [OpID] {
    body.flatMap { id in
      let op = module.ops[id]
      return [id] + (op.opcode == .repeat || op.opcode == .scan ? allOps(op.body) : [])
    }
  }

  private mutating func checkConstant(_ op: Op) {
    guard op.opcode == .constant || op.find(.value) != nil && op.opcode == .buffer,
      let result = op.results.first
    else { return }
    let type = module.values[result].type
    if module.tensor(op.find(.value), element: type.element, shape: type.shape ?? [-1]) == nil {
      fail("constant", "the numbers do not have the type \(type)", op)  // S8
    }
  }

  private mutating func checkElements(_ op: Op) {
    let operands = op.operands.map { module.values[$0].type.element }
    let result = op.results.first.map { module.values[$0].type.element }
    guard let rule = elementRule(op.opcode, operands), !rule(operands, result) else { return }
    let types = operands.map(\.description).joined(separator: ", ")
    let parts = [operands.isEmpty ? nil : "work on \(types)", result.map { "give \($0)" }].compactMap { $0 }
    fail("element", "\(op.opcode.rawValue) does not \(parts.joined(separator: " and "))", op)  // S8
  }

  /// S8: a quantized type has integers of up to 32 bits and a zero point among them. S9: below the tensor level every
  /// value has a shape.
  private mutating func checkResults(_ op: Op) {
    for result in op.results {
      let value = module.values[result]
      if L.name != .tensor && value.type.shape == nil { fail("shape", "%\(value.name) has no shape", op) }
      guard let quantization = value.type.quantization else { continue }
      if L.name == .program {
        if op.opcode == .buffer {
          fail("element", "%\(value.name) has a scale, which a program does not keep", op)
        }
        continue
      }
      let element = value.type.element
      if case .integer(1...32, _) = element, element.lowest...element.highest ~= quantization.zero {
        continue
      }
      fail("quantization", "\(element) cannot have the zero point \(quantization.zero)", op)
    }
  }

  /// S8: what a quantization, a requantization or a table can give, and the padding value, fits the result;
  /// a layer takes the elements that it states.
  private mutating func checkRange(_ op: Op) {
    guard let result = op.results.first.map({ module.values[$0].type.element }) else { return }
    switch op.opcode.kind {
    case .digital(.quantize), .digital(.requantize), .digital(.lookup):
      guard let clamp = module.digitalOperator(of: op)?.clamp else { return }
      let names = op.opcode == .lookup ? ("table", "table") : ("low", "high")
      checkRange(names.0, clamp.low, result, op)
      if names.0 != names.1 || clamp.low >= result.lowest { checkRange(names.1, clamp.high, result, op) }
    case .window, .load: checkRange("padding", op[.padding], result, op)
    case .mvm:
      guard let layer = module.symbol(op[.layer]).map({ module.ops[$0] }),
        let operand = op.operands.first.map({ module.values[$0].type.element })
      else { return }
      if layer[.inputs] != operand.description {
        fail("element", "@\(op[.layer]) takes \(layer[.inputs]), found \(operand)", op)
      }
    case .input, .output, .constant, .conv, .gemm, .batchNorm, .digital, .scan, .carry, .scanSlice, .yield,
      .scanOutput,
      .col2im, .layer, .block, .buffer, .crossbar, .drive, .convert, .accumulate, .store, .repeat:
      return
    }
  }

  private mutating func checkRange(_ name: String, _ value: Int64, _ element: ElementType, _ op: Op) {
    if element.isFloat || element.lowest...element.highest ~= value { return }
    fail("range", "'\(name)': \(value) does not fit \(element)", op)
  }

  private typealias ElementCheck = ([ElementType], ElementType?) -> Bool

  /// What must hold of element types; nil where everything is allowed.
  private func elementRule(_ opcode: Opcode, _ operands: [ElementType]) -> ElementCheck? {
    switch opcode.kind {
    case .input: return { _, result in result == .float32 }
    case .output: return { operands, _ in operands.first == .float32 }
    case .conv, .gemm:
      return { operands, _ in
        operands[0].isFloat
          ? operands.allSatisfy(\.isFloat)
          : !operands[1].isFloat && (operands.count < 3 || operands[2] == .accumulator)
      }
    case .window, .mvm: return { operands, _ in !operands[0].isFloat }
    case .col2im: return { operands, _ in operands.allSatisfy { $0 == .accumulator } }
    case .carry, .scanSlice, .yield, .scanOutput: return elementRule(.kept)
    case .constant, .buffer, .layer, .block, .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat,
      .scan:
      return nil
    case .batchNorm: return elementRule(.floats)
    case .digital: return opcode.digital.map { elementRule($0.elements) }
    }
  }

  private func elementRule(_ rule: ElementRule) -> ElementCheck {
    switch rule {
    case .floats, .numbers:
      return { operands, result in operands.allSatisfy(\.isFloat) && result == .float32 }
    case .kept:
      return { operands, result in operands.allSatisfy { $0 == operands[0] } && result == operands[0] }
    case .floatsToIntegers: return { operands, result in operands[0].isFloat && result?.isFloat == false }
    case .integersToFloats: return { operands, result in !operands[0].isFloat && result == .float32 }
    case .integers: return { operands, result in !operands[0].isFloat && result?.isFloat == false }
    case .accumulatorsToIntegers:
      return { operands, result in operands[0] == .accumulator && result?.isFloat == false }
    case .accumulators: return { operands, result in operands[0] == .accumulator && result == .accumulator }
    }
  }

  // MARK: Facts

  mutating func checkFacts() {
    if L.name == .program, let fact = module.facts.sorted().first {
      return fail("fact", "a program states no facts, found '\(fact.rawValue)'")
    }
    for fact in module.facts.sorted() {
      switch fact {
      case .shaped: checkShaped()
      case .calibrated: checkCalibrated()
      case .quantized: checkQuantized()
      case .sliced, .partitioned, .placed, .scheduled: checkLayers(fact)
      }
    }
  }
}
