import Tensors
import Testing

@Suite struct TensorTests {
  @Test func convertsBetweenFloatsAndIntegers() {
    let values: [Int64] = [-3, 0, 7]
    for bits in [8, 16, 32, 64] {
      let tensor = Tensor([3], values, as: .integer(bits: bits, signed: true))
      #expect(tensor.integers == values && tensor.floats == [-3, 0, 7] && tensor.count == 3)
    }
    for bits in [8, 16, 31] {
      #expect(Tensor([2], [0, 9], as: .integer(bits: bits, signed: false)).integers == [0, 9])
    }
    let floats = Tensor([6], [1.9, -1.9, .nan, .infinity, -.infinity, 1e30] as [Float])
    #expect(floats.integers == [1, -1, 0, 1 << 62, -1 << 62, 1 << 62])
    #expect(floats.data.isFloat && !Tensor([], [1 as Int64]).data.isFloat)
  }

  @Test func countsTheElementsOfEveryContainer() {
    let all: [TensorData] = [
      .f32([1, 2]), .i8([1, 2]), .u8([1, 2]), .i16([1, 2]), .u16([1, 2]), .i32([1, 2]), .i64([1, 2]),
    ]
    #expect(all.map(\.container) == Container.allCases)
    for data in all {
      #expect(data.count == 2)
      #expect(Tensor([2, 1], data).integers == [1, 2] && Tensor([2], data).floats == [1, 2])
      #expect(data.withBytes { $0.count } == 2 * data.container.byteWidth)
    }
  }

  @Test func reshapes() {
    let tensor = Tensor([2, 3], .u8([1, 2, 3, 4, 5, 6]))
    #expect(tensor.reshaped([3, 2]) == Tensor([3, 2], tensor.data))
    #expect(tensor.reshaped([6]) != tensor)
  }

  @Test func knowsStrides() {
    #expect(rowMajorStrides([]) == [])
    #expect(rowMajorStrides([5]) == [1])
    #expect(rowMajorStrides([2, 3, 4]) == [12, 4, 1])
    #expect(rowMajorStrides([2, 0, 4]) == [0, 4, 1])
  }
}

@Suite struct ElementTypeTests {
  @Test(arguments: [
    ("f32", ElementType.float32), ("u1", .integer(bits: 1, signed: false)),
    ("i8", .integer(bits: 8, signed: true)),
    ("i64", .accumulator), ("u63", .integer(bits: 63, signed: false)),
  ])
  func readsItsText(_ text: String, _ element: ElementType) {
    #expect(ElementType(text: text) == element)
    #expect(element.description == text)
    #expect(element.isFloat == (text == "f32"))
  }

  @Test(arguments: [
    "", "f", "f64", "f16", "i", "u", "i0", "i65", "u64", "u08", "i-8", "i+8", "I8", "8", "u8 ", " u8", "x8",
    "i8i",
  ])
  func refusesOtherTexts(_ text: String) { #expect(ElementType(text: text) == nil) }

  @Test func knowsItsRange() {
    for bits in 1...63 {
      let (signed, unsigned) = (
        ElementType.integer(bits: bits, signed: true), ElementType.integer(bits: bits, signed: false)
      )
      #expect(signed.lowest == -signed.highest - 1)
      #expect(unsigned.lowest == 0 && unsigned.highest == signed.highest * 2 + 1)
      #expect(unsigned.highest.nonzeroBitCount == bits)
    }
    #expect(ElementType.accumulator.lowest == .min && ElementType.accumulator.highest == .max)
    #expect(ElementType.float32.lowest == 0 && ElementType.float32.highest == 0)
  }
}

@Suite struct WindowTests {
  private let good = Window(
    batch: 2, channels: 3, height: 5, width: 7, channelStart: 1, channelCount: 2, kernelHeight: 3,
    kernelWidth: 2,
    strideHeight: 2, strideWidth: 1, padTop: 1, padLeft: 0, dilationHeight: 1, dilationWidth: 2, outHeight: 3,
    outWidth: 5)

  @Test func countsPositionsAndElements() {
    #expect(good.positions == 30 && good.length == 12 && good.inputCount == 210)
    let rows = Window.rows(4, 6)
    #expect(rows.positions == 4 && rows.length == 6 && rows.inputCount == 24)
  }

  @Test func findsItsElements() throws {
    let image = Tensor([2, 3, 5, 7], (0..<210).map { Int64($0) })
    let seen = try windows(of: image, good, padding: -1).integers
    func source(_ position: Int, _ element: Int) -> Int { Int(seen[position * 12 + element]) }
    // Position 17: image 1, row 0, column 2; the first kernel row lies in the padding.
    #expect(source(17, 0) == -1 && source(17, 1) == -1)
    #expect(source(17, 2) == ((1 * 3 + 1) * 5 + 0) * 7 + 2)
    #expect(source(17, 3) == ((1 * 3 + 1) * 5 + 0) * 7 + 4)
    #expect(source(17, 11) == ((1 * 3 + 2) * 5 + 1) * 7 + 4)
    // Position 29: image 1, row 2, column 4: its kernel rows are 3, 4 and 5, of which the last is padding.
    #expect(source(29, 9) == ((1 * 3 + 2) * 5 + 4) * 7 + 6)
    #expect(source(29, 11) == -1)
  }

  @Test func survivesItsNumbers() {
    #expect(Window(numbers: good.numbers) == good)
    #expect(good.isValid)
  }

  @Test func refusesOtherNumbers() {
    #expect(Window(numbers: []) == nil)
    #expect(Window(numbers: good.numbers + [1]) == nil)
    for index in 0..<16 {
      for value in [-1, 1 << 31, .max, .min] {
        var numbers = good.numbers
        numbers[index] = value
        #expect(Window(numbers: numbers) == nil, "number \(index)")
      }
      var numbers = good.numbers
      numbers[index] = 0
      // Only the channel start and the pads may be 0.
      #expect((Window(numbers: numbers) != nil) == [4, 10, 11].contains(index))
    }
    for changes in [
      [4: 2], [5: 3], [0: 1 << 20, 2: 1 << 20], [14: 1 << 30, 15: 1 << 30], [6: 1 << 30, 7: 1 << 30],
    ] {
      var numbers = good.numbers
      for (index, value) in changes { numbers[index] = value }
      #expect(Window(numbers: numbers) == nil, "\(changes)")
    }
  }

  @Test func knowsWhetherAShapeIsItsInput() throws {
    var line = Window.rows(1, 6)
    (line.kernelWidth, line.outWidth) = (2, 5)
    let pool = DigitalOperator.maxPool(line)
    #expect(try pool.resultShape(of: [[1, 1, 1, 6]]) == [1, 1, 1, 5])
    #expect(try pool.resultShape(of: [[1, 1, 6]]) == [1, 1, 5])
    for shape in [[6], [1, 6], [1, 6, 1], [1, 1, 1, 1, 6], [1, 1, 7]] {
      #expect(throws: (any Error).self) { try pool.resultShape(of: [shape]) }
    }
  }
}
