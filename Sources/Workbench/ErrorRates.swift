import Report
import CommandLineTools
import DeviceModel
import Hardware
import Mapping
import RunDriver
import Support

/// `xbar error-rate` with its help.
let errorRateSpec = CommandSpec(
  name: "xbar error-rate", formerVerb: "errors",
  summary: "reports how often single conversions of a device are wrong, by active wordlines and references",
  options: [
    OptionSpec(
      "device", value: "NAME|FILE.json,...", file: .nameOrInput(), required: true,
      "the devices, see 'xbar devices'"),
    OptionSpec("height", value: "VALUES", "wordlines of a unit (default: 4,9,16,32)"),
    OptionSpec("cell-bits", value: "B", "bits of a cell (default: 1)"),
    OptionSpec(
      "samples", value: "N", "units for each number of active wordlines (default: 100000)"),
  ] + TrialOptions.figures + [
    OptionSpec("seed", value: "S", "seed of all random draws (default: 0)"),
    OptionSpec("csv", value: "R.csv", file: .output(), "write the table as CSV"),
    OptionSpec(flag: "markdown", "print the table as Markdown"),
  ],
  examples: [
    ExampleSpec("xbar error-rate --device ratio6,ratio10,ratio50", "error rates of three cells"),
    ExampleSpec(
      "xbar error-rate --device ratio10 --height 2..128 --set-device sigma=0.1", "more wordlines, less spread"
    ),
  ],
  remarks: [
    "Levels and digits of a bit are uniformly random, converters as wide as the largest sum. IR drop and analog pairs need a "
      + "program: they are left out here."
  ])

/// Error rates of one device with one kind of references.
private struct ErrorRates {
  let device: String
  let references: Sensing.References
  /// One for each height.
  let rates: [Double]
}

/// Runs `xbar error-rate`.
func errorRateCommand(_ arguments: ParsedArguments) throws(Diagnostic) {
  let heights = try unitHeights(arguments.value("height") ?? "4,9,16,32")
  let samples = try arguments.integer("samples", in: 100...10_000_000) ?? 100_000
  let cellBits = try arguments.integer("cell-bits", in: 1...4) ?? 1
  let settings = try TrialSettings.forEachDevice(arguments)
  var rows: [ErrorRates] = []
  for setting in settings {
    for references in Sensing.References.allCases {
      var device = setting.device
      device.sensing.references = references
      let rates = heights.map { height in
        errorRate(device, height: height, cellBits: cellBits, samples: samples, seed: setting.seed)
      }
      rows.append(ErrorRates(device: device.name, references: references, rates: rates))
    }
  }
  let table = errorTable(rows, heights)
  if let path = arguments.value("csv") { try writeFile(text: errorCSV(rows, heights).text, to: path) }
  if !arguments.takesStandardOutput {
    try printOut(arguments.has("markdown") ? table.markdown : table.plain)
  }
}

/// Heights of units, from 1 to 256.
private func unitHeights(_ text: String) throws(Diagnostic) -> [Int] {
  var heights: [Int] = []
  for value in try axisValues(text, of: "height", span: .powersOfTwo) {
    guard let height = value.number.flatMap({ Int(exactly: $0) }), (1...256).contains(height) else {
      throw Diagnostic("sweep.values", "a unit has 1 to 256 wordlines, not '\(value.text)'")
    }
    heights.append(height)
  }
  return heights
}

/// The share of wrong codes of units of `height` wordlines, each active with a probability of 1/2.
func errorRate(_ device: Device, height: Int, cellBits: Int, samples: Int, seed: UInt64) -> Double {
  let levels = 1 << cellBits
  let table = ErrorTable(
    device, shares: [Double](repeating: 1, count: levels), height: height,
    converter: Converter(bits: bitWidth(of: height * (levels - 1))), samples: samples, seed: seed)
  // Powers of two from 2^-256 on are exact.
  var (chance, rate) = (1 / Double(sign: .plus, exponent: height, significand: 1), 0.0)
  for active in 0...height {
    rate += chance * table.errorRates[active]
    chance *= Double(height - active) / Double(active + 1)
  }
  return rate
}

private func errorTable(_ rows: [ErrorRates], _ heights: [Int]) -> TextTable {
  var table = TextTable(
    [.init("device", .left), .init("references", .left)] + heights.map { .init("h = \($0)") })
  for row in rows {
    table.add([row.device, row.references.rawValue] + row.rates.map { fixed($0, decimals: 4) })
  }
  return table
}

private func errorCSV(_ rows: [ErrorRates], _ heights: [Int]) -> CSVTable {
  let points = rows.flatMap { row in
    heights.indices.map { (row: row, height: heights[$0], rate: row.rates[$0]) }
  }
  return CSVTable(
    points,
    columns: [
      .init("device") { .text($0.row.device) }, .init("references") { .text($0.row.references.rawValue) },
      .init("height") { .integer($0.height) }, .init("errorRate") { .number($0.rate) },
    ])
}
