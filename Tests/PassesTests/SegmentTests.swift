import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

/// Networks that are too large for their machine, cut into segments.
@Suite("Schedules of segments")
struct SegmentTests {
  private static let front = "infer-shapes, calibrate, quantize, lower-to-crossbar, slice-bits, form-units"

  /// A machine with crossbars of 16x16 cells.
  private func machine(_ crossbars: Int) -> Machine {
    var machine = testMachine(rows: 16, columns: 16, unit: (8, 8))
    machine.hierarchy = Hierarchy(
      crossbarsPerComputeUnit: 1, computeUnitsPerTile: 1, tiles: crossbars)
    return machine
  }

  private func scheduled(_ net: Net, room: Int, _ capacity: String = "segments") throws -> Module<
    CrossbarLevel
  > {
    var module = net.module
    module.machine = machine(room)
    let pipeline = "\(Self.front), place-blocks, schedule(capacity: \(capacity))"
    return try run(pipeline, on: module).crossbarModule
  }

  /// A chain of products of the given widths; one of n inputs and m outputs takes ceil(n / 16) * ceil(8 m / 16)
  /// crossbars.
  private func chain(_ widths: [Int]) throws -> Net {
    var net = Net(seed: 3)
    var x = net.input([1, widths[0]])
    for (number, width) in widths.dropFirst().enumerated() {
      x = try net.gemm(try net.digital(.unary(.relu), x), width, name: "g\(number)")
    }
    net.output(x)
    return net
  }

  /// Products of 4, 2, 2, 4 and 1 crossbars on a machine of 6: 4 + 2, then 2 + 4, then 1.
  @Test func layersFollowEachOtherIntoSegments() throws {
    let net = try chain([16, 8, 4, 4, 8, 2])
    let module = try scheduled(net, room: 6)
    #expect(
      module.layers.map { Set($0.layer.blocks.compactMap(\.placement?.crossbar)).count } == [4, 2, 2, 4, 1])
    #expect(module.layers.map(\.layer.segment) == [0, 0, 1, 1, 2])
    #expect(module.text.contains("stage: 4, segment: 2\n") && !module.text.contains("segment: 0"))
  }

  /// What fits is what it was.
  @Test func aNetworkThatFitsHasOneSegment() throws {
    let net = try chain([16, 8, 4, 4, 8, 2])
    for room in [13, 14, 1000, 0] {
      #expect(try scheduled(net, room: room).text == (try scheduled(net, room: room, "refuse").text))
    }
    #expect(try scheduled(net, room: 12).layers.map(\.layer.segment) == [0, 0, 0, 0, 1])
  }

  @Test func aLayerThatAloneIsTooLargeIsRefusedByName() throws {
    do {
      _ = try scheduled(try chain([16, 8, 4, 4, 8, 2]), room: 3)
      Issue.record("the machine is too small")
    } catch let error as Diagnostic {
      #expect(error.id == "schedule.segment")
      #expect(error.message == "@g0 alone needs 4 crossbars, the machine test has 3")
      #expect(error.notes.contains { $0.contains("more tiles") })
    }
  }

  /// Groups of one convolution, as of a depthwise one, run together.
  @Test func groupsOfAConvolutionShareASegment() throws {
    var net = Net(seed: 4)
    let x = net.input([1, 4, 4, 4])
    let a = try net.conv(x, ConvGeometry(filters: 2, kernel: [1, 1]), name: "a")
    let b = try net.conv(a, ConvGeometry(filters: 4, groups: 2), name: "b")
    net.output(b)
    let wide = try scheduled(net, room: 3)
    #expect(wide.layers.map(\.layer.segment) == [0, 0, 0])
    let narrow = try scheduled(net, room: 2)
    #expect(narrow.layers.map(\.layer.segment) == [0, 1, 1])
    expectFailure("schedule.segment") { _ = try scheduled(net, room: 1) }
    do { _ = try scheduled(net, room: 1) } catch let error as Diagnostic {
      #expect(error.message == "@b.0, @b.1, which run together, need 2 crossbars, the machine test has 1")
    }
  }

  /// Random demands against the rules: no crossbar and no layer in two segments, each segment within the room, segments
  /// that do not go back, and no segment begun while its first group would have fitted the one before.
  @Test func randomNetworksKeepTheRules() throws {
    var random = SeededGenerator(seed: 12)
    var seen = (several: 0, refused: 0)
    for _ in 0..<120 {
      let widths = (0...random.inside(1...5)).map { _ in random.inside(1...40) }
      let net = try chain(widths)
      let all = try scheduled(net, room: 0)
      let sizes = all.layers.map { Set($0.layer.blocks.compactMap(\.placement?.crossbar)).count }
      let room = random.inside(1...max(1, sizes.reduce(0, +)))
      guard sizes.max() ?? 0 <= room else {
        seen.refused += 1
        expectFailure("schedule.segment") { _ = try scheduled(net, room: room) }
        continue
      }
      let segments = try scheduled(net, room: room).layers.map(\.layer.segment)
      var (expected, taken): ([Int], Int) = ([], 0)
      for size in sizes {
        if taken + size > room {
          (taken, expected) = (size, expected + [(expected.last ?? 0) + 1])
        } else {
          (taken, expected) = (taken + size, expected + [expected.last ?? 0])
        }
      }
      #expect(segments == expected, "\(sizes) in \(room)")
      if segments.last ?? 0 > 0 { seen.several += 1 }
    }
    #expect(seen.several > 20 && seen.refused > 10)
  }

  /// The verifier proves what the pass says, and refuses every change of it.
  @Test func theVerifierRefusesOtherSegments() throws {
    let module = try scheduled(try chain([16, 8, 4, 4, 8, 2]), room: 6)
    #expect(verify(module).isEmpty)
    let wrong = [
      [0, 0, 0, 1, 1], [0, 0, 1, 1, 3], [1, 1, 0, 0, 2], [0, 1, 0, 2, 3], [1, 1, 2, 2, 3], [0, 0, 1, 1, 1],
    ]
    for segments in wrong {
      var changed = module
      for (number, segment) in segments.enumerated() {
        var (id, layer) = changed.layers[number]
        layer.segment = segment
        changed.replaceLayers([(id: id, layer: layer)])
      }
      #expect(verify(changed).map(\.id) == ["verify.scheduled"], "\(segments)")
    }
  }
}
