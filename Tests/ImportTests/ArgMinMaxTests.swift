import Foundation
import IR
import ONNX
import Support
import Tensors
import Testing

/// Places of largest elements, comparisons that are computed, and elements chosen one by one.
@Suite("Places and comparisons")
struct PlaceOperatorTests {
  private func numbers(_ random: inout SeededGenerator, _ shape: [Int]) -> Tensor {
    Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.inside(-3...3)) })
  }

  // MARK: ArgMax, TopK, Hardmax

  @Test func argMaxAndArgMinWithEveryAttribute() throws {
    var random = SeededGenerator(seed: 51)
    for round in 0..<60 {
      let shape = (0..<random.inside(1...3)).map { _ in random.inside(1...4) }
      let axis = random.below(shape.count)
      let (keeps, last) = (round % 2, round / 2 % 2)
      let op = round % 3 == 0 ? "ArgMin" : "ArgMax"
      let x = numbers(&random, shape)
      let net = model(
        [
          node(
            op, ["x"], ["y"],
            [
              "axis": .int(Int64(round % 5 == 0 ? axis - shape.count : axis)), "keepdims": .int(Int64(keeps)),
              "select_last_index": .int(Int64(last)),
            ])
        ], inputs: [shape])
      let found = try result(net, [x])
      var kept = shape
      if keeps == 1 { kept[axis] = 1 } else { kept.remove(at: axis) }
      #expect(found.shape == kept)
      let step = rowMajorStrides(shape)[axis]
      let expected = x.floats.indices.filter { $0 / step % shape[axis] == 0 }.map { start -> Float in
        let line = (0..<shape[axis]).map { x.floats[start + $0 * step] }
        let best = (op == "ArgMin" ? line.min() : line.max()) ?? 0
        return Float((last == 1 ? line.lastIndex(of: best) : line.firstIndex(of: best)) ?? -1)
      }
      #expect(found.floats == expected, "\(op) of \(shape) on \(axis), last \(last)")
    }
    #expect(try result(model([node("ArgMax")], inputs: [[2, 2]])) == Tensor([1, 2], [1, 1] as [Float]))
    expectRefusal(
      "import.axis", of: model([node("ArgMax", ["x"], ["y"], ["axis": .int(2)])], inputs: [[2, 2]]))
    expectRefusal("import.axis", of: model([node("ArgMax")], inputs: [[]]))
  }

  /// Levels have their place too.
  @Test func placesOfLevels() throws {
    let net = model(
      [node("QuantizeLinear", ["x", "s"], ["q"]), node("ArgMax", ["q"], ["y"], ["axis": .int(1)])],
      inputs: [[1, 3]], [floats("s", [], [1])])
    #expect(try result(net, [Tensor([1, 3], [-4, 2, 1] as [Float])]).floats == [1])
  }

  @Test func theFirstOfTheTop() throws {
    let x = Tensor([2, 3], [1, 5, 5, -2, -7, -1] as [Float])
    func top(_ attributes: [String: ONNXAttribute.Value] = [:], k: Int64 = 1, outputs: [String] = ["v", "i"])
      -> ONNXModel
    {
      model(
        [node("TopK", ["x", "k"], ["v", "i"], attributes)], inputs: [[2, 3]], [integers("k", [k])],
        outputs: outputs)
    }
    #expect(
      try evaluated(top(), [x]) == [
        Tensor([2, 1], [5, -1] as [Float]), Tensor([2, 1], [1, 2] as [Float]),
      ])
    let low = try evaluated(top(["largest": .int(0), "axis": .int(0)]), [x])
    #expect(low == [Tensor([1, 3], [-2, -7, -1] as [Float]), Tensor([1, 3], [1, 1, 1] as [Float])])
    #expect(try evaluated(top(outputs: ["i"]), [x]).map(\.floats) == [[1, 2]])
    expectRefusal("import.top-k", of: top(k: 2))
    expectRefusal("import.dynamic", of: model([node("TopK", ["x", "x"], ["y", "i"])], inputs: [[1]]))
  }

  @Test func hardmaxMarksTheFirst() throws {
    let x = Tensor([2, 2, 2], [1, 2, 2, 0, -1, -3, 4, 4] as [Float])
    func hardmax(_ attributes: [String: ONNXAttribute.Value], opset: Int) throws -> [Float] {
      try result(model([node("Hardmax", ["x"], ["y"], attributes)], inputs: [[2, 2, 2]], opset: opset), [x])
        .floats
    }
    #expect(try hardmax([:], opset: 13) == [0, 1, 1, 0, 1, 0, 1, 0])
    #expect(try hardmax(["axis": .int(0)], opset: 13) == [1, 1, 0, 0, 0, 0, 1, 1])
    #expect(try hardmax([:], opset: 11) == [0, 1, 0, 0, 0, 0, 1, 0])
  }

  // MARK: Comparisons

  @Test func comparisonsOfComputedNumbers() throws {
    let x = Tensor([6], [1, 2, .nan, .infinity, -0.0, 3] as [Float])
    let y = Tensor([6], [2, 2, 1, .infinity, 0, .nan] as [Float])
    for (op, expected) in [
      ("Equal", [0, 1, 0, 1, 1, 0]), ("Greater", [0, 0, 0, 0, 0, 0]), ("Less", [1, 0, 0, 0, 0, 0]),
      ("GreaterOrEqual", [0, 1, 0, 1, 1, 0]), ("LessOrEqual", [1, 1, 0, 1, 1, 0]),
    ] as [(String, [Float])] {
      #expect(
        try result(model([node(op, ["x", "x1"])], inputs: [[6], [6]]), [x, y]).floats == expected, "\(op)")
    }
    let mixed = model([node("Less", ["x", "two"])], inputs: [[3]], [floats("two", [], [2])])
    #expect(try result(mixed).floats == [1, 0, 0])
  }

  /// Both sides of a condition that is computed, infinities of the side that is not chosen included.
  @Test func logicAndChoices() throws {
    let x = Tensor([4], [1, -1, 1, -1] as [Float])
    let y = Tensor([4], [1, 1, -1, -1] as [Float])
    let flags = [
      node("Greater", ["x", "zero"], ["p"]), node("Greater", ["x1", "zero"], ["q"]),
    ]
    let zero = floats("zero", [], [0])
    func run(_ nodes: [ONNXNode], _ more: [ONNXTensor] = []) throws -> [Float] {
      try result(model(flags + nodes, inputs: [[4], [4]], [zero] + more), [x, y]).floats
    }
    #expect(try run([node("And", ["p", "q"])]) == [1, 0, 0, 0])
    #expect(try run([node("Or", ["p", "q"])]) == [1, 1, 1, 0])
    #expect(try run([node("Xor", ["p", "q"])]) == [0, 1, 1, 0])
    #expect(try run([node("Not", ["p"])]) == [0, 1, 0, 1])
    #expect(try run([node("And", ["p", "k"])], [stored("k", [4], .bool, [0, 1, 1, 0])]) == [0, 0, 1, 0])
    let (a, b) = (
      floats("a", [4], [.infinity, 2, -3, 4]), floats("b", [4], [10, -20, .infinity, -.infinity])
    )
    #expect(
      try run([node("Where", ["p", "a", "b"])], [a, b])
        == [.infinity, -20, -3, -.infinity])
    let (i, j) = (integers("i", [1, 2, 3, 4]), integers("j", [-1, -2, -3, -4]))
    #expect(try run([node("Where", ["p", "i", "j"])], [i, j]) == [1, -2, 3, -4])
  }

  @Test func undefinedAndEndlessNumbers() throws {
    let x = Tensor([4], [.nan, .infinity, -.infinity, 1] as [Float])
    func run(_ op: String, _ attributes: [String: ONNXAttribute.Value] = [:]) throws -> [Float] {
      try result(model([node(op, ["x"], ["y"], attributes)], inputs: [[4]]), [x]).floats
    }
    #expect(try run("IsNaN") == [1, 0, 0, 0])
    #expect(try run("IsInf") == [0, 1, 1, 0])
    #expect(try run("IsInf", ["detect_positive": .int(0)]) == [0, 0, 1, 0])
    #expect(try run("IsInf", ["detect_negative": .int(0)]) == [0, 1, 0, 0])
    #expect(try run("IsInf", ["detect_negative": .int(0), "detect_positive": .int(0)]) == [0, 0, 0, 0])
  }

  // MARK: Known integers

  @Test func knownIntegersAreComputedWith() throws {
    let a = integers("a", [-3, 0, 5])
    func run(
      _ op: String, _ inputs: [String], _ more: [ONNXTensor] = [],
      _ attributes: [String: ONNXAttribute.Value] = [:]
    ) throws -> [Float] {
      try result(model([node(op, inputs, ["y"], attributes)], inputs: [[1]], [a] + more)).floats
    }
    #expect(try run("Abs", ["a"]) == [3, 0, 5] && run("Neg", ["a"]) == [3, 0, -5])
    #expect(try run("Sign", ["a"]) == [-1, 0, 1] && run("Relu", ["a"]) == [0, 0, 5])
    #expect(try run("Max", ["a", "b"], [integers("b", [1])]) == [1, 1, 5])
    #expect(try run("Min", ["a", "b", "a"], [integers("b", [1])]) == [-3, 0, 1])
    let bounds = [integers("l", [-1], shape: []), integers("h", [2], shape: [])]
    #expect(try run("Clip", ["a", "l", "h"], bounds) == [-1, 0, 2])
    #expect(try run("Clip", ["a", "", "h"], bounds) == [-3, 0, 2])
    #expect(try run("Clip", ["a", "l"], bounds) == [-1, 0, 5])
    let square = integers("m", [1, 2, 3, 4], shape: [2, 2])
    #expect(try run("Trilu", ["m"], [square]) == [1, 2, 0, 4])
    #expect(try run("Trilu", ["m"], [square], ["upper": .int(0)]) == [1, 0, 3, 4])
    let pads = [integers("p", [1, 0]), integers("v", [9], shape: [])]
    #expect(try run("Pad", ["a", "p", "v"], pads) == [9, -3, 0, 5])
    expectRefusal("import.integer", of: model([node("Neg", ["b"])], [integers("b", [.min])]))
    expectRefusal("import.integer", of: model([node("Abs", ["b"])], [integers("b", [.min])]))
    expectRefusal("import.integer", of: model([node("Add", ["b", "b"])], [integers("b", [.max])]))
  }

  @Test func rangesOfFloats() throws {
    func range(_ bounds: [Float]) -> ONNXModel {
      let names = ["a", "b", "c"]
      return model([node("Range", names)], inputs: [[1]], zip(names, bounds).map { floats($0, [], [$1]) })
    }
    #expect(try result(range([1, 2.1, 0.5])).floats == [1, 1.5, 2])
    #expect(try result(range([1, -1, -1])).floats == [1, 0])
    for bad in [[0, 1, 0], [0, 1, -1], [0, .infinity, 1], [0, 1e9, 0.5], [.nan, 1, 1]] as [[Float]] {
      expectRefusal("import.range", of: range(bad))
    }
  }

  // MARK: Elements one by one

  @Test func gatherElementsAgainstItsDefinition() throws {
    var random = SeededGenerator(seed: 52)
    for _ in 0..<60 {
      let shape = (0..<random.inside(1...3)).map { _ in random.inside(1...4) }
      let axis = random.below(shape.count)
      let own = shape.indices.map { $0 == axis ? random.inside(1...5) : random.inside(1...shape[$0]) }
      let indices = (0..<own.reduce(1, *)).map { _ in Int64(random.inside(-shape[axis]...shape[axis] - 1)) }
      let x = numbers(&random, shape)
      let net = model(
        [node("GatherElements", ["x", "i"], ["y"], ["axis": .int(Int64(axis))])], inputs: [shape],
        [integers("i", indices, shape: own)])
      let (steps, ownSteps) = (rowMajorStrides(shape), rowMajorStrides(own))
      let expected = indices.enumerated().map { number, index -> Float in
        let place = shape.indices.reduce(0) { sum, k in
          let along = Int(index < 0 ? index + Int64(shape[axis]) : index)
          return sum + (k == axis ? along : number / ownSteps[k] % own[k]) * steps[k]
        }
        return x.floats[place]
      }
      #expect(try result(net, [x]) == Tensor(own, expected))
    }
    for (index, shape) in [(3, [1, 1]), (-4, [1, 1]), (0, [1]), (0, [4, 1])] as [(Int64, [Int])] {
      let net = model(
        [node("GatherElements", ["x", "i"])], inputs: [[3, 3]],
        [integers("i", [Int64](repeating: index, count: shape.reduce(1, *)), shape: shape)])
      if shape == [4, 1] {
        #expect(try result(net).shape == shape)
      } else {
        expectRefusal("import.gather", of: net)
      }
    }
  }

  @Test func tuplesOfIndices() throws {
    let x = Tensor([2, 2, 2], (0..<8).map { Float($0) })
    func gather(_ indices: [Int64], _ shape: [Int], batch: Int64 = 0) -> ONNXModel {
      model(
        [node("GatherND", ["x", "i"], ["y"], ["batch_dims": .int(batch)])], inputs: [[2, 2, 2]],
        [integers("i", indices, shape: shape)])
    }
    #expect(try result(gather([1, 0, -1], [3]), [x]) == Tensor([], [5] as [Float]))
    #expect(try result(gather([0, 1, 1, 0], [2, 2]), [x]) == Tensor([2, 2], [2, 3, 4, 5] as [Float]))
    #expect(try result(gather([1, 0], [2, 1], batch: 1), [x]) == Tensor([2, 2], [2, 3, 4, 5] as [Float]))
    for (indices, shape, batch) in [
      ([2], [1], 0), ([-3], [1], 0), ([0, 0, 0, 0], [4], 0), ([0], [1, 1], 1), ([0], [1], 1), ([], [0], 0),
    ] as [([Int64], [Int], Int64)] {
      expectRefusal("import.gather", of: gather(indices, shape, batch: batch))
    }
  }

  /// Of several updates of a place the last one stays.
  @Test func replacesElements() throws {
    let x = Tensor([2, 2], [1, 2, 3, 4] as [Float])
    let elements = model(
      [node("ScatterElements", ["x", "i", "x1"], ["y"], ["axis": .int(1)])], inputs: [[2, 2], [2, 2]],
      [integers("i", [1, 1, 0, -1], shape: [2, 2])])
    let u = Tensor([2, 2], [10, 20, 30, 40] as [Float])
    #expect(try result(elements, [x, u]).floats == [1, 20, 30, 40])
    let rows = model(
      [node("ScatterND", ["x", "i", "x1"])], inputs: [[2, 2], [1, 2]], [integers("i", [-1], shape: [1, 1])])
    #expect(try result(rows, [x, Tensor([1, 2], [7, 8] as [Float])]).floats == [1, 2, 7, 8])
    let single = model(
      [node("ScatterND", ["x", "i", "x1"])], inputs: [[2, 2], [2]],
      [integers("i", [0, 1, 1, 0], shape: [2, 2])])
    #expect(try result(single, [x, Tensor([2], [7, 8] as [Float])]).floats == [1, 7, 8, 4])
    let sum = model(
      [node("ScatterND", ["x", "i", "x1"], ["y"], ["reduction": .string("add")])],
      inputs: [[2, 2], [1, 2]],
      [integers("i", [0], shape: [1, 1])])
    expectRefusal("import.scatter", of: sum)
    let wrong = model(
      [node("ScatterND", ["x", "i", "x1"])], inputs: [[2, 2], [2, 1]], [integers("i", [0], shape: [1, 1])])
    expectRefusal("import.gather", of: wrong)
  }

  // MARK: Further outputs

  @Test func statisticsOfLayerNormalization() throws {
    let net = model(
      [node("LayerNormalization", ["x", "w"], ["y", "m", "d"], ["epsilon": .float(0)])], inputs: [[2, 2]],
      [floats("w", [2], [1, 1])], outputs: ["y", "m", "d"])
    let found = try evaluated(net, [Tensor([2, 2], [1, 3, 2, 10] as [Float])])
    #expect(found.map(\.floats) == [[-1, 1, -1, 1], [2, 6], [1, 0.25]])
    #expect(found.map(\.shape) == [[2, 2], [2, 1], [2, 1]])
  }

  @Test func masksOfDropout() throws {
    let net = model([node("Dropout", ["x"], ["y", "m"])], inputs: [[2]], outputs: ["y", "m"])
    #expect(try evaluated(net).map(\.floats) == [[1, 2], [1, 1]])
    func training(_ ratio: Float) -> ONNXModel {
      model(
        [node("Dropout", ["x", "r", "t"])], inputs: [[2]],
        [floats("r", [], [ratio]), stored("t", [], .bool, [1])])
    }
    #expect(try result(training(0)).floats == [1, 2])
    expectRefusal("import.dropout", of: training(0.5))
  }

  /// Steps of their own and zero points of their own; halves go to the even step, not to the even level.
  @Test func levelsWithZeroPointsAlongAnAxis() throws {
    let constants = [floats("s", [2], [0.5, 2]), stored("z", [2], .int8, [3, 0xFF])]
    let net = model(
      [node("QuantizeLinear", ["x", "s", "z"], ["y"], ["axis": .int(0)])], inputs: [[2, 3]], constants)
    let x = Tensor([2, 3], [0.25, 0.75, -1000, 1, 3, 1000] as [Float])
    #expect(try result(net, [x]).floats == [3, 5, -128, -1, 1, 127])
  }

  /// h = x above 1, else 0, with 0.5 of the state added.
  @Test func thresholdsInsideOfRecurrentNodes() throws {
    let net = model(
      [
        node(
          "RNN", ["x", "w", "r"], ["y"],
          [
            "activations": .strings(["ThresholdedRelu"]), "activation_alpha": .floats([1]),
            "hidden_size": .int(1),
          ])
      ], inputs: [[4, 1, 1]], [floats("w", [1, 1, 1], [1]), floats("r", [1, 1, 1], [0.5])])
    let x = Tensor([4, 1, 1], [1, 2, 0.5, -3] as [Float])
    #expect(try result(net, [x]).floats == [0, 2, 1.5, 0])
  }
}
