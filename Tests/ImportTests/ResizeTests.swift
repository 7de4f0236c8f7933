import IR
import ONNX
import Support
import Tensors
import Testing

/// Resize and Einsum, against plain loops.
@Suite("Resize and Einsum")
struct ResizeTests {
  /// Where a result element lies, by the definition, in binary64.
  private func origin(_ mode: String, _ x: Int, _ scale: Double, _ from: Int, _ to: Int) -> Double {
    switch mode {
    case "asymmetric": return Double(x) / scale
    case "align_corners": return to == 1 ? 0 : Double(x) * Double(from - 1) / Double(to - 1)
    case "pytorch_half_pixel": return to > 1 ? (Double(x) + 0.5) / scale - 0.5 : 0
    default: return (Double(x) + 0.5) / scale - 0.5
    }
  }

  @Test func resizesALine() throws {
    let modes = ["asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel"]
    for coordinates in modes {
      for (length, scale) in [(4, 2), (5, 0.5), (3, 1.5), (1, 4), (6, 0.25)] as [(Int, Double)] {
        let to = Int(Double(length) * scale)
        func resize(_ more: [String: ONNXAttribute.Value]) throws -> [Float] {
          let attributes: [String: ONNXAttribute.Value] = [
            "coordinate_transformation_mode": .string(coordinates)
          ]
          return try result(
            model(
              [node("Resize", ["x", "", "s"], ["y"], attributes.merging(more) { $1 })],
              inputs: [[1, length]],
              [floats("s", [2], [1, Float(scale)])])
          ).floats
        }
        let places = (0..<to).map { origin(coordinates, $0, scale, length, to) }
        let linear = places.map { place -> Float in
          let at = max(0, min(Double(length - 1), place))
          return Float(at + 1)
        }
        for (a, b) in zip(try resize(["mode": .string("linear")]), linear) { #expect(abs(a - b) < 1e-5) }
        let roundings: [(String, (Double) -> Double)] = [
          ("floor", { $0.rounded(.down) }), ("ceil", { $0.rounded(.up) }),
          ("round_prefer_floor", { ($0 - 0.5).rounded(.up) }),
          ("round_prefer_ceil", { ($0 + 0.5).rounded(.down) }),
        ]
        for (name, round) in roundings {
          let expected = places.map { Float(max(0, min(Double(length - 1), round($0))) + 1) }
          #expect(
            try resize(["nearest_mode": .string(name)]) == expected,
            "\(coordinates) \(name) \(length) \(scale)")
        }
      }
    }
  }

  @Test func resizesImagesBySizesAndScales() throws {
    let sizes = model(
      [node("Resize", ["x", "", "", "z"], ["y"], ["mode": .string("linear")])], inputs: [[1, 1, 2, 2]],
      [integers("z", [1, 1, 2, 4])])
    #expect(try result(sizes).floats == [1, 1.25, 1.75, 2, 3, 3.25, 3.75, 4])
    let up = model(
      [node("Upsample", ["x"], ["y"], ["scales": .floats([1, 1, 2, 1])])], inputs: [[1, 1, 2, 2]], opset: 7)
    #expect(try result(up).floats == [1, 2, 1, 2, 3, 4, 3, 4])
    let down = model(
      [node("Resize", ["x", "s"])], inputs: [[1, 5]], [floats("s", [2], [1, 0.5])], opset: 10)
    #expect(try result(down).floats == [1, 3])
    let whole = model([node("Resize", ["x", "", "s"])], inputs: [[2, 2]], [floats("s", [2], [1, 1])])
    #expect(try result(whole).floats == [1, 2, 3, 4])
    let symmetric = model(
      [
        node(
          "Resize", ["x", "", "s"], ["y"],
          ["coordinate_transformation_mode": .string("half_pixel_symmetric"), "mode": .string("linear")])
      ],
      inputs: [[1, 3]], [floats("s", [2], [1, 1.4])], opset: 19)
    let found = try result(symmetric).floats
    #expect(found.count == 4 && abs(found[0] + found[3] - 4) < 1e-5 && abs(found[1] + found[2] - 4) < 1e-5)
  }

  /// Whole places give the elements themselves, straight lines stay straight inside, and halves are those of Keys'
  /// curve.
  @Test func cubicCurves() throws {
    func resize(_ length: Int, _ attributes: [String: ONNXAttribute.Value], _ scale: Float = 2) -> ONNXModel {
      model(
        [
          node(
            "Resize", ["x", "", "s"], ["y"],
            attributes.merging([
              "mode": .string("cubic"), "coordinate_transformation_mode": .string("asymmetric"),
            ]) { first, _ in first })
        ], inputs: [[1, length]], [floats("s", [2], [1, scale])])
    }
    let line = try result(resize(6, [:])).floats
    for k in 2..<8 where k % 2 == 0 { #expect(line[k] == Float(k / 2 + 1)) }
    for k in 2...7 { #expect(abs(line[k] - Float(k) / 2 - 1) < 1e-6) }
    // Between x1 and x2: (a (x0 + x3) + (8 - 2 a)... ) / 8 with a = -0.75: far(1.5) = -0.09375, near(0.5) = 0.59375.
    let x: [Float] = [3, -1, 2, 7]
    let half = try result(resize(4, [:]), [Tensor([1, 4], x)]).floats[3]
    #expect(abs(half - (-0.09375 * (3 + 7) + 0.59375 * (-1 + 2))) < 1e-6)
    // At the start the elements outside count as nothing: the other weights are scaled up.
    let cut = try result(resize(4, ["exclude_outside": .int(1)]), [Tensor([1, 4], x)]).floats[1]
    let weights: [Float] = [0.59375, 0.59375, -0.09375]
    let expected = zip(weights, x).reduce(0) { $0 + $1.0 * $1.1 } / weights.reduce(0, +)
    #expect(abs(cut - expected) < 1e-6)
    expectRefusal("import.resize", of: resize(4, ["cubic_coeff_a": .float(.nan)]))
    expectRefusal("import.resize", of: resize(4, ["cubic_coeff_a": .float(1e30)]))
  }

  @Test func refusalsOfResize() {
    func resize(_ attributes: [String: ONNXAttribute.Value], _ scales: [Float] = [1, 2]) -> ONNXModel {
      model(
        [node("Resize", ["x", "", "s"], ["y"], attributes)], inputs: [[1, 3]],
        [floats("s", [scales.count], scales)],
        opset: 18)
    }
    for attribute: (String, ONNXAttribute.Value) in [
      ("mode", .string("lanczos")), ("coordinate_transformation_mode", .string("tf_crop_and_resize")),
      ("nearest_mode", .string("near")), ("antialias", .int(1)),
      ("keep_aspect_ratio_policy", .string("not_larger")),
      ("axes", .ints([1, 1])), ("axes", .ints([0, 7])), ("axes", .ints([1])),
    ] { expectRefusal("import.resize", of: resize([attribute.0: attribute.1])) }
    for scales in [[1], [1, 0], [1, -1], [1, .nan], [1, .infinity], [1, 1e30], []] as [[Float]] {
      expectRefusal("import.resize", of: resize([:], scales))
    }
    expectRefusal("import.dynamic", of: model([node("Resize", ["x", "", "x1"])], inputs: [[1, 3], [2]]))
    expectRefusal("import.resize", of: model([node("Resize")], inputs: [[1, 3]]))
  }

  // MARK: Einsum

  @Test func einsumsThatAreProducts() throws {
    var random = SeededGenerator(seed: 77)
    for equation in [
      "ij,jk->ik", "ij, kj -> ki", "bij,bjk->bik", "bihd,bjhd->bhij", "i,j->ji", "ij,ij->", "ij,ij->ij",
      "ab,bc->ca",
    ] {
      let parts = equation.filter { $0 != " " }.split(separator: "-", omittingEmptySubsequences: false)
      let terms = parts[0].split(separator: ",").map(Array.init)
      let output = Array(parts[1].dropFirst())
      let letters = Set(terms.flatMap { $0 }).sorted()
      let lengths = Dictionary(uniqueKeysWithValues: letters.map { ($0, random.inside(1...4)) })
      let shapes = terms.map { $0.map { lengths[$0] ?? 1 } }
      let x = shapes.map { shape in (0..<shape.reduce(1, *)).map { _ in Float(random.inside(-3...3)) } }
      func place(_ term: [Character], _ index: [Character: Int]) -> Int {
        term.reduce(0) { $0 * (lengths[$1] ?? 1) + (index[$1] ?? 0) }
      }
      var expected = [Float](repeating: 0, count: output.reduce(1) { $0 * (lengths[$1] ?? 1) })
      for number in 0..<letters.reduce(1, { $0 * (lengths[$1] ?? 1) }) {
        var (index, rest): ([Character: Int], Int) = ([:], number)
        for letter in letters {
          index[letter] = rest % (lengths[letter] ?? 1)
          rest /= lengths[letter] ?? 1
        }
        expected[place(output, index)] += x[0][place(terms[0], index)] * x[1][place(terms[1], index)]
      }
      let attributes: [String: ONNXAttribute.Value] = ["equation": .string(equation)]
      let tensors = zip(shapes, x).map { Tensor($0, $1) }
      let computed = model([node("Einsum", ["x", "x1"], ["y"], attributes)], inputs: shapes)
      #expect(try result(computed, tensors).floats == expected, "\(equation)")
      let constant = model(
        [node("Einsum", ["x", "w"], ["y"], attributes)], inputs: [shapes[0]], [floats("w", shapes[1], x[1])])
      #expect(try result(constant, [tensors[0]]).floats == expected, "\(equation)")
      let isLayer = !output.contains { terms[0].contains($0) && terms[1].contains($0) }
      #expect(try imported(constant).opcodes.contains(.gemm) == isLayer, "\(equation)")
    }
    let turned = model([node("Einsum", ["x"], ["y"], ["equation": .string("ab->ba")])], inputs: [[2, 3]])
    #expect(try result(turned).floats == [1, 4, 2, 5, 3, 6])
  }

  @Test func refusalsOfEinsum() {
    for equation in [
      "", "ij", "ij,jk", "ii->i", "ij->i", "ij,jk->il", "i...->i", "ijk->ijk", "ij,jk,kl->il", "ij->ijj",
      "ij>ji",
    ] {
      let net = model([node("Einsum", ["x"], ["y"], ["equation": .string(equation)])], inputs: [[2, 3]])
      expectRefusal("import.einsum", of: net)
    }
    for equation in ["ij,kl->il", "ij,ij->i", "ij,ji->ij", "ij,jk->ijk"] where equation != "ij,ij->i" {
      let net = model(
        [node("Einsum", ["x", "x1"], ["y"], ["equation": .string(equation)])], inputs: [[2, 3], [3, 4]])
      if equation == "ij,jk->ijk" {
        #expect((try? imported(net)) != nil)
      } else {
        expectRefusal("import.einsum", of: net)
      }
    }
  }
}
