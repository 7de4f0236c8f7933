/// The effective conductances of a crossbar with IR drop, row-major in siemens, without solving the whole crossbar.
///
/// The parameters and the meaning of the result are those of `effectiveConductances(_:rows:columns:wires:)`. Two terms
/// are added for each cell:
///
/// 1. `g a b`: the part `a` of the drive that reaches the cell along its wordline while all bitlines are at 0 V, and
/// the
///    part `b` of the cell's current that reaches the end of its bitline while all wordlines are at 0 V. Both are exact
///    ladders. Where only wordlines, or only bitlines, have resistance, this term is all there is.
/// 2. What the two do together: the current of wordline `i` lifts bitlines, these drive current backwards through the
/// cells
///    of other wordlines, and it comes out of bitline `j`. In the first order that is the wordline's drop of voltage up to
///    the cell times the bitline's, times a smooth factor. The factor is fitted, at every call, to the exact solution of the
///    crossbar drawn together to at most 32x32 blocks, and interpolated between the centers of the blocks.
///
/// Arrays of up to 32x32 cells come out as from the exact solution, open cells excepted. For errors of larger ones see
/// `docs/wires.md`; they grow with the part of the current lost to IR drop and with the difference of neighboring
/// lines.
///
/// Takes time `rows * columns`, and a millisecond for the blocks.
public func approximateConductances(_ g: [Double], rows: Int, columns: Int, wires: Wires) -> [Double] {
  approximate(g, rows: rows, columns: columns, wires: wires, exponent: WireBlocks.fittedExponent)
}

/// `approximateConductances(_:rows:columns:wires:)` with another exponent than the fitted one.
func approximate(_ g: [Double], rows: Int, columns: Int, wires: Wires, exponent: Double) -> [Double] {
  precondition(g.count == rows * columns, "conductances differ from rows times columns")
  guard !wires.isIdeal && g.contains(where: { $0 > 0 }) else { return g }
  let lines = WireSeparation(WireNetwork(g, rows: rows, columns: columns, wires: wires))
  let blocks = WireBlocks(g, rows: rows, columns: columns, wires: wires, exponent: exponent)
  let across = blocks.columns.neighbors
  var result = lines.products
  for (i, down) in blocks.rows.neighbors.enumerated() {
    // The factors between the two nearest rows of blocks, and then between their two nearest columns.
    let factors = (0..<blocks.columns.count).map { column in
      between(blocks.coupling(down.block, column), blocks.coupling(down.next, column), down.part)
    }
    for (j, place) in across.enumerated() {
      let factor = between(factors[place.block], factors[place.next], place.part)
      result[i * columns + j] += max(0, factor) * lines.drops[i * columns + j]
    }
  }
  return result
}

private func between(_ a: Double, _ b: Double, _ part: Double) -> Double { a + (b - a) * part }
