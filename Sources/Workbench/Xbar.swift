import CommandLineTools
import Driver
import Support

/// Every command of `xbar` with its help.
let xbarProgram = ProgramSpec(
  name: "xbar", summary: "compares schemes and devices by compiling and running programs",
  commands: [compareSpec, sweepSpec, errorRateSpec, devicesSpec, nonidealitiesSpec])

/// Runs `xbar` with the words of its command line; returns the exit status.
public func runXbar(_ words: [String]) -> Int32 {
  runCommand(name: "xbar") { () throws(DiagnosticList) in
    let request: CommandLineRequest
    do throws(Diagnostic) {
      if let text = versionText(words, of: "xbar") { return try printOut(text) }
      request = try xbarProgram.parse(words) { path throws(Diagnostic) in try modelDataFiles(path) }
      if case .help(let text) = request { return try printOut(text) }
    } catch {
      throw DiagnosticList(error)
    }
    guard case .run(let command, let arguments) = request else { return }
    show(arguments.warnings)
    if command.name == "xbar compare" { return try compareCommand(arguments) }
    do throws(Diagnostic) { try runSimple(command, arguments) } catch { throw DiagnosticList(error) }
  }
}

private func runSimple(_ command: CommandSpec, _ arguments: ParsedArguments) throws(Diagnostic) {
  switch command.name {
  case "xbar sweep": try sweepCommand(arguments)
  case "xbar error-rate": try errorRateCommand(arguments)
  case "xbar nonidealities": try printOut(describeNonidealities())
  default: try devicesCommand(arguments)
  }
}
