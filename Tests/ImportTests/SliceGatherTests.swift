import IR
import ONNX
import Support
import Tensors
import Testing

/// Operators that choose and repeat elements, against plain loops.
@Suite("Choosing elements")
struct SelectionOperatorTests {
  /// Elements of an array that counts from 1.
  private func line(_ length: Int) -> [Float] { (0..<length).map { Float($0 + 1) } }

  // MARK: Slice, Split, Gather

  /// What a slice of a list takes, step by step.
  private func sliced(_ length: Int, _ start: Int, _ end: Int, _ step: Int) -> [Float] {
    let low = step > 0 ? 0 : -1
    var place = start < 0 ? start + length : start
    place = max(0, min(step > 0 ? length : length - 1, place))
    let last = max(low, min(length, end < 0 ? end + length : end))
    var found: [Float] = []
    while step > 0 ? place < last : place > last {
      found.append(Float(place + 1))
      place += step
    }
    return found
  }

  @Test func slicesOfALine() throws {
    var random = SeededGenerator(seed: 31)
    var taken = 0
    for _ in 0..<300 {
      let length = random.inside(1...6)
      let (start, end) = (random.inside(-8...8), random.inside(-8...8))
      let step = [1, 1, 2, 3, -1, -2, 9][random.below(7)]
      let expected = sliced(length, start, end, step)
      let net = model(
        [node("Slice", ["x", "s", "e", "a", "t"])], inputs: [[2, length, 1]],
        [
          integers("s", [Int64(start)]), integers("e", [Int64(end)]),
          integers("a", [random.chance(0.5) ? 1 : -2]),
          integers("t", [Int64(step)]),
        ])
      if expected.isEmpty {
        expectRefusal("import.slice", of: net)
      } else {
        let found = try result(net)
        #expect(found.shape == [2, expected.count, 1])
        #expect(found.floats == expected + expected.map { $0 + Float(length) })
        taken += 1
      }
    }
    #expect(taken > 80)
  }

  @Test func slicesOfSeveralAxesAndOfKnownIntegers() throws {
    let old = model(
      [node("Slice", ["x"], ["y"], ["starts": .ints([1, 0]), "ends": .ints([.max, -1])])], inputs: [[3, 3]],
      opset: 9)
    #expect(try result(old).floats == [4, 5, 7, 8])
    let known = model(
      [
        node("Shape", ["x"], ["s"]), node("Slice", ["s", "one", "two"], ["c"]),
        node("Concat", ["c", "rest"], ["t"], ["axis": .int(0)]),
        node("Reshape", ["x", "t"]),
      ], inputs: [[2, 3, 4]], [integers("one", [1]), integers("two", [2]), integers("rest", [-1])])
    #expect(try result(known).shape == [3, 8])
    for (starts, ends, axes, steps) in [
      ([0], [1, 2], [0], [1]), ([0], [1], [0, 1], [1]), ([0], [1], [0], [0]),
      ([0, 0], [1, 1], [0, 0], [1, 1]),
    ] as [([Int64], [Int64], [Int64], [Int64])] {
      let net = model(
        [node("Slice", ["x", "s", "e", "a", "t"])],
        [integers("s", starts), integers("e", ends), integers("a", axes), integers("t", steps)])
      expectRefusal("import.slice", of: net)
    }
  }

  @Test func splits() throws {
    func split(_ lengths: [Int64]?, _ axis: Int64, _ outputs: [String], opset: Int = 17) -> ONNXModel {
      model(
        [node("Split", lengths == nil ? ["x"] : ["x", "l"], outputs, ["axis": .int(axis)])],
        inputs: [[2, 5]],
        [integers("l", lengths ?? [])], outputs: outputs, opset: opset)
    }
    #expect(
      try evaluated(split([2, 3], 1, ["a", "b"])).map(\.floats) == [[1, 2, 6, 7], [3, 4, 5, 8, 9, 10]])
    #expect(try evaluated(split(nil, 0, ["a", "b"])).map(\.floats) == [line(5), line(10).suffix(5)])
    #expect(
      try evaluated(split(nil, -1, ["a", "b", "c"], opset: 18)).map(\.shape) == [[2, 2], [2, 2], [2, 1]])
    let old = model(
      [node("Split", ["x"], ["a", "y"], ["axis": .int(1), "split": .ints([4, 1])])], inputs: [[1, 5]],
      opset: 11)
    #expect(try result(old).floats == [5])
    for bad in [[2, 2], [5, 0], [6, -1], [5], [.max, .max]] as [[Int64]] {
      expectRefusal("import.split", of: split(bad, 1, ["a", "b"]))
    }
    expectRefusal("import.split", of: split(nil, 0, ["a", "b", "c", "d"]))
  }

  @Test func gathersFloats() throws {
    func gather(_ indices: [Int64], _ shape: [Int], axis: Int64) throws -> Tensor {
      try result(
        model(
          [node("Gather", ["x", "i"], ["y"], ["axis": .int(axis)])], inputs: [[2, 3]],
          [integers("i", indices, shape: shape)]))
    }
    #expect(try gather([2, 0, -2], [3], axis: 1) == Tensor([2, 3], [3, 1, 2, 6, 4, 5] as [Float]))
    #expect(try gather([1], [], axis: 0) == Tensor([3], [4, 5, 6] as [Float]))
    #expect(try gather([0, 1, 1, 0], [2, 2], axis: -2).shape == [2, 2, 3])
    let constant = model(
      [node("Gather", ["w", "i"], ["e"]), node("Add", ["x", "e"])], inputs: [[2]],
      [counted("w", [3, 2]), integers("i", [2], shape: [])])
    #expect(try result(constant).floats == [6, 8])
  }

  // MARK: Repeating and choosing

  @Test func tilesAndExpands() throws {
    let tiled = try result(model([node("Tile", ["x", "r"])], inputs: [[2, 2]], [integers("r", [2, 3])]))
    #expect(tiled.shape == [4, 6])
    #expect(tiled.floats == [1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4])
    #expect(
      try result(model([node("Tile", ["x", "r"])], inputs: [[2]], [integers("r", [1])])).floats == [1, 2])
    let wide = try result(
      model([node("Expand", ["x", "s"])], inputs: [[2, 1]], [integers("s", [3, 1, 2])]))
    #expect(wide == Tensor([3, 2, 2], [1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2] as [Float]))
    #expect(
      try result(model([node("Expand", ["x", "s"])], inputs: [[2, 2]], [integers("s", [1])])).floats == [
        1, 2, 3, 4,
      ])
    for bad in [[1], [0, 1], [.max, 2], [1, 2, 1]] as [[Int64]] {
      expectRefusal(
        "import.tile", of: model([node("Tile", ["x", "s"])], inputs: [[2, 2]], [integers("s", bad)]))
    }
    for bad in [[3], [2, 2, 3], [.max, 1], [-1]] as [[Int64]] {
      expectRefusal(
        "import.expand", of: model([node("Expand", ["x", "s"])], inputs: [[2]], [integers("s", bad)]))
    }
  }

  @Test func choosesByAKnownCondition() throws {
    let condition = stored("c", [2, 3], .bool, [1, 0, 1, 0, 0, 1])
    let net = model([node("Where", ["c", "x", "x1"])], inputs: [[2, 3], [3]], [condition])
    let x = Tensor([2, 3], [-1, .infinity, 3, 4, -5, -6] as [Float])
    let y = Tensor([3], [10, -.greatestFiniteMagnitude, -30] as [Float])
    #expect(
      try result(net, [x, y]).floats == [-1, -.greatestFiniteMagnitude, 3, 10, -.greatestFiniteMagnitude, -6])
    let shapes = model(
      [
        node("Equal", ["a", "b"], ["c"]), node("Where", ["c", "b", "a"], ["s"]), node("Reshape", ["x", "s"]),
      ],
      inputs: [[6]], [integers("a", [-1, 3]), integers("b", [-1, 2])])
    #expect(try result(shapes).shape == [2, 3])
    expectRefusal("import.dynamic", of: model([node("Where", ["x", "x", "x"])]))
  }

  @Test func comparisonsOfKnownNumbers() throws {
    let lists = [
      integers("a", [1, 2, 3]), integers("b", [2]), floats("f", [3], [1, 2, 3]), floats("g", [], [2]),
    ]
    for (op, expected) in [
      ("Equal", [0, 1, 0]), ("Greater", [0, 0, 1]), ("Less", [1, 0, 0]), ("GreaterOrEqual", [0, 1, 1]),
      ("LessOrEqual", [1, 1, 0]), ("And", [1, 1, 1]), ("Or", [1, 1, 1]),
    ] as [(String, [Float])] {
      for (a, b) in [("a", "b"), ("f", "g")] where a == "a" || op.count > 3 {
        let net = model(
          [node(op, [a, b], ["c"]), node("Where", ["c", "one", "zero"], ["d"]), node("Add", ["x", "d"])],
          inputs: [[3]],
          lists + [floats("one", [], [1]), floats("zero", [], [0])])
        #expect(try result(net, [Tensor([3], [0, 0, 0] as [Float])]).floats == expected, "\(op)")
      }
      if ["And", "Or"].contains(op) {
        expectRefusal("import.dynamic", of: model([node(op, ["x", "a"])], lists))
      }
    }
    let not = model(
      [node("Not", ["a"], ["c"]), node("Cast", ["c"], ["d"], ["to": .int(1)]), node("Add", ["x", "d"])],
      inputs: [[2]],
      [integers("a", [0, 5])])
    #expect(try result(not).floats == [2, 2])
    let apart = model(
      [
        node("Equal", ["a", "b"], ["c"]), node("Cast", ["c"], ["d"], ["to": .int(1)]),
        node("Add", ["x", "d"]),
      ],
      [integers("a", [1, 2]), integers("b", [1, 2, 3])])
    expectRefusal("import.integer", of: apart)
  }

  @Test func remaindersOfKnownIntegers() throws {
    func mod(_ fmod: Int64, _ divisor: Int64 = 3) -> ONNXModel {
      model(
        [
          node("Mod", ["a", "b"], ["c"], ["fmod": .int(fmod)]), node("Cast", ["c"], ["d"], ["to": .int(1)]),
          node("Add", ["x", "d"]),
        ], inputs: [[4]], [integers("a", [7, -7, 6, .min]), integers("b", [divisor])])
    }
    let zeros = Tensor([4], [0, 0, 0, 0] as [Float])
    #expect(
      try result(mod(0), [zeros]).floats == [1, 2, 0, 1] && result(mod(1), [zeros]).floats == [1, -1, 0, -2])
    #expect(try result(mod(0, -1), [zeros]).floats == [0, 0, 0, 0])
    expectRefusal("import.integer", of: mod(0, 0))
  }

  @Test func blocksOfDepthAndSpace() throws {
    func check(_ op: String, _ mode: String?, _ shape: [Int], _ source: (Int, Int, Int) -> Int) throws {
      var attributes: [String: ONNXAttribute.Value] = ["blocksize": .int(2)]
      if let mode { attributes["mode"] = .string(mode) }
      let found = try result(model([node(op, ["x"], ["y"], attributes)], inputs: [shape]))
      let (channels, height, width) = (found.shape[1], found.shape[2], found.shape[3])
      for place in 0..<found.count {
        let (c, h, w) = (place / (height * width), place / width % height, place % width)
        #expect(found.floats[place] == Float(source(c, h, w) + 1), "\(op) of \(channels)")
      }
    }
    // Image 8x2x3 to 2x4x6; a block's element is a channel's part.
    try check("DepthToSpace", nil, [1, 8, 2, 3]) { c, h, w in
      ((h % 2 * 2 + w % 2) * 2 + c) * 6 + h / 2 * 3 + w / 2
    }
    try check("DepthToSpace", "CRD", [1, 8, 2, 3]) { c, h, w in
      (c * 4 + h % 2 * 2 + w % 2) * 6 + h / 2 * 3 + w / 2
    }
    // Image 2x4x6 to 8x2x3.
    try check("SpaceToDepth", nil, [1, 2, 4, 6]) { c, h, w in
      c % 2 * 24 + (h * 2 + c / 4) * 6 + w * 2 + c / 2 % 2
    }
    for (op, size, mode, shape) in [
      ("DepthToSpace", 0, "DCR", [1, 4, 1, 1]), ("DepthToSpace", 3, "DCR", [1, 4, 1, 1]),
      ("DepthToSpace", 2, "RCD", [1, 4, 1, 1]), ("DepthToSpace", 2, "DCR", [4, 1, 1]),
      ("SpaceToDepth", 2, "DCR", [1, 1, 3, 2]),
      ("SpaceToDepth", .max, "DCR", [1, 1, 2, 2]),
    ] as [(String, Int64, String, [Int])] {
      var attributes: [String: ONNXAttribute.Value] = ["blocksize": .int(size)]
      if op == "DepthToSpace" { attributes["mode"] = .string(mode) }
      expectRefusal("import.blocks", of: model([node(op, ["x"], ["y"], attributes)], inputs: [shape]))
    }
  }

  @Test func triangles() throws {
    func apply(_ upper: Int64, _ k: Int64) throws -> [Float] {
      let net = model(
        [node("Trilu", ["x", "k"], ["y"], ["upper": .int(upper)])], inputs: [[2, 3]],
        [integers("k", [k], shape: [])])
      return try result(net).floats
    }
    #expect(try apply(1, 0) == [1, 2, 3, 0, 5, 6] && apply(1, 1) == [0, 2, 3, 0, 0, 6])
    #expect(try apply(0, 0) == [1, 0, 0, 4, 5, 0] && apply(0, -1) == [0, 0, 0, 4, 0, 0])
    #expect(try apply(1, .max) == [0, 0, 0, 0, 0, 0] && apply(1, .min) == [1, 2, 3, 4, 5, 6])
    expectRefusal("import.trilu", of: model([node("Trilu")], inputs: [[2]]))
  }

  @Test func ranges() throws {
    func range(_ bounds: [Int64]) -> ONNXModel {
      model(
        [node("Range", ["a", "b", "c"], ["r"]), node("Gather", ["x", "r"])], inputs: [[6]],
        zip(["a", "b", "c"], bounds).map { integers($0, [$1], shape: []) })
    }
    #expect(
      try result(range([1, 6, 2])).floats == [2, 4, 6] && result(range([3, -1, -3])).floats == [4, 1])
    for bad in [[0, 1, 0], [0, .max, 1], [.min, .max, 1], [0, 1 << 30, 1]] as [[Int64]] {
      expectRefusal("import.range", of: range(bad))
    }
    let size = model([node("Size", ["x"], ["s"]), node("Reshape", ["x", "s"])], inputs: [[2, 3]])
    expectRefusal("import.input-missing", of: model([node("Range", ["s"], ["r"])], [integers("s", [1])]))
    #expect(try result(size).shape == [6])
  }

  // MARK: Pad

  @Test func padsByTheirMode() throws {
    func pad(_ mode: String, _ pads: [Int64], _ length: Int = 4) throws -> [Float] {
      try result(
        model(
          [node("Pad", ["x", "p"], ["y"], ["mode": .string(mode)])], inputs: [[length]],
          [integers("p", pads)], opset: 19)
      ).floats
    }
    #expect(try pad("reflect", [3, 2]) == [4, 3, 2, 1, 2, 3, 4, 3, 2])
    #expect(
      try pad("edge", [2, 1]) == [1, 1, 1, 2, 3, 4, 4]
        && pad("wrap", [5, 1]) == [4, 1, 2, 3, 4, 1, 2, 3, 4, 1])
    #expect(try pad("edge", [-1, 2]) == [2, 3, 4, 4, 4] && pad("constant", [-2, 1]) == [3, 4, 0])
    #expect(try pad("constant", [1, -3]) == [0, 1] && pad("reflect", [0, 0]) == line(4))
  }

  // MARK: Constants of a shape

  @Test func constantsOfAShape() throws {
    let net = model(
      [node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"])], inputs: [[2]], [integers("s", [2])])
    #expect(try result(net).floats == [1, 2])
    let whole = model(
      [
        node("ConstantOfShape", ["s"], ["c"], ["value": .tensor(integers("", [3]))]),
        node("Mul", ["c", "t"], ["d"]),
        node("Expand", ["x", "d"]),
      ], inputs: [[1, 1]], [integers("s", [2]), integers("t", [1, 2])])
    #expect(try result(whole).shape == [3, 6])
    expectRefusal(
      "import.size", of: model([node("ConstantOfShape", ["s"])], [integers("s", [1 << 20, 1 << 20])]))
    expectRefusal(
      "import.constant",
      of: model(
        [node("ConstantOfShape", ["s"], ["y"], ["value": .tensor(counted("", [2]))])], [integers("s", [2])]))
  }
}
