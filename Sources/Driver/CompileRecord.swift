public import CommandLineTools
import Hardware
import IR
public import Passes
import Support
import Tensors

/// What a compilation made of one layer, or of all.
public struct LayerRecord: Equatable, Sendable {
  /// The layer, or `total`.
  public var name: String
  /// Rows of the weight matrix; the sum of all in the total.
  public var rows: Int
  /// Columns of the weight matrix.
  public var columns: Int
  /// Weights.
  public var weights: Int
  /// Weights other than 0 after quantization.
  public var nonzeroWeights: Int
  /// Crossbars that hold a block of the layer.
  public var crossbars: Int
  /// Blocks.
  public var blocks: Int
  /// Cells inside blocks.
  public var cellsUsed: Int
  /// Cells of these crossbars.
  public var cellsProvisioned: Int
  /// Entries of index tables.
  public var indexEntries: Int
  /// Bits of index tables.
  public var indexBits: Int
  /// What the index tables would need under other codings; empty where there are none.
  public var indexStorage: [IndexStorage] = []
}

/// What a compilation did, for people and for scripts.
public struct CompileRecord: Sendable {
  /// The network.
  public var network: String
  /// The scheme, or `pipeline`.
  public var scheme: String
  /// The machine.
  public var machine: String
  /// The passes with their options.
  public var pipeline: [String]
  /// Layer by layer.
  public var layers: [LayerRecord]
  /// Bytes of the program.
  public var programBytes: Int
  /// Seconds of each pass.
  public var seconds: [(pass: String, seconds: Double)]

  /// The sum over all layers.
  public var total: LayerRecord {
    var sum = LayerRecord(
      name: "total", rows: 0, columns: 0, weights: 0, nonzeroWeights: 0, crossbars: 0, blocks: 0,
      cellsUsed: 0,
      cellsProvisioned: 0, indexEntries: 0, indexBits: 0)
    for layer in layers {
      for path in LayerRecord.counters { sum[keyPath: path] += layer[keyPath: path] }
    }
    sum.indexStorage = IndexStorage.sum(layers.map(\.indexStorage))
    return sum
  }
}

extension LayerRecord {
  /// Every count, in the order of the report.
  fileprivate static var counters: [WritableKeyPath<LayerRecord, Int>] {
    [
      \.rows, \.columns, \.weights, \.nonzeroWeights, \.crossbars, \.blocks, \.cellsUsed, \.cellsProvisioned,
      \.indexEntries, \.indexBits,
    ]
  }

  /// Collects the record of a placed layer.
  init(_ layer: LayerView, machine: Machine) {
    let crossbars = Set(layer.blocks.compactMap(\.crossbar)).count
    self.init(
      name: layer.name, rows: layer.rows, columns: layer.columns, weights: layer.rows * layer.columns,
      nonzeroWeights: layer.weights?.integers.reduce(0) { $0 + ($1 == 0 ? 0 : 1) } ?? 0, crossbars: crossbars,
      blocks: layer.blocks.count,
      cellsUsed: layer.blocks.reduce(0) { $0 + $1.rows.count * $1.columns.count },
      cellsProvisioned: crossbars * machine.array.rows * machine.array.columns,
      indexEntries: layer.blocks.reduce(0) { $0 + $1.indexEntries },
      indexBits: layer.blocks.reduce(0) { $0 + $1.indexBits })
  }

  fileprivate var json: JSON {
    [
      "name": .string(name), "rows": .integer(rows), "columns": .integer(columns),
      "weights": .integer(weights),
      "nonzeroWeights": .integer(nonzeroWeights), "crossbars": .integer(crossbars),
      "blocks": .integer(blocks),
      "cellsUsed": .integer(cellsUsed), "cellsProvisioned": .integer(cellsProvisioned),
      "indexEntries": .integer(indexEntries), "indexBits": .integer(indexBits),
      "indexStorage": .array(indexStorage.map(storageJSON)),
    ]
  }
}

private func storageJSON(_ storage: IndexStorage) -> JSON {
  ["coding": .string(storage.coding), "entries": .integer(storage.entries), "bits": .integer(storage.bits)]
}

extension CompileRecord {
  /// The report as JSON; `version` counts incompatible changes of its form.
  public var json: JSON {
    [
      "version": 1, "kind": "compile", "network": .string(network), "scheme": .string(scheme),
      "machine": .string(machine), "pipeline": .array(pipeline.map { .string($0) }),
      "layers": .array(layers.map(\.json)), "total": total.json, "programBytes": .integer(programBytes),
    ]
  }

  /// The layers and their sum as a table.
  public var table: TextTable {
    var table = TextTable([
      .init("layer", .left), .init("matrix"), .init("weights"), .init("non-zero"), .init("crossbars"),
      .init("blocks"), .init("cells used"), .init("use"),
    ])
    func row(_ r: LayerRecord, _ matrix: String) -> [String] {
      let use = r.cellsProvisioned == 0 ? 0 : Double(r.cellsUsed) / Double(r.cellsProvisioned)
      return [
        r.name, matrix, grouped(r.weights), grouped(r.nonzeroWeights), grouped(r.crossbars),
        grouped(r.blocks),
        grouped(r.cellsUsed), percentage(use),
      ]
    }
    for layer in layers { table.add(row(layer, "\(layer.rows)x\(layer.columns)")) }
    table.add(total: row(total, ""))
    return table
  }

  /// The bits of the index tables as they are and under other codings, layer by layer; nil where there are none.
  public var indexTable: TextTable? {
    let codings = total.indexStorage.map(\.coding)
    if codings.isEmpty { return nil }
    var table = TextTable(
      [.init("index bits", .left), .init("entries"), .init("as coded")] + codings.map { .init($0) })
    func row(_ r: LayerRecord) -> [String] {
      [r.name, grouped(r.indexEntries), grouped(r.indexBits)]
        + codings.map { coding in
          r.indexStorage.first { $0.coding == coding }.map { grouped($0.bits) } ?? "-"
        }
    }
    for layer in layers { table.add(row(layer)) }
    table.add(total: row(total))
    return table
  }

  /// The report in words: what `xbarc compile` prints.
  public var text: String {
    """
    \(network): scheme \(scheme) on machine \(machine)
    \(table.plain)\(indexTable.map { "\n\($0.plain)" } ?? "")
    program: \(grouped(programBytes)) bytes

    """
  }
}
