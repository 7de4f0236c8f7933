import Hardware
import Mapping
import Support
import Tensors

/// A program as text for people: sections with their sizes, the machine, a table of layers, buffers and code.
///
/// The program must be valid.
public func list(_ program: Program) -> String {
  var lines = ["program \(program.name)", ""]
  lines += listSections(program)
  lines += listMachine(program.machine)
  lines += listPorts(program)
  lines += listLayers(program)
  lines += ["", "code"] + listCode(program)
  if !program.info.isEmpty { lines += ["", "info"] + program.info.map { "  \($0.key): \($0.text)" } }
  return lines.map { $0 + "\n" }.joined()
}

private func listSections(_ program: Program) -> [String] {
  let rows = encodeSections(program).map { [$0.kind.name, "\($0.bytes.count)"] }
  return alignedRows([["section", "bytes"]] + rows, leftColumns: 1)
}

private func listMachine(_ machine: Machine) -> [String] {
  let array = machine.array
  return [
    "", "machine \(machine.name): \(machine.summary)",
    "  crossbar \(array.rows)x\(array.columns), \(array.cellBits)-bit cells, units "
      + "\(array.unitHeight)x\(array.unitWidth), \(array.dacBits)-bit DAC, \(array.adcBits)-bit ADC",
    "  \(machine.hierarchy.crossbarsPerComputeUnit) crossbars per compute unit, "
      + "\(machine.hierarchy.computeUnitsPerTile) compute units per tile, "
      + "\(machine.timing.cycleNanoseconds) ns per cycle",
  ] + (machine.memory.map { ["  \($0)"] } ?? []) + (machine.writing.map { ["  \($0)"] } ?? [])
}

private func listPorts(_ program: Program) -> [String] {
  func line(_ what: String, _ port: Port) -> String {
    "  \(what) \(port.name): \(program.bufferText(port.buffer))"
  }
  let buffers = program.buffers.indices.map { "  %\($0) \(program.bufferText($0))" }
  return ["", "ports"] + program.inputs.map { line("input", $0) } + program.outputs.map { line("output", $0) }
    + ["", "buffers"] + buffers
}

/// Cells, blocks and converters of each layer, and of all.
private func listLayers(_ program: Program) -> [String] {
  let head = [
    "layer", "rows", "columns", "blocks", "crossbars", "cells used", "cells provisioned", "adc", "composed",
    "units",
  ]
  let hasSegments = program.segments > 1
  var rows = [head + (hasSegments ? ["segment"] : [])]
  let perCrossbar = program.machine.array.rows * program.machine.array.columns
  var everything: Set<Int> = []
  var allUsed = 0
  for layer in program.layers {
    let blocks = layer.blocks
    let crossbars = Set(blocks.map(\.crossbar))
    let used = blocks.reduce(0) { $0 + $1.rows.count * $1.columns.count }
    everything.formUnion(crossbars)
    allUsed += used
    var units: [String] = []
    for block in blocks where !units.contains(block.formedUnits.description) {
      units.append(block.formedUnits.description)
    }
    rows.append(
      [layer.name] + [layer.rows, layer.columns, blocks.count, crossbars.count, used].map { "\($0)" }
        + [
          "\(crossbars.count * perCrossbar)", "\(layer.adcBits)", "\(layer.bitlinesPerConversion)",
          units.joined(separator: " "),
        ] + (hasSegments ? ["\(layer.segment)"] : []))
  }
  rows.append(
    [
      "total", "", "", "\(program.layers.reduce(0) { $0 + $1.blocks.count })", "\(everything.count)",
      "\(allUsed)",
    ]
      + ["\(everything.count * perCrossbar)", "", "", ""])
  return [""] + alignedRows(rows, leftColumns: 1)
}

private func listCode(_ program: Program) -> [String] {
  var lines: [String] = []
  func walk(_ body: [Instruction], _ indent: String) {
    for instruction in body {
      let note = instruction.origin.map { "  # \($0)" } ?? ""
      if case .loop(let count, let inner) = instruction.operation {
        lines.append("\(indent)repeat \(count)\(note)")
        walk(inner, indent + "  ")
      } else {
        lines.append("\(indent)\(program.text(of: instruction.operation))\(note)")
      }
    }
  }
  walk(program.code, "  ")
  return lines
}

extension Program {
  fileprivate func bufferText(_ index: Int) -> String {
    guard buffers.indices.contains(index) else { return "?" }
    let shape = buffers[index].shape.map { "\($0)" }.joined(separator: "x")
    return "\(buffers[index].name) \(shape.isEmpty ? "" : "\(shape)x")\(buffers[index].element)"
  }

  private func name(_ buffer: Int) -> String { buffers.indices.contains(buffer) ? buffers[buffer].name : "?" }

  private func layerName(_ layer: Int) -> String { layers.indices.contains(layer) ? layers[layer].name : "?" }

  fileprivate func text(of operation: Operation) -> String {
    switch operation {
    case .loop(let count, _): return "repeat \(count)"
    case .load(let register, let source, let window, let padding):
      let size = "\(window.channelCount)x\(window.kernelHeight)x\(window.kernelWidth)"
      return
        "load \(name(register)) <- \(name(source)) window \(size) of \(window.positions), padding \(padding)"
    case .drive(let register, let layer): return "drive \(layerName(layer)) <- \(name(register))"
    case .convert(let layer): return "convert \(layerName(layer))"
    case .accumulate(let register, let layer): return "accumulate \(name(register)) <- \(layerName(layer))"
    case .store(let destination, let register, let place):
      return "store \(name(destination)) <- \(name(register)) from channel \(place.channelStart) of "
        + "\(place.channels)x\(place.positions)"
    case .scanSlice(let register, let source, let parts):
      return "scan-slice \(name(register)) <- \(name(source)), \(parts)"
    case .scanOutput(let destination, let register, let parts):
      return "scan-output \(name(destination)) <- \(name(register)), \(parts)"
    case .digital(let op, let inputs, let output):
      return "\(op.name) \(name(output)) <- \(inputs.map { name($0) }.joined(separator: ", "))"
    }
  }
}

extension Parts: CustomStringConvertible {
  /// Such as `28 parts of axis 0 reversed`.
  public var description: String { "\(count) parts of axis \(axis)\(isReversed ? " reversed" : "")" }
}

/// Rows with columns of equal width, the first `leftColumns` aligned left.
private func alignedRows(_ rows: [[String]], leftColumns: Int) -> [String] {
  let count = rows.map(\.count).max() ?? 0
  let widths = (0..<count).map { k in rows.map { k < $0.count ? $0[k].count : 0 }.max() ?? 0 }
  return rows.map { row in
    var line = ""
    for (k, cell) in row.enumerated() {
      let gap = String(repeating: " ", count: widths[k] - cell.count)
      line += k < leftColumns ? "  \(cell)\(gap)" : "  \(gap)\(cell)"
    }
    return String(line.reversed().drop { $0 == " " }.reversed())
  }
}
