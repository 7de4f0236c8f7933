import CommandLineTools
import Support

/// `xbar devices` with its help.
let devicesSpec = CommandSpec(
  name: "xbar devices", summary: "lists the devices, or every figure of one with its source",
  positionals: [
    PositionalSpec("NAME|FILE.json", file: .nameOrInput(), required: false, "the device to explain")
  ],
  options: [OptionSpec(flag: "json", "the device's file, as a start for one of your own")],
  examples: [
    ExampleSpec("xbar devices dlrsim", "every figure with its unit and its source"),
    ExampleSpec(
      "xbar devices dlrsim --json > own.json", "a file to change and to give to --device own.json"),
  ])

/// `xbar nonidealities` with its help.
let nonidealitiesSpec = CommandSpec(
  name: "xbar nonidealities", formerVerb: "effects",
  summary: "lists the non-idealities that a device may have, and the figures that say how large they are",
  examples: [
    ExampleSpec("xbar nonidealities", "names for --only, --without, --set-device and --over")
  ])

/// Runs `xbar devices`.
func devicesCommand(_ arguments: ParsedArguments) throws(Diagnostic) {
  let name = arguments.positional(0)
  guard arguments.has("json") else { return try printOut(try describeDevices(name)) }
  guard let name else {
    throw Diagnostic(
      "usage.missing-argument", "--json needs the name of a device",
      notes: ["write 'xbar devices NAME --json'"])
  }
  try writeFile(try deviceBytes(name), to: "-")
}
