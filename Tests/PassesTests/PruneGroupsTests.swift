import IR
import Mapping
import Passes
import Support
import Tensors
import Testing

@Suite("prune-groups")
struct PruneGroupsTests {
  private func prune(_ options: String, _ net: Net, _ counts: [Int]? = nil) throws -> Module<TensorLevel> {
    var context = PassContext()
    let result = try run("prune-groups(\(options))", on: AnyModule(net.module), in: &context).tensorModule
    #expect(context.counts.map(\.name) == ["filters-zeroed", "channels-zeroed", "shapes-zeroed"])
    if let counts { #expect(context.counts.map(\.value) == counts) }
    return result
  }

  /// The weights of the convolutions and products, in order.
  private func weights(_ module: Module<TensorLevel>) throws -> [Tensor] {
    let constants = Dictionary(
      uniqueKeysWithValues: module.bodyOps.filter { $0.opcode == .constant }.map { ($0.results[0], $0) })
    return try module.bodyOps.filter { $0.opcode == .conv || $0.opcode == .gemm }.map { op in
      let constant = try #require(constants[op.operands[1]])
      let shape = module.values[op.operands[1]].type.shape ?? []
      return try #require(module.tensor(constant["value"], element: .float32, shape: shape))
    }
  }

  /// One product in front of the classes, `[inner, columns]`.
  private func product(_ rows: [[Float]]) throws -> Net {
    var net = Net()
    let w = net.constant([rows.count, rows[0].count], rows.flatMap { $0 })
    let h = try net.op(.gemm, [net.input([1, rows.count]), w])
    net.output(try net.gemm(h, 1))
    return net
  }

  @Test func theWeakestColumnsAreFilters() throws {
    let net = try product([[3, 1, 2, 0], [4, 1, -2, 5]])
    #expect(
      try weights(prune("filters: 0.5", net, [2, 0, 0]))[0].floats == [3, 0, 0, 0, 4, 0, 0, 5])
    #expect(try weights(prune("filters: 0.49", net, [1, 0, 0]))[0].floats == [3, 0, 2, 0, 4, 0, -2, 5])
    #expect(try prune("filters: 0.24", net, [0, 0, 0]) == net.module)
  }

  @Test func theWeakestRowsArePositions() throws {
    let net = try product([[3, 1], [1, 1], [0, 2]])
    #expect(try weights(prune("shapes: 0.34", net, [0, 0, 1]))[0].floats == [3, 1, 0, 0, 0, 2])
  }

  @Test func ofEqualGroupsTheFirstGoes() throws {
    let net = try product([[1, -1, 1, 1]])
    #expect(try weights(prune("filters: 0.5", net))[0].floats == [0, 0, 1, 1])
  }

  /// Groups that are 0 already count, so pruning twice is pruning once.
  @Test func groupsOfZerosAreTheWeakest() throws {
    let net = try product([[0, 1, 2, 0]])
    #expect(try prune("filters: 0.5", net, [0, 0, 0]) == net.module)
    #expect(try weights(prune("filters: 0.75", net, [1, 0, 0]))[0].floats == [0, 0, 2, 0])
  }

  @Test func everythingMayGoExceptTheClasses() throws {
    let net = try product([[1, 2], [3, 4]])
    let pruned = try weights(prune("filters: 1.0, channels: 1.0", net, [2, 0, 0]))
    #expect(pruned[0].floats == [0, 0, 0, 0])
    #expect(try pruned[1] == weights(net.module)[1])
    #expect(try weights(prune("shapes: 1.0", net)).allSatisfy { $0.floats.allSatisfy { $0 == 0 } })
  }

  /// In binary32 0.7 is below 0.7; of ten groups seven go nevertheless.
  @Test(arguments: 1...9) func sharesAreTheNumbersThatTheyLook(tenths: Int) throws {
    let net = try product([(1...10).map { Float($0) }])
    let pruned = try weights(prune("filters: 0.\(tenths)", net, [tenths, 0, 0]))[0].floats
    #expect(pruned.map { $0 == 0 } == (1...10).map { $0 <= tenths })
  }

  /// 1e-30 squared is 0 in binary32, and 3e38 squared is infinite.
  @Test func normsNeitherVanishNorOverflow() throws {
    let net = try product([[3e38, 1e-30, 2e38, 1e-31]])
    #expect(try weights(prune("filters: 0.25", net, [1, 0, 0]))[0].floats == [3e38, 1e-30, 2e38, 0])
    #expect(try weights(prune("filters: 0.75", net, [3, 0, 0]))[0].floats == [3e38, 0, 0, 0])
  }

  /// Weights that are no numbers are the last to go, so that quantize can refuse them.
  @Test func whatIsNoNumberStays() throws {
    let net = try product([[.nan, 5, .infinity, 7]])
    let left = try weights(prune("filters: 0.5", net, [2, 0, 0]))[0].floats
    #expect(left[0].isNaN && left[1] == 0 && left[2] == .infinity && left[3] == 0)
  }

  @Test func sharesOutOfRangeAreRefused() throws {
    let net = try product([[1, 2]])
    for option in ["filters: 1.01", "channels: -0.5", "shapes: inf", "filters: nan"] {
      expectFailure("prune-groups.share") { _ = try prune(option, net) }
    }
    expectFailure("pass.option") { _ = try prune("rows: 0.5", net) }
  }

  // MARK: Layers before outputs

  /// A way to an output past digital operations alone: both branches are classes, the stem is not.
  @Test func filtersBeforeOutputsStay() throws {
    var net = Net(seed: 20)
    let x = net.input([1, 3, 6, 6])
    let stem = try net.digital(
      .unary(.relu), try net.conv(x, ConvGeometry(pads: [1, 1, 1, 1]), name: "stem"))
    let a = try net.conv(stem, ConvGeometry(pads: [1, 1, 1, 1]), name: "a")
    net.output(try net.digital(.unary(.sigmoid), try net.digital(.binary(.add), a, stem)), name: "sum")
    let b = try net.conv(stem, ConvGeometry(), name: "b")
    net.output(try net.gemm(try net.digital(.reshape([1, 64]), b), 5), name: "classes")
    let (old, new) = (try weights(net.module), try weights(prune("filters: 0.5", net)))
    let changed = zip(old, new).map { $0 != $1 }
    // The stem's own sum reaches an output; only b lies behind another layer.
    #expect(changed == [false, false, true, false])
  }

  /// Computed weights are none: what stands before their product is a layer of classes.
  @Test func productsOfComputedValuesAreNoLayers() throws {
    var net = Net(seed: 21)
    let x = net.input([1, 4])
    let h = try net.gemm(x, 4)
    net.output(try net.op(.gemm, [h, net.input([4, 2])]))
    #expect(try prune("filters: 0.5", net, [0, 0, 0]) == net.module)
    #expect(try weights(net.module.prefixed(h)).count == 1)
  }

  // MARK: Shared weights

  @Test func weightsWithOtherUsesStayThere() throws {
    var net = Net(seed: 22)
    let x = net.input([1, 4])
    let w = net.constant([4, 4], name: "w")
    let taken = net.constant([4, 4], name: "w.pruned")
    let h = try net.op(.gemm, [x, w])
    let i = try net.op(.gemm, [h, w])
    net.output(try net.op(.gemm, [try net.digital(.binary(.add), i, w), taken]))
    let old = try weights(net.module)
    let new = try weights(prune("filters: 0.5", net))
    #expect(new[0] != old[0] && new[0] == new[1], "both are pruned alike, each for itself")
    #expect(new[2] == old[2])
    let module = try prune("filters: 0.5", net)
    #expect(module.bodyOps.contains { $0.opcode == .constant && module.values[$0.results[0]].name == "w" })
    // The sum still sees all of w.
    let sample = net.sample()
    let sum = try #require(module.values(sample)["add2"])
    let product = try #require(module.values(sample)["gemm1"])
    let expected = try DigitalOperator.binary(.add).apply(to: [product, old[0]])
    #expect(sum == expected)
  }

  /// Where all uses are pruned the old constant is gone.
  @Test func noConstantStaysUnused() throws {
    var net = Net(seed: 23)
    let w = net.constant([9, 9])
    let h = try net.op(.gemm, [try net.op(.gemm, [net.input([1, 9]), w]), w])
    net.output(try net.gemm(h, 2))
    let module = try prune("filters: 0.5", net)
    #expect(module.resources.count == 1, "two equal constants are one resource")
    #expect(module.count(.constant) == 4)
  }

  @Test func rangesOfBeforeAreForgotten() throws {
    var net = Net(seed: 24)
    net.output(try net.gemm(try net.gemm(net.input([1, 4]), 4), 3))
    let calibrated = try run("calibrate", on: net.module)
    var context = PassContext()
    // Whether weights changed or not: which facts hold afterwards does not depend on the numbers.
    #expect(try run("prune-groups", on: calibrated, in: &context).facts == [.shaped])
    #expect(try run("prune-groups(filters: 0.5)", on: calibrated, in: &context).facts == [.shaped])
  }

  @Test func quantizedWeightsAreNotTouched() throws {
    var net = Net(seed: 25)
    net.output(try net.gemm(try net.gemm(net.input([1, 4]), 4), 3))
    let quantized = try run("calibrate, quantize", on: net.module)
    var context = PassContext()
    let result = try run("prune-groups(filters: 1.0, shapes: 1.0)", on: quantized, in: &context)
    var expected = try quantized.tensorModule
    expected.facts.remove(.calibrated)
    #expect(try result.tensorModule == expected)
  }

  // MARK: Random layers

  /// The groups of a layer by loops over filter, channel and tap: for each group the places of its weights.
  private func groups(_ kind: String, _ op: Op, _ shape: [Int]) -> [[Int]] {
    if op.opcode == .gemm {
      let (rows, columns) = (0..<shape[0], 0..<shape[1])
      switch kind {
      case "filters": return columns.map { column in rows.map { $0 * shape[1] + column } }
      case "shapes": return rows.map { row in columns.map { row * shape[1] + $0 } }
      default: return []
      }
    }
    let (channels, taps) = (shape[1], shape.dropFirst(2).reduce(1, *))
    if kind == "filters" {
      return (0..<shape[0]).map { f in (0..<channels * taps).map { f * channels * taps + $0 } }
    }
    let parts = op[.groups]
    var result: [[Int]] = []
    for part in 0..<parts {
      let filters = part * shape[0] / parts..<(part + 1) * shape[0] / parts
      for channel in 0..<channels {
        var ofTaps: [[Int]] = []
        for tap in 0..<taps { ofTaps.append(filters.map { ($0 * channels + channel) * taps + tap }) }
        result += kind == "channels" ? [ofTaps.flatMap { $0 }] : ofTaps
      }
    }
    return result
  }

  /// What must be left: repeatedly the weakest group that is not chosen yet goes.
  private func oracle(_ weights: Tensor, _ op: Op, _ shares: [(kind: String, share: Float)]) -> [Float] {
    var values = weights.floats
    for (kind, share) in shares {
      let groups = groups(kind, op, weights.shape)
      let norms = groups.map { $0.reduce(0.0) { $0 + Double(values[$1]) * Double(values[$1]) } }
      var chosen: Set<Int> = []
      while chosen.count < Int(share * Float(groups.count)) {
        var best = -1
        for k in groups.indices where !chosen.contains(k) && (best < 0 || norms[k] < norms[best]) { best = k }
        chosen.insert(best)
      }
      for k in chosen.flatMap({ groups[$0] }) { values[k] = 0 }
    }
    return values
  }

  @Test func randomLayers() throws {
    var zeroed = [0, 0, 0]
    for seed in 0..<200 {
      var net = Net(seed: UInt64(2000 + seed))
      var random = net.random
      let spatial = random.inside(1...2)
      let channels = 2 * random.inside(1...3)
      let geometry = ConvGeometry.random(channels: channels, spatial: spatial, &random)
      let c = try net.conv(
        net.input([1, channels] + [8, 9].suffix(spatial)), geometry, bias: random.chance(0.5))
      let size = net.builder.type(c).shape?.reduce(1, *) ?? 1
      let h = try net.gemm(try net.digital(.reshape([1, size]), c), random.inside(1...9))
      net.output(try net.gemm(h, 3))
      let shares = ["filters", "channels", "shapes"].map { kind in
        (kind: kind, share: random.chance(0.2) ? 0 : Float(random.unit()))
      }
      let options = shares.map { "\($0.kind): \(Attribute.float($0.share))" }.joined(separator: ", ")
      var context = PassContext()
      let module = try run("prune-groups(\(options))", on: AnyModule(net.module), in: &context).tensorModule
      let (old, new) = (try weights(net.module), try weights(module))
      let layers = module.bodyOps.filter { $0.opcode == .conv || $0.opcode == .gemm }
      for (number, op) in layers.enumerated() {
        let kinds = number == 2 ? Array(shares.dropFirst()) : shares
        #expect(new[number].floats == oracle(old[number], op, kinds), "seed \(seed), layer \(number)")
      }
      for k in 0..<3 { zeroed[k] += context.counts[k].value }
      #expect(module.bodyOps.map(\.opcode) == net.module.bodyOps.map(\.opcode))
    }
    #expect(zeroed.allSatisfy { $0 > 100 }, "\(zeroed)")
  }

  /// A layer whose filters are all gone gives its bias everywhere.
  @Test func biasesStay() throws {
    var net = Net(seed: 26)
    let c = try net.conv(net.input([1, 2, 4, 4]), ConvGeometry(filters: 3, pads: [1, 1, 1, 1]), name: "c")
    net.output(try net.conv(c, ConvGeometry()))
    let module = try prune("filters: 1.0", net)
    let values = try #require(module.values(net.sample())["c"]).floats
    #expect(Set(values).count == 3)
    for channel in 0..<3 { #expect(Set(values[channel * 16..<(channel + 1) * 16]).count == 1) }
  }
}

extension Module {
  /// The module up to the operation that gives `value`.
  fileprivate func prefixed(_ value: ValueID) -> Module {
    var result = self
    let end = body.firstIndex { ops[$0].results.contains(value) } ?? body.count - 1
    result.body = Array(body[...end])
    return result
  }
}
