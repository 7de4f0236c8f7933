import Mapping
import Support
import Tensors

func checkCode(_ program: Program) throws(Issue) {
  var checker = CodeChecker(program: program)
  let steps = try checker.checkBody(program.code, rounds: 1, depth: 0)
  try checker.checkStores()
  try checker.checkWrites()
  guard steps <= ProgramLimits.steps else {
    throw Issue(.loop, "more than \(ProgramLimits.steps) instructions for one sample", .instruction(0))
  }
}

/// A destination with the way in which stores lay registers into it.
private struct StoreGroup: Hashable {
  let destination: Int
  let channels: Int
  let positions: Int
}

/// Walks the code; numbers instructions in the order of the text.
private struct CodeChecker {
  let program: Program
  private var number = -1
  /// The instruction that a layer waits for, by layer: true for convert, false for accumulate.
  private var waiting: [Int: Bool] = [:]
  /// The segment that the code has come to, and that of the loop outside of which no other one is.
  private var segment = 0
  private var loopSegment: Int?
  /// What is stored of each destination: channels, and the number of the instruction.
  private var stored: [StoreGroup: [(channels: Range<Int>, number: Int)]] = [:]
  /// Layers that wait in a body around this one.
  private var blocked: Set<Int> = []
  /// The buffers that have numbers by now: constants, inputs, and what instructions have written.
  private var written: Set<Int>
  /// The first instruction that reads a buffer without numbers.
  private var unwritten: Issue?

  init(program: Program) {
    self.program = program
    written = Set(program.buffers.indices.filter { program.buffers[$0].initial != nil })
    written.formUnion(program.inputs.map(\.buffer))
  }

  private func issue(_ fault: ProgramFault, _ message: String) -> Issue {
    Issue(fault, message, .instruction(number))
  }

  private func buffer(_ index: Int) throws(Issue) -> Buffer {
    guard program.buffers.indices.contains(index) else { throw issue(.index, "there is no buffer \(index)") }
    return program.buffers[index]
  }

  /// A buffer that an instruction reads.
  private mutating func source(_ index: Int) throws(Issue) -> Buffer {
    let found = try buffer(index)
    if unwritten == nil && !written.contains(index) {
      unwritten = issue(.unwritten, "%\(found.name) is read before an instruction writes it")
    }
    return found
  }

  /// A buffer that an instruction writes.
  private mutating func destination(_ index: Int) throws(Issue) -> Buffer {
    let found = try buffer(index)
    written.insert(index)
    return found
  }

  private func name(_ layer: Int) -> String { "@\(program.layers[layer].name)" }

  private func layer(_ index: Int) throws(Issue) -> Layer {
    guard program.layers.indices.contains(index) else { throw issue(.index, "there is no layer \(index)") }
    return program.layers[index]
  }

  /// Checks a body whose rounds are numbered up to `rounds`; returns how many instructions a round executes.
  mutating func checkBody(_ body: [Instruction], rounds: Int, depth: Int) throws(Issue) -> Int {
    let outer = (waiting: waiting, blocked: blocked)
    blocked.formUnion(waiting.keys)
    waiting = [:]
    var steps = 0
    for instruction in body {
      number += 1
      guard number < ProgramLimits.instructions else {
        throw issue(.limit, "more than \(ProgramLimits.instructions) instructions")
      }
      try checkOrigin(instruction.origin)
      if depth == 0 { loopSegment = nil }
      steps = min(
        ProgramLimits.steps + 1, steps + (try check(instruction.operation, rounds: rounds, depth: depth)))
    }
    if let left = waiting.keys.min() {
      throw issue(.sequence, "'layer': \(name(left)) is driven but not accumulated in the same body")
    }
    (waiting, blocked) = outer
    return steps
  }

  private func checkOrigin(_ origin: NodeOrigin?) throws(Issue) {
    guard let origin else { return }
    guard (0...Int(Int32.max)).contains(origin.index) else {
      throw issue(.origin, "node index \(origin.index)")
    }
    guard max(origin.name.utf8.count, origin.op.utf8.count) <= ProgramLimits.nameBytes else {
      throw issue(.limit, "a node's name is longer than \(ProgramLimits.nameBytes) bytes")
    }
  }

  private mutating func check(_ operation: Operation, rounds: Int, depth: Int) throws(Issue) -> Int {
    switch operation {
    case .loop(let count, let body): return try checkLoop(count, body, depth: depth)
    case .load(let register, let source, let window, let padding):
      try checkLoad(register, source, window, padding, rounds: rounds)
    case .drive(let register, let layer): try checkDrive(register, layer)
    case .convert(let index):
      _ = try layer(index)
      guard waiting[index] == true else {
        let reason = waiting[index] == nil ? "is not driven" : "is converted already"
        throw issue(.sequence, "'layer': \(name(index)) \(reason)")
      }
      guard program.layers[index].segment == segment else {
        throw issue(.segment, "'layer': \(name(index)) is read when segment \(segment) has taken its place")
      }
      waiting[index] = false
    case .accumulate(let register, let layer): try checkAccumulate(register, layer)
    case .store(let destination, let register, let layout):
      try checkStore(destination, register, layout, rounds: rounds)
    case .scanSlice(let register, let source, let parts):
      try checkParts(source, register, parts, rounds: rounds, isWritten: false)
    case .scanOutput(let destination, let register, let parts):
      try checkParts(destination, register, parts, rounds: rounds, isWritten: true)
    case .digital(let op, let inputs, let output): try checkDigital(op, inputs, output)
    }
    return 1
  }

  private mutating func checkLoop(_ count: Int, _ body: [Instruction], depth: Int) throws(Issue) -> Int {
    guard depth < ProgramLimits.loopDepth else {
      throw issue(.depth, "loops nest deeper than \(ProgramLimits.loopDepth)")
    }
    guard (1...ProgramLimits.rounds).contains(count) else {
      throw issue(.loop, "'count': \(count) rounds, expected 1 ... \(ProgramLimits.rounds)")
    }
    let steps = try checkBody(body, rounds: count, depth: depth + 1)
    let (product, overflow) = max(1, steps).multipliedReportingOverflow(by: count)
    return overflow ? ProgramLimits.steps + 1 : min(product, ProgramLimits.steps + 1)
  }

  private mutating func checkLoad(
    _ register: Int, _ source: Int, _ window: Window, _ padding: Int64, rounds: Int
  ) throws(Issue) {
    let (from, to) = (try self.source(source), try destination(register))
    guard register != source else { throw issue(.index, "%\(from.name) is loaded into itself") }
    guard Window(numbers: window.numbers) != nil else {
      throw issue(.window, "'window': inconsistent window \(window.numbers)")
    }
    guard to.element == from.element, !to.element.isFloat else {
      throw issue(.type, "loads \(from.element) into \(to.element), expected equal integer types")
    }
    guard window.inputCount == from.count, window.length == to.count else {
      throw issue(
        .size,
        "'window': \(window.length) of \(window.inputCount) elements, from \(from.count) in %\(from.name) "
          + "to \(to.count) in %\(to.name)")
    }
    guard rounds <= window.positions else {
      throw issue(.round, "'count' of the loop: \(rounds) rounds, but \(window.positions) windows")
    }
    guard (to.element.lowest...to.element.highest).contains(padding) else {
      throw issue(.type, "'padding': \(padding) does not fit into \(to.element)")
    }
  }

  private mutating func checkDrive(_ register: Int, _ index: Int) throws(Issue) {
    let (from, layer) = (try source(register), try layer(index))
    guard from.count == layer.rows else {
      throw issue(
        .size, "\(from.count) elements of %\(from.name) drive \(name(index)) with \(layer.rows) inputs")
    }
    guard case .integer(let bits, let signed) = from.element,
      signed ? layer.inputs.isSigned && bits <= layer.inputs.bits : bits <= layer.inputs.magnitudeBits
    else {
      throw issue(.type, "\(from.element) drives \(name(index)), whose inputs are \(layer.inputs.element)")
    }
    guard waiting[index] == nil, !blocked.contains(index) else {
      throw issue(.sequence, "'layer': \(name(index)) is driven again before it is accumulated")
    }
    waiting[index] = true
    try enterSegment(layer.segment, of: index)
  }

  /// Segments follow each other, and change between instructions outside of loops only.
  private mutating func enterSegment(_ wanted: Int, of index: Int) throws(Issue) {
    if let loopSegment, loopSegment != wanted {
      throw issue(
        .segment, "'layer': \(name(index)) of segment \(wanted) is driven in a loop of segment \(loopSegment)"
      )
    }
    guard wanted >= segment else {
      throw issue(
        .segment, "'layer': \(name(index)) of segment \(wanted) is driven after segment \(segment)")
    }
    (segment, loopSegment) = (wanted, wanted)
  }

  private mutating func checkAccumulate(_ register: Int, _ index: Int) throws(Issue) {
    let (to, layer) = (try destination(register), try layer(index))
    guard waiting[index] == false else { throw issue(.sequence, "'layer': \(name(index)) is not converted") }
    waiting[index] = nil
    guard to.element == .accumulator else {
      throw issue(
        .type, "%\(to.name) of \(to.element) is accumulated into, expected \(ElementType.accumulator)")
    }
    guard to.count == layer.columns else {
      throw issue(
        .size, "\(layer.columns) outputs of \(name(index)) into \(to.count) elements of %\(to.name)")
    }
  }

  private mutating func checkStore(
    _ destination: Int, _ register: Int, _ place: OutputLayout, rounds: Int
  ) throws(Issue) {
    let (from, to) = (try source(register), try self.destination(destination))
    guard destination != register else { throw issue(.index, "%\(from.name) is stored into itself") }
    guard to.element == from.element else { throw issue(.type, "stores \(from.element) into \(to.element)") }
    if let problem = place.problem(storing: from, into: to) { throw issue(.size, problem) }
    let positions = to.count / place.channels
    guard rounds == positions else {
      throw issue(
        .round,
        "'count' of the loop: \(rounds) rounds, but the destination has \(positions) positions, which all must be stored"
      )
    }
    stored[
      StoreGroup(destination: destination, channels: place.channels, positions: place.positions), default: []
    ]
    .append((place.channelStart..<place.channelStart + from.count, number))
  }

  /// Throws where channels of a destination are never stored.
  func checkStores() throws(Issue) {
    for (group, parts) in stored.sorted(by: { ($0.value[0].number) < ($1.value[0].number) }) {
      var next = 0
      for (channels, _) in parts.sorted(by: { $0.channels.lowerBound < $1.channels.lowerBound }) {
        if channels.lowerBound > next { break }
        next = max(next, channels.upperBound)
      }
      guard next >= group.channels else {
        throw Issue(
          .round, "channel \(next) of the \(group.channels) of the destination is never stored",
          .instruction(parts[0].number))
      }
    }
  }

  /// Throws where a buffer is read before it is written, or an output is never written.
  func checkWrites() throws(Issue) {
    if let unwritten { throw unwritten }
    for (number, port) in program.outputs.enumerated() where !written.contains(port.buffer) {
      throw Issue(.unwritten, "%\(program.buffers[port.buffer].name) is never written", .output(number))
    }
  }

  /// Checks that `whole` is as many equal parts as `parts` says, each like `part`.
  private mutating func checkParts(
    _ whole: Int, _ part: Int, _ parts: Parts, rounds: Int, isWritten: Bool
  ) throws(Issue) {
    let (array, one) =
      isWritten
      ? (try destination(whole), try source(part)) : (try source(whole), try destination(part))
    guard whole != part else { throw issue(.index, "%\(array.name) is a part of itself") }
    guard array.element == one.element else {
      throw issue(.type, "parts of \(array.element) are \(one.element)")
    }
    var shape = one.shape
    guard shape.indices.contains(parts.axis), (1...ProgramLimits.bufferElements).contains(parts.count) else {
      throw issue(.size, "'parts': \(parts.count) along axis \(parts.axis) of \(array.shape)")
    }
    shape[parts.axis] *= parts.count
    guard shape == array.shape else {
      throw issue(
        .size, "'parts': \(parts.count) of \(one.shape) along axis \(parts.axis) do not make \(array.shape)")
    }
    let isEnough = isWritten ? rounds == parts.count : rounds <= parts.count
    guard isEnough else {
      let rule = isWritten ? ", which all must be written" : ""
      throw issue(.round, "'count' of the loop: \(rounds) rounds, but \(parts.count) parts\(rule)")
    }
  }

  private mutating func checkDigital(_ op: DigitalOperator, _ inputs: [Int], _ output: Int) throws(Issue) {
    guard inputs.count <= ProgramLimits.arguments else {
      throw issue(.limit, "\(inputs.count) arguments, limit \(ProgramLimits.arguments)")
    }
    var arguments: [Buffer] = []
    for input in inputs { arguments.append(try source(input)) }
    let result = try destination(output)
    if let reason = op.mismatch(arguments: arguments, result: result) { throw issue(.digital, reason) }
  }
}

extension OutputLayout {
  /// Why `register` cannot be stored into `destination` in this way; nil where it can.
  fileprivate func problem(storing register: Buffer, into destination: Buffer) -> String? {
    let range = 1...ProgramLimits.bufferElements
    guard range.contains(channels) else { return "'channels': \(channels), expected 1 or more" }
    guard range.contains(positions) else { return "'positions': \(positions), expected 1 or more" }
    guard 0...channels ~= channelStart, register.count <= channels - channelStart else {
      return
        "'start': \(register.count) elements from channel \(channelStart) on leave the \(channels) channels"
    }
    guard destination.count % channels == 0 else {
      return
        "'channels': \(channels) channels do not divide the \(destination.count) elements of %\(destination.name)"
    }
    guard destination.count % (channels * positions) == 0 else {
      return
        "'positions': \(positions) positions of \(channels) channels do not divide the \(destination.count) elements of "
        + "%\(destination.name)"
    }
    return nil
  }
}
