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
  /// One record for each layer, complete once the finished layers were seen.
  private(set) var records: [LayerRecord] = []

  init(machine: Machine) { self.machine = machine }

  /// Takes what `module` tells before the pass of `call` runs.
  mutating func look(at module: Module<CrossbarLevel>, before call: PassCall) {
    guard let observation = call.entry?.observation else { return }
    for (_, layer) in module.layers { look(at: layer, observation) }
  }

  /// Takes what a layer tells before the pass of `call` runs on it.
  mutating func look(at layer: LayerView, before call: PassCall) {
    if let observation = call.entry?.observation { look(at: layer, observation) }
  }

  /// Takes what `observation` asks for of a layer.
  mutating func look(at layer: LayerView, _ observation: LayerObservation) {
    switch observation {
    case .planes:
      planes[layer.name] = PlaneStatistics(of: layer, machine: machine)
      weights[layer.name] = layer.weights
    case .indexTables: storage[layer.name] = IndexStorage.table(of: layer)
    case .finished: records.append(record(of: layer))
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
