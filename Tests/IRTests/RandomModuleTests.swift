import IR
import Mapping
import Support
import Tensors
import Testing

/// Random modules print to texts that parse to the same module, and verify.
@Suite struct RandomModuleTests {
  @Test func tensorModules() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<300 {
      let module = random.tensorModule()
      #expect(verify(module) == [])
      expectRoundTrip(module)
      #expect(module.compacted().text == module.compacted().compacted().text)
    }
  }

  @Test func crossbarModules() {
    var random = SeededGenerator(seed: 6)
    for _ in 0..<300 {
      let module = random.crossbarModule()
      #expect(verify(module) == [])
      expectRoundTrip(module)
    }
  }

  @Test func layersAreReadAsTheyWereSpelled() {
    var random = SeededGenerator(seed: 7)
    for number in 0..<500 {
      let layer = random.layer("l", sliced: number % 3 > 0)
      var module = Module<CrossbarLevel>(name: "m")
      let id = module.append(module.encode(layer, origin: nil))
      #expect(module.layer(id) == layer)
      // Once more after a replacement, which must not leave constants behind.
      let resources = module.resources
      module.replaceLayers([(id, layer)])
      #expect(module.layer(id) == layer)
      #expect(module.resources == resources)
    }
  }

  @Test func aWrongCellIsFound() {
    var random = SeededGenerator(seed: 8)
    var found = 0
    for _ in 0..<200 {
      var layer = random.layer("l", sliced: true)
      guard let at = layer.blocks.indices.first else { continue }
      let cell = random.below(layer.blocks[at].cells.count)
      layer.blocks[at].cells[cell] ^= 1
      var module = Module<CrossbarLevel>(name: "m", facts: [.sliced])
      module.append(module.encode(layer, origin: nil))
      #expect(verify(module).map(\.id) == ["verify.decode"])
      #expect(verify(layer, facts: [.sliced], machine: nil)?.id == "verify.decode")
      #expect(verify(layer, facts: [.sliced], machine: nil, decoded: false) == nil)
      layer.blocks[at].cells[cell] ^= 1
      #expect(verify(layer, facts: [.sliced], machine: nil) == nil)
      layer.stage = nil
      #expect(verify(layer, facts: [.sliced, .scheduled], machine: nil)?.id == "verify.scheduled")
      found += 1
    }
    #expect(found > 50)
  }
}
