public import Hardware
public import Tensors

// The attributes of all operations, each declared once. Those of digital operators have the names of the catalogue.

private let count = AttributeKind.int(0...Int64(Int32.max))
private let positive = AttributeKind.int(1...Int64(Int32.max))
private let anyInt = AttributeKind.int(Int64.min...Int64.max)
private let flag = AttributeKind.word(["true", "false"])
private let encodings = AttributeKind.word(["differential", "twos-complement", "offset"])
private let fetchOrders = AttributeKind.word(FetchOrder.allCases.map(\.rawValue))

extension AttributeKey where Value == Int {
  /// The axis that an operation works along.
  public static var axis: Self { Self("axis", count) }
  /// Into how many parts a step or a stack divides its axis.
  public static var parts: Self { Self("parts", positive) }
  /// How often a loop runs.
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
  public static var spots: Self { Self("spots", positive) }
  /// The first channel that a store writes.
  public static var channelStart: Self { Self("start", count) }
  /// Inputs of a layer.
  public static var rows: Self { Self("rows", positive) }
  /// Outputs of a layer.
  public static var columns: Self { Self("columns", positive) }
  /// Bits of a weight of a layer.
  public static var weightBits: Self { Self("weight-bits", .int(2...16)) }
  /// Bits of a cell of a layer.
  public static var cellBits: Self { Self("cell-bits", .int(1...8)) }
  /// Bits of a wordline driver of a layer.
  public static var dac: Self { Self("dac", .int(1...8)) }
  /// Bits of a converter of a layer.
  public static var adc: Self { Self("adc", .int(1...16)) }
  /// The largest sum that converters of a layer are made for.
  public static var fullScale: Self { Self("full-scale", .int(1...1 << 48)) }
  /// Bitlines that a conversion of a layer adds; 1 where absent.
  public static var composed: Self { Self("compose", .int(1...16), fallback: 1) }
  /// When a layer runs.
  public static var stage: Self { Self("stage", count) }
  /// The segment of a layer.
  public static var segment: Self { Self("segment", count) }
  /// The crossbar of a block.
  public static var blockCrossbar: Self { Self("crossbar", count) }
}

extension AttributeKey where Value == Int64 {
  /// The zero point of quantized values.
  public static var zero: Self { Self("zero", anyInt) }
  /// The lower clamp of quantized values.
  public static var low: Self { Self("low", anyInt) }
  /// The upper clamp of quantized values.
  public static var high: Self { Self("high", anyInt) }
  /// The integer that stands outside of an image.
  public static var padding: Self { Self("padding", anyInt) }
  /// What is added to the weights of a layer.
  public static var offset: Self { Self("offset", .int(0...1 << 32)) }
}

extension AttributeKey where Value == Float {
  /// What a normalization adds to the variance.
  public static var epsilon: Self { Self("epsilon", .float) }
  /// The step between neighbouring quantized values.
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
  /// The type of the inputs of a layer.
  public static var inputs: Self { Self("inputs", .element) }
  /// How signed weights of a layer become cell levels.
  public static var encoding: Self { Self("encoding", encodings) }
  /// How input buffers of a layer are filled.
  public static var fetch: Self { Self("fetch", fetchOrders) }
}

extension AttributeKey where Value == Bool {
  /// Whether the last part comes first.
  public static var reverse: Self { Self("reverse", flag) }
  /// Whether bit vectors say which inputs and outputs of a layer are in use.
  public static var vectors: Self { Self("vectors", flag) }
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
  /// How much a pad adds behind the elements of each axis.
  public static var after: Self { Self("after", .ints) }
  /// Where a slice begins on each axis.
  public static var sliceStart: Self { Self("start", .ints) }
  /// Before which element a slice ends on each axis.
  public static var sliceEnd: Self { Self("end", .ints) }
  /// The wordline and the bitline of a block in its crossbar.
  public static var corner: Self { Self("at", .ints) }
}

extension AttributeKey where Value == [Float] {
  /// The smallest and the largest value that calibration saw.
  public static var range: Self { Self("range", .floats) }
}

extension AttributeKey where Value == [RowEntry] {
  /// What drives the wordlines of a block.
  public static var blockRows: Self { Self("rows", .rows) }
}

extension AttributeKey where Value == [ColumnEntry] {
  /// What the bitlines of a block add to.
  public static var blockColumns: Self { Self("columns", .columns) }
  /// The natural bitlines of a layer.
  public static var bitlines: Self { Self("bitlines", .columns) }
}

extension AttributeKey where Value == IndexCoding {
  /// How the wordline table of a block is stored.
  public static var rowIndex: Self { Self("row-index", .index) }
  /// How the bitline table of a block is stored.
  public static var columnIndex: Self { Self("column-index", .index) }
}

extension AttributeKey where Value == UnitForming {
  /// How operation units of a block are formed.
  public static var units: Self { Self("units", .units) }
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
  /// Which elements a `take` takes.
  public static var indices: Self { Self("indices", .tensor) }
}
