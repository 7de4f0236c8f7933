/// How a convolution, a pool or a matrix product walks over its input: the im2col geometry.
///
/// The input has the shape `[batch, channels, height, width]`. Position `p` counts row-major over
/// `[batch, outHeight, outWidth]`; element `r` of a window counts row-major over
/// `[channelCount, kernelHeight, kernelWidth]`. One-dimensional windows have height 1. The rows of a matrix
/// `[P, R]` are the windows of `Window.rows(P, R)`.
public struct Window: Hashable, Sendable {
  /// Independent images in the input.
  public var batch: Int
  /// Channels of the input.
  public var channels: Int
  /// Height of the input.
  public var height: Int
  /// Width of the input.
  public var width: Int
  /// First channel that the window covers.
  public var channelStart: Int
  /// How many channels the window covers.
  public var channelCount: Int
  /// Height of the kernel.
  public var kernelHeight: Int
  /// Width of the kernel.
  public var kernelWidth: Int
  /// Step between positions, downwards.
  public var strideHeight: Int
  /// Step between positions, to the right.
  public var strideWidth: Int
  /// Rows of padding above the input.
  public var padTop: Int
  /// Columns of padding left of the input.
  public var padLeft: Int
  /// Distance between kernel rows.
  public var dilationHeight: Int
  /// Distance between kernel columns.
  public var dilationWidth: Int
  /// Positions, downwards.
  public var outHeight: Int
  /// Positions, to the right.
  public var outWidth: Int

  /// Creates a geometry; all numbers but the channel start and the pads must be positive.
  public init(
    batch: Int, channels: Int, height: Int, width: Int, channelStart: Int = 0, channelCount: Int? = nil,
    kernelHeight: Int, kernelWidth: Int, strideHeight: Int = 1, strideWidth: Int = 1, padTop: Int = 0,
    padLeft: Int = 0, dilationHeight: Int = 1, dilationWidth: Int = 1, outHeight: Int, outWidth: Int
  ) {
    self.batch = batch
    self.channels = channels
    self.height = height
    self.width = width
    self.channelStart = channelStart
    self.channelCount = channelCount ?? channels
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.strideHeight = strideHeight
    self.strideWidth = strideWidth
    self.padTop = padTop
    self.padLeft = padLeft
    self.dilationHeight = dilationHeight
    self.dilationWidth = dilationWidth
    self.outHeight = outHeight
    self.outWidth = outWidth
  }

  /// The windows that are the rows of a `[rows, length]` matrix.
  public static func rows(_ rows: Int, _ length: Int) -> Window {
    Window(
      batch: 1, channels: 1, height: rows, width: length, kernelHeight: 1, kernelWidth: length,
      outHeight: rows, outWidth: 1)
  }

  /// How many windows there are.
  public var positions: Int { batch * outHeight * outWidth }

  /// How many elements a window has.
  public var length: Int { channelCount * kernelHeight * kernelWidth }

  /// How many elements the input has.
  public var inputCount: Int { batch * channels * height * width }

  /// All numbers in the order of the declaration: the form of the IR text and of the program binary.
  public var numbers: [Int] {
    [
      batch, channels, height, width, channelStart, channelCount, kernelHeight, kernelWidth, strideHeight,
      strideWidth, padTop, padLeft, dilationHeight, dilationWidth, outHeight, outWidth,
    ]
  }

  /// Rebuilds a geometry from `numbers`; nil unless there are 16 of them and they are consistent and below 2^31.
  public init?(numbers n: [Int]) {
    guard n.count == 16, n.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else { return nil }
    self.init(
      batch: n[0], channels: n[1], height: n[2], width: n[3], channelStart: n[4], channelCount: n[5],
      kernelHeight: n[6], kernelWidth: n[7], strideHeight: n[8], strideWidth: n[9], padTop: n[10],
      padLeft: n[11], dilationHeight: n[12], dilationWidth: n[13], outHeight: n[14], outWidth: n[15])
    let positive = [0, 1, 2, 3, 5, 6, 7, 8, 9, 12, 13, 14, 15].allSatisfy { n[$0] > 0 }
    guard positive, channelStart + channelCount <= channels,
      fits(batch, channels, height, width), fits(batch, outHeight, outWidth, 1),
      fits(channelCount, kernelHeight, kernelWidth, 1)
    else { return nil }
  }

  /// Whether the product stays below 2^40.
  private func fits(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Bool {
    var product = 1
    for factor in [a, b, c, d] {
      let (value, overflow) = product.multipliedReportingOverflow(by: factor)
      guard !overflow, value < 1 << 40 else { return false }
      product = value
    }
    return true
  }
}
