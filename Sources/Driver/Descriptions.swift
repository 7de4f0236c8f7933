import CodeGen
import Report
import Hardware
import IR
import Passes
import Support

/// What `xbarc schemes` prints: all schemes in a line each, or one with the reason of every step.
func describeSchemes(_ name: String?) throws(Diagnostic) -> String {
  guard let name else {
    var table = TextTable([.init("scheme", .left), .init("target", .left), .init("what it is", .left)])
    for scheme in schemes { table.add([scheme.name, scheme.target, scheme.summary]) }
    return table.plain + "\n'xbarc schemes NAME' lists the passes of one.\n"
  }
  let found = try scheme(named: name)
  var table = TextTable([.init("pass", .left), .init("rationale", .left)])
  for step in found.steps { table.add([step.text, step.reason]) }
  let pipeline = found.steps.map(\.text).joined(separator: ", ")
  return
    "\(found.name): \(found.summary)\ntarget: \(found.target)\n\n\(table.plain)\n--pipeline '\(pipeline)'\n"
}

/// What `xbarc passes` prints: all passes in a line each, or one with its options.
func describePasses(_ name: String?) throws(Diagnostic) -> String {
  guard let name else {
    var table = TextTable([.init("pass", .left), .init("level", .left), .init("afterwards", .left)])
    for pass in PassRegistry.standard.entries { table.add([pass.name, levels(pass), pass.summary]) }
    return table.plain + "\n'xbarc passes NAME' explains the options of one.\n"
  }
  let pass = try PassRegistry.standard.entry(named: name)
  func list(_ facts: Set<Fact>) -> String {
    facts.isEmpty ? "nothing" : facts.sorted().map(\.rawValue).joined(separator: ", ")
  }
  let invalidated = pass.invalidates.isEmpty ? "" : "invalidates  \(list(pass.invalidates))\n  "
  let head = """
    \(pass.name): \(pass.summary)
      level        \(levels(pass))
      requires     \(list(pass.requires))
      \(invalidated)establishes  \(list(pass.establishes))
      numbers      \(pass.guarantee.text)

    """
  guard !pass.options.isEmpty else { return head + "  options      none\n" }
  var table = TextTable([
    .init("option", .left), .init("value", .left), .init("default", .left), .init("what it does", .left),
  ])
  for option in pass.options {
    table.add([option.name, option.kind.name, option.fallback.description, option.summary])
  }
  return head + "\n" + table.plain
}

private func levels(_ pass: PassEntry) -> String {
  pass.from == pass.to ? pass.from.rawValue : "\(pass.from.rawValue) -> \(pass.to.rawValue)"
}

/// What `xbarc targets` prints: all machines in a line each, or one with every figure and its source.
func describeTargets(_ name: String?) throws(Diagnostic) -> String {
  guard let name else {
    var table = TextTable([
      .init("target", .left), .init("crossbar"), .init("unit"), .init("cell"), .init("dac"), .init("adc"),
      .init("cycle"), .init("what it is", .left),
    ])
    for name in Machine.targetNames {
      let machine = try Machine.target(named: name)
      let a = machine.array
      table.add([
        name, "\(a.rows)x\(a.columns)", "\(a.unitHeight)x\(a.unitWidth)", "\(a.cellBits) bit",
        "\(a.dacBits) bit",
        "\(a.adcBits) bit", timeText(nanoseconds: machine.timing.cycleNanoseconds), machine.summary,
      ])
    }
    return table.plain + "\n'xbarc targets NAME' prints every figure of one with its source.\n"
  }
  return try describeTarget(name)
}

private func describeTarget(_ name: String) throws(Diagnostic) -> String {
  let file = try Machine.targetFile(named: name)
  var table = TextTable([.init("figure", .left), .init("value"), .init("source", .left)])
  for number in file.numbers {
    table.add([number.path, numberText(number.value), number.source ?? "none given"])
  }
  return "\(name): \(file.machine.summary)\n\n\(table.plain)"
}

private func numberText(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
}
