import Report

/// The record of a compilation as a page: settings, layers, and where crossbars go.
func compilePage(_ record: CompileRecord) -> String {
  var page = Page(title: "\(record.network): \(record.scheme) on \(record.machine)")
  page.add(
    .facts(
      [
        Page.Fact("network", record.network), Page.Fact("scheme", record.scheme),
        Page.Fact("machine", record.machine), Page.Fact("program", "\(grouped(record.programBytes)) bytes"),
        Page.Fact("crossbars", grouped(record.total.crossbars)),
      ]
        + (record.layers.crossbarsOfSegments.count > 1
          ? [
            Page.Fact(
              "segments",
              record.layers.crossbarsOfSegments.map { grouped($0) }.joined(separator: ", ") + " crossbars")
          ] : [])))
  page.add(.heading("Layers"))
  page.add(.table(record.table))
  if let indices = record.indexTable {
    page.add(.heading("Index tables"))
    page.add(.table(indices))
  }
  page.add(
    .bars(
      BarChart(
        title: "Crossbars by layer",
        bars: record.lines.map {
          .init($0.record.name, Double($0.record.crossbars), grouped($0.record.crossbars))
        })))
  page.add(
    .bars(
      BarChart(
        title: "Cells in use, of those provisioned",
        bars: record.lines.map(\.record).map { layer in
          let share = Double(layer.cellsUsed) / Double(max(1, layer.cellsProvisioned))
          return .init(layer.name, share, percentage(share))
        })))
  page.add(histogram("Crossbars by the share of cells in blocks", record.total.utilization.mapped))
  page.add(histogram("Crossbars by the share of cells above level 0", record.total.utilization.occupied))
  page.add(.heading("Passes"))
  var passes = TextTable([.init("pass", .left)])
  for pass in record.pipeline { passes.add([pass]) }
  page.add(.table(passes))
  return page.html
}

/// Crossbars counted in tenths of use.
private func histogram(_ title: String, _ bins: [Int]) -> Page.Part {
  .bars(
    BarChart(
      title: title,
      bars: bins.enumerated().map { .init("up to \(10 * ($0 + 1)) %", Double($1), grouped($1)) }))
}
