import Report
import DeviceModel
import Support

/// What `xbar devices` prints: all devices in a line each, or one with every figure and its source.
func describeDevices(_ name: String?) throws(Diagnostic) -> String {
  guard let name else {
    var table = TextTable([
      .init("device", .left), .init("non-idealities", .left), .init("what it is", .left),
    ])
    for name in Device.names {
      let device = try Device.file(named: name).device
      table.add([name, nonidealityText(device), device.summary])
    }
    return table.plain + "\n'xbar devices NAME' prints every figure of one with its source, and\n"
      + "'xbar devices NAME --json > own.json' starts a file of your own for '--device own.json'.\n"
  }
  return try describe(try deviceFile(name).file)
}

/// The bytes of a device's file: a start for a description of one's own.
func deviceBytes(_ name: String) throws(Diagnostic) -> [UInt8] { try deviceFile(name).bytes }

/// A device by name or from a file.
private func deviceFile(_ name: String) throws(Diagnostic) -> (file: DeviceFile, bytes: [UInt8]) {
  guard namesFile(name) else {
    return (try Device.file(named: name), try Device.bytes(named: name))
  }
  let bytes = try InputFile(path: name).withBytes { Array($0) }
  return (try DeviceFile(json: bytes, file: name), bytes)
}

private func describe(_ file: DeviceFile) throws(Diagnostic) -> String {
  var table = TextTable([
    .init("figure", .left), .init("value"), .init("unit", .left), .init("source", .left),
  ])
  for figure in file.figures {
    table.add([figure.path, figure.value, unitText(figure.unit), figure.source ?? "none given"])
  }
  let device = file.device
  return "\(device.name): \(device.summary)\nnon-idealities: \(nonidealityText(device))\n\n\(table.plain)"
    + "\nFigures that are not listed are 0, or as 'xbar nonidealities' says.\n"
}

private func nonidealityText(_ device: Device) -> String {
  let names = Nonideality.allCases.filter { device.isOn($0) }.map(\.rawValue)
  return names.isEmpty ? "none" : names.joined(separator: ", ")
}

/// A unit for people: nothing for ratios.
private func unitText(_ unit: String) -> String { ["1", "word"].contains(unit) ? "-" : unit }

/// What `xbar nonidealities` prints: every non-ideality, and every figure that a device may have.
func describeNonidealities() -> String {
  var switches = TextTable([.init("non-ideality", .left), .init("what it is", .left)])
  for nonideality in Nonideality.allCases { switches.add([nonideality.rawValue, nonideality.summary]) }
  var figures = TextTable([
    .init("figure", .left), .init("unit", .left), .init("values", .left), .init("what it is", .left),
  ])
  for field in DeviceField.all {
    figures.add([field.path, unitText(field.unit), field.expectation, field.summary])
  }
  return """
    Non-idealities, for --only and --without:

    \(switches.plain)
    Figures, for --set-device NAME=VALUE, for --over NAME=VALUES of 'xbar sweep', and for device files:

    \(figures.plain)
    Short names: ratio sets cell.offResistance as a multiple of cell.onResistance, sigma sets variation.on and
    variation.off, and sigma-scale multiplies both.

    """
}
