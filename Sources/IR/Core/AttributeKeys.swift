public import Tensors

// The attributes of all operations, each declared once. Those of digital operators have the names of the catalog.

private let count = AttributeKind.int(0...Int64(Int32.max))
private let positive = AttributeKind.int(1...Int64(Int32.max))
private let anyInt = AttributeKind.int(Int64.min...Int64.max)
private let flag = AttributeKind.word(["true", "false"])

extension AttributeKey where Value == Int {
  /// The axis that an operation works along.
  public static var axis: Self { Self("axis", .axis) }
  /// Into how many slices a scan slice or a scan output divides its axis.
  public static var parts: Self { Self("parts", positive) }
  /// How often a scan runs its body.
  public static var rounds: Self { Self("count", .int(1...1 << 20)) }
  /// How often a `repeat` runs.
  public static var repetitions: Self { Self("count", positive) }
  /// Groups of a convolution; 1 where absent.
  public static var groups: Self { Self("groups", positive, fallback: 1) }
  /// The number of a programmed crossbar; -1 where absent.
  public static var crossbarNumber: Self { Self("id", count, fallback: -1) }
  /// Channels of the buffer that a store writes.
  public static var channels: Self { Self("channels", positive) }
  /// Places of each channel of the buffer that a store writes.
  public static var positions: Self { Self("positions", positive) }
  /// The first channel that a store writes.
  public static var channelStart: Self { Self("start", count) }
}

// What a product reads of its layer without reading all of it.

extension AttributeKey where Value == Int {
  /// Inputs of a layer.
  public static var rows: Self { Self("rows", positive) }
  /// Outputs of a layer.
  public static var columns: Self { Self("columns", positive) }
}

extension AttributeKey where Value == String {
  /// The type of the inputs of a layer.
  public static var inputs: Self { Self("inputs", .element) }
}

extension AttributeKey where Value == Int64 {
  /// The zero point of quantized values.
  public static var zero: Self { Self("zero", anyInt) }
  /// The lower clamp of quantized values.
  public static var low: Self { Self("low", anyInt) }
  /// The upper clamp of quantized values.
  public static var high: Self { Self("high", anyInt) }
  /// The integer outside of an image.
  public static var padding: Self { Self("padding", anyInt) }
}

extension AttributeKey where Value == Float {
  /// What a normalization adds to the variance.
  public static var epsilon: Self { Self("epsilon", .float) }
  /// The step between neighboring quantized values.
  public static var scale: Self { Self("scale", .float) }
  /// The lower bound of a clip.
  public static var clipLow: Self { Self("low", .float) }
  /// The upper bound of a clip.
  public static var clipHigh: Self { Self("high", .float) }
  /// The slope of a function.
  public static var alpha: Self { Self("alpha", .float) }
  /// The number that a pad adds.
  public static var padValue: Self { Self("value", .float) }
}

extension AttributeKey where Value == String {
  /// The name of a graph input or output.
  public static var portName: Self { Self("name", .string) }
  /// Which product of its node a `gemm` is.
  public static var part: Self { Self("part", .string) }
  /// The symbol of a layer.
  public static var layer: Self { Self("layer", .symbol) }
}

extension AttributeKey where Value == Bool {
  /// Whether the last part comes first.
  public static var reverse: Self { Self("reverse", flag) }
}

extension AttributeKey where Value == Window {
  /// The geometry of a window or a pool.
  public static var window: Self { Self("window", .window) }
}

extension AttributeKey where Value == [Int] {
  /// Strides of a convolution along the axes of its image.
  public static var strides: Self { Self("strides", .ints) }
  /// Pads of a convolution: at the beginnings of the axes, then at their ends.
  public static var pads: Self { Self("pads", .ints) }
  /// Dilations of a convolution along the axes of its image.
  public static var dilations: Self { Self("dilations", .ints) }
  /// The shape that a reshape gives.
  public static var shape: Self { Self("shape", .ints) }
  /// The order of the axes that a transpose gives.
  public static var order: Self { Self("order", .ints) }
  /// How much a pad adds before the elements of each axis.
  public static var before: Self { Self("before", .ints) }
  /// How much a pad adds after the elements of each axis.
  public static var after: Self { Self("after", .ints) }
  /// Where a slice begins on each axis.
  public static var sliceStart: Self { Self("start", .ints) }
  /// Before which element a slice ends on each axis.
  public static var sliceEnd: Self { Self("end", .ints) }
}

extension AttributeKey where Value == [Float] {
  /// The smallest and the largest value that calibration saw.
  public static var range: Self { Self("range", .floats) }
}

extension AttributeKey where Value == Attribute {
  /// The numbers of a constant or a buffer.
  public static var value: Self { Self("value", .tensor) }
  /// The weights of a layer.
  public static var weights: Self { Self("weights", .tensor) }
  /// The levels of the cells of a block or a crossbar.
  public static var cells: Self { Self("cells", .tensor) }
  /// What a bias adds to each channel.
  public static var values: Self { Self("values", .tensor) }
  /// Which elements a `gather` selects.
  public static var indices: Self { Self("indices", .tensor) }
}
