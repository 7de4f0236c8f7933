import Hardware
import Support

/// `machine sre` for a built-in target as it is, its name and what differs from it for one that was changed, and every
/// figure for other machines.
func machineText(_ machine: Machine, indent: String) -> String {
  let head: String
  let figures: [MachineFigure]
  if let known = try? Machine.target(named: machine.name), machine.isVariant(of: known) {
    head = "machine \(machine.name)"
    let base = Set(known.figures)
    figures = machine.figures.filter { !base.contains($0) }
  } else {
    head = "machine \(quote(machine.name)) \(quote(machine.summary))"
    figures = machine.figures
  }
  if figures.isEmpty { return head }
  let parts = figures.map { figure in
    let isWhole = Machine.isWhole(figure.path) ?? false
    return ("\(figure.path): \(isWhole ? "\(Int(figure.value))" : "\(figure.value)")", false)
  }
  return wrapped("\(head) ", open: "{", parts, close: "}", indent: indent)
}

extension Machine {
  /// Whether the machine is `other` but for figures: it has all those that `other` has.
  fileprivate func isVariant(of other: Machine) -> Bool {
    summary == other.summary
      && Set(figures.map(\.path)).isSuperset(of: other.figures.map(\.path))
  }
}

extension TokenStream {
  /// What `machineText` prints.
  mutating func takeMachine() throws(Diagnostic) -> Machine {
    _ = try take()
    let token = current
    do throws(Diagnostic) {
      if token.kind == .word {
        let base = try Machine.target(named: try take().text)
        let figures = isSign("{") ? try takeFigures() : []
        return try machine(base.name, base.summary, figures, base)
      }
      let name = try take(.string, "the name of a target").text
      let summary = try take(.string, "what the target stands for").text
      return try machine(name, summary, try takeFigures(), nil)
    } catch {
      guard error.location == .none else { throw error }
      throw Diagnostic(error.id, error.message, at: Location(.text(token.position)), notes: error.notes)
    }
  }

  private typealias PlacedFigure = (figure: MachineFigure, position: TextPosition)

  /// The machine with `figures`; what is wrong with one is said at its place.
  private func machine(_ name: String, _ summary: String, _ figures: [PlacedFigure], _ base: Machine?)
    throws(Diagnostic) -> Machine
  {
    do throws(Diagnostic) {
      return try Machine(name: name, summary: summary, figures: figures.map(\.figure), base: base)
    } catch {
      let place = figures.last {
        error.message.contains("'\($0.figure.path)'") || error.message.hasPrefix("\($0.figure.path) ")
      }
      guard let place else { throw error }
      throw Diagnostic(
        error.id, error.message, at: Location(.text(place.position)), notes: error.notes)
    }
  }

  /// `{array.rows: 128, ...}`.
  private mutating func takeFigures() throws(Diagnostic) -> [PlacedFigure] {
    var figures: [PlacedFigure] = []
    try expect("{")
    while !isSign("}") {
      let path = try take(.word, "a figure such as array.rows")
      try expect(":")
      if Machine.isWhole(path.text) == true, current.kind != .int { throw unexpected("a whole number") }
      figures.append((MachineFigure(path: path.text, value: try takeDouble()), path.position))
      guard try skip(",") else { break }
    }
    try expect("}")
    return figures
  }

  private mutating func takeDouble() throws(Diagnostic) -> Double {
    guard current.kind == .float || current.kind == .int, let value = Double(current.text), value.isFinite
    else {
      throw unexpected("a number")
    }
    _ = try take()
    return value
  }
}
