public import Report
import Hardware
import IR
import Mapping
public import Passes
import Support
import Tensors

/// What a compilation made of one layer, or of all.
public struct LayerRecord: Equatable, Sendable {
  /// The layer, or `total`.
  public var name: String
  /// The stage in which the layer runs, the same for the groups of one convolution; nil in sums.
  public var stage: Int?
  /// Rows of the weight matrix; the sum of all in the total.
  public var rows: Int
  /// Columns of the weight matrix.
  public var columns: Int
  /// Weights.
  public var weights: Int
  /// Weights other than 0 after quantization.
  public var nonzeroWeights: Int
  /// The segment that the layer belongs to; 0 in the total.
  public var segment = 0
  /// Crossbars that hold a block of the layer.
  public var crossbars: Int
  /// Blocks.
  public var blocks: Int
  /// Cells inside blocks.
  public var cellsUsed: Int
  /// Cells of these crossbars.
  public var cellsProvisioned: Int
  /// Entries of index tables; those of sparsity masks are bits.
  public var indexEntries: Int
  /// Bits of index tables, or of sparsity masks.
  public var indexBits: Int
  /// Bits of the tables of wordline shifts: one for each group of planes that share their wordlines and outputs, with
  /// as many bits for each wordline as its largest shift needs.
  public var shiftBits: Int
  /// How full the bit planes are and what freeing them costs; nil where the layer was not squeezed.
  public var planes: PlaneStatistics?
  /// The root of the squared errors that quantization made in the weights, relative to that of the squared weights; nil
  /// where it is not known.
  public var quantizationError: Double?
  /// The root of the squared errors that squeezing made in the weights, relative to that of the squared weights.
  public var squeezeError = 0.0
  /// How full the crossbars are.
  public var utilization = Utilization()
  /// What the index tables would need under other codings; empty where there are none.
  public var indexStorage: [IndexStorage] = []
}

/// A line of a table of layers.
public struct LayerLine: Sendable {
  /// The size of the weight matrix, `25x6`; that of each group of a convolution, `64 of 9x1`.
  public let matrix: String
  /// The layer, or the sum of all groups.
  public let record: LayerRecord
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
  /// Silicon area of the crossbars that are needed at the same time with what belongs to them, in square micrometers.
  public var area: Double

  /// The sum over all layers.
  public var total: LayerRecord { LayerRecord(sumOf: layers[...], name: "total") }
}

extension LayerRecord {
  /// Every count, in the order of the report.
  fileprivate static var counters: [WritableKeyPath<LayerRecord, Int>] {
    [
      \.rows, \.columns, \.weights, \.nonzeroWeights, \.crossbars, \.blocks, \.cellsUsed, \.cellsProvisioned,
      \.indexEntries, \.indexBits, \.shiftBits,
    ]
  }

  /// The sum of `layers`.
  init(sumOf layers: ArraySlice<LayerRecord>, name: String) {
    self.init(
      name: name, rows: 0, columns: 0, weights: 0, nonzeroWeights: 0, crossbars: 0, blocks: 0, cellsUsed: 0,
      cellsProvisioned: 0, indexEntries: 0, indexBits: 0, shiftBits: 0)
    for layer in layers {
      for path in LayerRecord.counters { self[keyPath: path] += layer[keyPath: path] }
      utilization.add(layer.utilization)
    }
    indexStorage = IndexStorage.sum(layers.map(\.indexStorage))
  }

  /// Collects the record of a placed layer.
  init(_ layer: Layer, machine: Machine) {
    let crossbars = Set(layer.blocks.compactMap(\.placement?.crossbar)).count
    self.init(
      name: layer.name, rows: layer.rows, columns: layer.columns, weights: layer.rows * layer.columns,
      nonzeroWeights: layer.weights?.nonzeroCount ?? 0, crossbars: crossbars,
      blocks: layer.blocks.count,
      cellsUsed: layer.blocks.reduce(0) { $0 + $1.rows.count * $1.columns.count },
      cellsProvisioned: crossbars * machine.array.rows * machine.array.columns,
      indexEntries: layer.indexEntries, indexBits: layer.indexBits, shiftBits: layer.shiftBits)
    (stage, segment) = (layer.stage, layer.segment)
    utilization = Utilization(layer, machine.array)
  }

  fileprivate var json: JSON {
    [
      "name": .string(name), "rows": .integer(rows), "columns": .integer(columns),
      "weights": .integer(weights),
      "nonzeroWeights": .integer(nonzeroWeights), "segment": .integer(segment),
      "crossbars": .integer(crossbars),
      "blocks": .integer(blocks),
      "cellsUsed": .integer(cellsUsed), "cellsProvisioned": .integer(cellsProvisioned),
      "indexEntries": .integer(indexEntries), "indexBits": .integer(indexBits),
      "utilization": [
        "mapped": .array(utilization.mapped.map { .integer($0) }),
        "occupied": .array(utilization.occupied.map { .integer($0) }),
      ],
      "indexStorage": .array(indexStorage.map(storageJSON)), "shiftBits": .integer(shiftBits),
      "planes": planes.map(planesJSON) ?? .null, "squeezeError": .double(squeezeError),
      "quantizationError": quantizationError.map { .double($0) } ?? .null,
    ]
  }
}

private func planesJSON(_ planes: PlaneStatistics) -> JSON {
  [
    "occupiedRows": .array(planes.occupiedRows.map { .double($0) }),
    "squeezes": .array(
      planes.squeezes.map { squeeze in
        [
          "freed": .integer(squeeze.freed), "crossbars": .integer(squeeze.crossbars),
          "largestShift": .integer(squeeze.largestShift), "shiftBits": .integer(squeeze.shiftBits),
          "error": .double(squeeze.error),
        ]
      }),
  ]
}

extension Layer {
  /// Bits of the tables of wordline shifts.
  fileprivate var shiftBits: Int {
    struct Group: Hashable {
      let rows: [RowEntry]
      let outputs: [Int]
    }
    guard blocks.contains(where: { block in block.rows.contains { $0.shift != 0 } }) else { return 0 }
    let groups = Set(blocks.map { Group(rows: $0.rows, outputs: $0.columns.map(\.output)) })
    return groups.reduce(0) { $0 + $1.rows.count * bitWidth(of: $1.rows.map(\.shift).max() ?? 0) }
  }
}

private func storageJSON(_ storage: IndexStorage) -> JSON {
  ["coding": .string(storage.coding), "entries": .integer(storage.entries), "bits": .integer(storage.bits)]
}

extension [LayerRecord] {
  /// The crossbars of each segment.
  var crossbarsOfSegments: [Int] {
    var sums = [Int](repeating: 0, count: (map(\.segment).max() ?? -1) + 1)
    for layer in self { sums[layer.segment] += layer.crossbars }
    return sums
  }
}

extension CompileRecord {
  /// The report as JSON; `version` counts incompatible changes of its form.
  public var json: JSON {
    [
      "version": 1, "kind": "compile", "network": .string(network), "scheme": .string(scheme),
      "machine": .string(machine), "pipeline": .array(pipeline.map { .string($0) }),
      "layers": .array(layers.map(\.json)), "total": total.json, "programBytes": .integer(programBytes),
      "areaSquareMicrometers": .double(area),
      "crossbarsOfSegments": .array(layers.crossbarsOfSegments.map { .integer($0) }),
    ]
  }

  /// The lines of tables: the layers, with the groups of a convolution as one.
  public var lines: [LayerLine] {
    layerGroups(layers.map(\.name)) { layers[$0].stage != nil && layers[$0].stage == layers[$0 - 1].stage }
      .map { group in
        let (first, count) = (layers[group.members.lowerBound], group.members.count)
        let matrix = "\(first.rows)x\(first.columns)"
        if count == 1 { return LayerLine(matrix: matrix, record: first) }
        var sum = LayerRecord(sumOf: layers[group.members], name: group.name)
        sum.segment = first.segment
        return LayerLine(matrix: "\(count) of \(matrix)", record: sum)
      }
  }

  /// The layers and their sum as a table.
  public var table: TextTable {
    let hasSegments = layers.crossbarsOfSegments.count > 1
    var table = TextTable(
      [
        .init("layer", .left), .init("matrix"), .init("weights"), .init("non-zero"), .init("crossbars"),
        .init("blocks"), .init("cells used"), .init("use"),
      ] + (hasSegments ? [.init("segment")] : []))
    func row(_ r: LayerRecord, _ matrix: String) -> [String] {
      let use = r.cellsProvisioned == 0 ? 0 : Double(r.cellsUsed) / Double(r.cellsProvisioned)
      return [
        r.name, matrix, grouped(r.weights), grouped(r.nonzeroWeights), grouped(r.crossbars),
        grouped(r.blocks),
        grouped(r.cellsUsed), percentage(use),
      ]
    }
    for line in lines {
      table.add(row(line.record, line.matrix) + (hasSegments ? ["\(line.record.segment)"] : []))
    }
    table.add(total: row(total, "") + (hasSegments ? [""] : []))
    return table
  }

  /// How many segments are written in turn, and how large they are; nil for a program of one segment.
  public var segmentText: String? {
    let sizes = layers.crossbarsOfSegments
    guard sizes.count > 1, let largest = sizes.max() else { return nil }
    return
      "\(grouped(sizes.count)) segments are written and executed in turn, of at most \(grouped(largest)) crossbars\n"
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
    for line in lines { table.add(row(line.record)) }
    table.add(total: row(total))
    return table
  }

  /// How full the bit planes are, layer by layer, the highest first, and the errors of the weights; nil where no layer
  /// was squeezed.
  public var planeTable: TextTable? {
    let squeezed = layers.compactMap { layer in layer.planes.map { (layer, $0) } }
    guard let count = squeezed.map({ $0.1.occupiedRows.count }).max() else { return nil }
    var table = TextTable(
      [.init("rows in use", .left)] + (0..<count).reversed().map { .init("plane \($0)") }
        + [.init("crossbars"), .init("shift bits"), .init("quantized"), .init("squeezed")])
    for (layer, planes) in squeezed {
      let shares = (0..<count).reversed().map { plane in
        plane < planes.occupiedRows.count ? percentage(planes.occupiedRows[plane]) : "-"
      }
      table.add(
        [layer.name] + shares + [
          "\(grouped(layer.crossbars)) of \(grouped(planes.squeezes.first?.crossbars ?? 0))",
          grouped(layer.shiftBits),
          layer.quantizationError.map { percentage($0) } ?? "-", percentage(layer.squeezeError),
        ])
    }
    return table
  }

  /// The report in words: what `xbarc compile` prints.
  public var text: String {
    """
    \(network): scheme \(scheme) on machine \(machine)
    \(table.plain)\([indexTable, planeTable].compactMap { $0 }.map { "\n\($0.plain)" }.joined())\(segmentText.map { "\n\($0)" } ?? "")
    program: \(grouped(programBytes)) bytes

    """
  }
}
