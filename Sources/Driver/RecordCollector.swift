import Hardware
import IR
import Passes
import Support
import Tensors

/// Collects the records of layers on the way: what only the module before a certain pass can tell.
struct RecordCollector {
  private let machine: Machine
  private var storage: [String: [IndexStorage]] = [:]
  private var planes: [String: PlaneStatistics] = [:]
  /// The weights before they were squeezed.
  private var weights: [String: Tensor] = [:]
  /// One record for each layer, complete once the module before `lower-to-program` was seen.
  private(set) var records: [LayerRecord] = []

  init(machine: Machine) { self.machine = machine }

  /// Takes what `module` tells before the pass called `name` runs.
  mutating func look(at module: Module<CrossbarLevel>, before name: String) {
    guard ["squeeze-bits", "encode-indices", "lower-to-program"].contains(name) else { return }
    for (_, layer) in module.layers { look(at: layer, before: name) }
  }

  /// Takes what a layer tells before the pass called `name` runs on it.
  mutating func look(at layer: LayerView, before name: String) {
    switch name {
    case "squeeze-bits":
      planes[layer.name] = PlaneStatistics(of: layer, machine: machine)
      weights[layer.name] = layer.weights
    case "encode-indices": storage[layer.name] = IndexStorage.table(of: layer)
    case "lower-to-program": records.append(record(of: layer))
    default: return
    }
  }

  /// Notes the segments of layers, which are known after the last one.
  mutating func assign(_ segments: [String: Int]) {
    for index in records.indices { records[index].segment = segments[records[index].name] ?? 0 }
  }

  private func record(of layer: LayerView) -> LayerRecord {
    var record = LayerRecord(layer, machine: machine)
    record.indexStorage = storage[layer.name] ?? []
    record.planes = planes[layer.name]
    if let before = weights[layer.name]?.integers, let after = layer.weights?.integers {
      record.squeezeError = relativeError(
        lost: zip(after, before).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) },
        size: before.reduce(0) { $0 + Double($1) * Double($1) })
    }
    return record
  }
}
