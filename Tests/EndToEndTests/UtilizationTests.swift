import Driver
import Mapping
import Testing

@Suite("Utilization of crossbars")
struct UtilizationTests {
  /// Every crossbar is counted once; compression fills crossbars, and what it leaves out held nothing.
  @Test func compressionFillsCrossbars() throws {
    let records = try ["dense", "sre"].map {
      try compile(request("lenet5-pruned90", "fashion-mnist", scheme: $0)).record
    }
    for record in records {
      for layer in record.layers {
        #expect(layer.utilization.mapped.reduce(0, +) == layer.crossbars)
        #expect(layer.utilization.occupied.reduce(0, +) == layer.crossbars)
      }
      #expect(record.total.utilization.mapped.reduce(0, +) == record.total.crossbars)
    }
    // All but the edges of the dense mapping lie in blocks, and hardly a cell of it is nonzero.
    #expect(records[0].total.utilization.mapped[9] > 150 && records[0].total.utilization.occupied[0] > 200)
    #expect(records[1].total.utilization.occupied[0] < records[1].total.crossbars / 2)
  }
}
