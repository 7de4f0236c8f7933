import Tensors
import Testing

@Suite struct ContainerTests {
  @Test(
    arguments: [
      (0, 255, Container.u8), (0, 256, .u16), (0, 65535, .u16), (0, 65536, .i32), (-1, 127, .i8),
      (-1, 128, .i16),
      (-128, 0, .i8), (-129, 0, .i16), (-32768, 32767, .i16), (-32769, 0, .i32), (0, 1 << 31, .i64),
      (-1 << 31, (1 << 31) - 1, .i32), (.min, .max, .i64), (0, 0, .u8),
    ] as [(Int64, Int64, Container)])
  func takesTheSmallestContainer(_ low: Int64, _ high: Int64, _ expected: Container) {
    let container = Container(low: low, high: high)
    #expect(container == expected)
    #expect(container.range.contains(low) && container.range.contains(high))
  }

  @Test func agreesWithTheTensorInitialiser() {
    for bits in 1...63 {
      let half: Int64 = 1 << Int64(bits - 1)
      let unsigned = Tensor([1], [0], as: .integer(bits: bits, signed: false))
      #expect(unsigned.data.container == Container(low: 0, high: half - 1 + half))
      let signed = Tensor([1], [0], as: .integer(bits: bits, signed: true))
      #expect(signed.data.container == Container(low: -half, high: half - 1))
    }
  }

  @Test func knowsTheWidthOfItsElements() {
    for container in Container.allCases where container != .f32 {
      #expect(container.byteWidth == 8 || container.range.count >> (8 * container.byteWidth) == 1)
    }
    #expect(TensorData.u16([1, 0x0203]).withBytes { Array($0) } == [1, 0, 3, 2])
    #expect(TensorData.f32([]).withBytes { $0.count } == 0)
  }

  @Test func boundsShapes() {
    #expect(isComputable([]) && isComputable([0]) && isComputable([1 << 30]))
    #expect(!isComputable([(1 << 30) + 1]) && !isComputable([-1]) && !isComputable([1 << 40, 1 << 40]))
    #expect(!isComputable([0, 1 << 40, 1 << 40]), "strides of an empty array must not overflow either")
  }
}
