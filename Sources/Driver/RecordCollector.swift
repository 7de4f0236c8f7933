import Hardware
import Mapping
import Passes
import Support
import Tensors

/// Collects the records of layers on the way: what only the layer before a certain pass can tell.
struct RecordCollector {
  private let machine: Machine
  private var storage: [String: [IndexStorage]] = [:]
  private var planes: [String: PlaneStatistics] = [:]
  /// The weights before they were squeezed.
  private var weights: [String: Tensor] = [:]
  /// One record for each layer, complete once the layer is made.
  private(set) var records: [LayerRecord] = []

  init(machine: Machine) { self.machine = machine }

  /// Takes what a pass tells of a layer before it runs on it.
  mutating func inspect(_ seen: LayerObservation, of layer: String) {
    switch seen {
    case .planes(let statistics, let matrix):
      planes[layer] = statistics
      weights[layer] = matrix
    case .indexStorage(let tables): storage[layer] = tables
    }
  }

  /// Takes the record of a layer that is about to be emitted.
  mutating func add(_ layer: Layer) { records.append(record(of: layer)) }

  /// Notes what is decided after the last layer.
  mutating func assign(_ plan: NetworkPlan) {
    for index in records.indices {
      let name = records[index].name
      records[index].stage = plan.stages[name] ?? records[index].stage
      records[index].segment = plan.segments[name] ?? records[index].segment
    }
  }

  private func record(of layer: Layer) -> LayerRecord {
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
