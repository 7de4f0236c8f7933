import Report
public import CommandLineTools
import DeviceModel
import Executor
public import Support

/// The options that say on which device a program runs and how often: the same for every command that runs one.
public enum TrialOptions {
  /// The device.
  public static let device = OptionSpec(
    "device", value: "NAME|FILE.json", file: .nameOrInput(),
    "the device model, see 'xbar devices' (default: ideal)")

  /// What is changed in the figures of the device.
  public static let figures = [
    OptionSpec(
      "set-device", value: "NAME=VALUE,...", "change figures of the device, such as 'sigma=0.1,ratio=50'"),
    OptionSpec(
      "only", value: "NAMES",
      "switch off all non-idealities of the device but these, see 'xbar nonidealities'"),
    OptionSpec("without", value: "NAMES", "switch off these non-idealities of the device"),
  ]

  /// What is changed in the device, known stuck cells with it.
  public static let changes =
    figures + [
      OptionSpec(
        "faults", value: "F.csv", file: .input(),
        "stuck cells, a line for each: crossbar,row,column,on|off|LEVEL")
    ]

  /// How many trials are made.
  public static let trials = [
    OptionSpec("trials", value: "N", "program the cells N times and run all samples on each"),
    OptionSpec(
      "stop-when", value: "ci=P", "stop when the 95 % interval of the mean accuracy is within P points"),
    OptionSpec("seed", value: "S", "seed of all random draws (default: 0)"),
    OptionSpec(
      "mode", value: "direct|table",
      "sense the current of every conversion, or draw its code from an error table (default: direct)"
    ),
  ]

  /// All of them, in the order of the help.
  public static let all = [device] + changes + trials + [strictOption]

  /// What the options change in a device, as written: for titles and files.
  public static func changes(in arguments: ParsedArguments) -> [String] {
    let settings = words(arguments.value("set-device"))
    let switches = ["only", "without", "faults", "mode"].compactMap { name in
      arguments.value(name).map { "\(name) \($0)" }
    }
    return settings + switches
  }
}

extension TrialSettings {
  /// The trials that the options ask for on one device.
  public init(_ arguments: ParsedArguments) throws(Diagnostic) {
    self = try TrialSettings(arguments, device: arguments.value("device") ?? "ideal")
  }

  /// The trials that the options ask for on each device of a list with commas.
  public static func forEachDevice(_ arguments: ParsedArguments) throws(Diagnostic) -> [TrialSettings] {
    var all: [TrialSettings] = []
    for name in words(arguments.value("device") ?? "ideal") {
      let settings = try TrialSettings(arguments, device: name)
      guard !all.contains(where: { $0.device.name == settings.device.name }) else {
        throw Diagnostic(
          "usage.value", "two devices are called '\(settings.device.name)'",
          notes: ["a device file tells its name as \"name\""])
      }
      all.append(settings)
    }
    guard !all.isEmpty else { throw Diagnostic("usage.value", "--device names no device") }
    return all
  }

  private init(_ arguments: ParsedArguments, device name: String) throws(Diagnostic) {
    let plain = try withFigures(try named(name), arguments)
    self.init(device: try switched(plain, arguments))
    trials = try arguments.integer("trials", in: 1...1_000_000) ?? 1
    seed = try arguments.unsigned("seed") ?? 0
    if let path = arguments.value("faults") {
      let bytes = try InputFile(path: path).withBytes { Array($0) }
      faults = try FaultMap(csv: bytes, file: path)
      try requireStuckCells(arguments)
    }
    if let text = arguments.value("stop-when") { stopHalfWidth = try halfWidth(text) }
    if let text = arguments.value("mode") { mode = try evaluationMode(text) }
    warnings = try withoutEffect(arguments, plain)
  }

  /// What the options ask for in vain, of a device `plain` before its non-idealities are switched off.
  private func withoutEffect(_ arguments: ParsedArguments, _ plain: Device) throws(Diagnostic) -> [Diagnostic]
  {
    var found: [Diagnostic] = []
    if isIdeal, trials > 1 {
      found.append(noEffect("--trials has no effect: all trials on an ideal device are the same"))
    }
    if isIdeal, mode == .table {
      found.append(noEffect("--mode table has no effect: an ideal device has no errors to draw"))
    }
    if stopHalfWidth != nil, trials == 1 {
      found.append(noEffect("--stop-when has no effect on a single trial", notes: ["give --trials N"]))
    }
    for kept in try nonidealities(arguments.value("only"), silently: true)
    where !plain.isOn(kept) && !(kept == .stuckCells && faults.count > 0) {
      found.append(
        noEffect("--only \(kept.rawValue) has no effect: the device '\(plain.name)' does not have it"))
    }
    let setsTime = words(arguments.value("set-device")).contains { $0.hasPrefix("drift.seconds=") }
    if setsTime, plain.drift.seconds > 0, !plain.isOn(.drift) {
      found.append(
        noEffect(
          plain.drift.logarithm > 0
            ? "drift.seconds has no effect: drift.on, drift.off and drift.spread are 0"
            : "drift.seconds has no effect: it is not beyond drift.referenceSeconds"))
    }
    return found
  }
}

/// Throws `usage.conflict` where stuck cells are switched off, so that a map of them would have no effect.
private func requireStuckCells(_ arguments: ParsedArguments) throws(Diagnostic) {
  if try nonidealities(arguments.value("without"), silently: true).contains(.stuckCells) {
    throw Diagnostic("usage.conflict", "--faults names stuck cells, which --without switches off")
  }
  if arguments.has("only"), try !nonidealities(arguments.value("only"), silently: true).contains(.stuckCells)
  {
    throw Diagnostic(
      "usage.conflict", "--faults names stuck cells, which --only switches off",
      notes: ["add stuck-cells to --only"])
  }
}

/// A device by name or from a file.
private func named(_ name: String) throws(Diagnostic) -> Device {
  do throws(Diagnostic) { return try Device(nameOrPath: name) } catch { throw error.inOption("device") }
}

/// The device with its figures changed.
private func withFigures(_ device: Device, _ arguments: ParsedArguments) throws(Diagnostic) -> Device {
  var settings: [(name: String, text: String)] = []
  for setting in words(arguments.value("set-device")) {
    let parts = setting.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
    guard parts.count == 2 else {
      throw Diagnostic(
        "usage.value", "'\(setting)' is no setting", notes: ["write NAME=VALUE, such as sigma=0.1"]
      ).inOption("set-device")
    }
    guard !settings.contains(where: { $0.name == parts[0] }) else {
      throw Diagnostic("usage.repeated", "--set-device names '\(parts[0].prefix(100))' twice")
    }
    settings.append((parts[0], parts[1]))
  }
  do throws(Diagnostic) { return try device.settings(settings) } catch { throw error.inOption("set-device") }
}

/// The device with non-idealities switched off.
private func switched(_ device: Device, _ arguments: ParsedArguments) throws(Diagnostic) -> Device {
  var device = device
  do throws(Diagnostic) {
    for nonideality in try nonidealities(arguments.value("without")) { device = device.without(nonideality) }
  } catch {
    throw error.inOption("without")
  }
  guard arguments.has("only") else { return device }
  do throws(Diagnostic) {
    let kept = try nonidealities(arguments.value("only"))
    for nonideality in Nonideality.allCases where !kept.contains(nonideality) {
      device = device.without(nonideality)
    }
  } catch {
    throw error.inOption("only")
  }
  return device
}

/// The words of a list with commas, without spaces.
private func words(_ text: String?) -> [String] {
  (text ?? "").split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
}

/// The non-idealities that a list names; a former name gives a warning, unless `silently`.
private func nonidealities(_ text: String?, silently: Bool = false) throws(Diagnostic) -> [Nonideality] {
  var found: [Nonideality] = []
  for name in words(text) {
    if let nonideality = Nonideality(rawValue: name) {
      found.append(nonideality)
    } else if let nonideality = Nonideality.allCases.first(where: { $0.formerName == name }) {
      let warning = Diagnostic(
        "usage.renamed", "'\(name)' is now '\(nonideality.rawValue)'; the former name will go",
        severity: .warning)
      if !silently { show([warning]) }
      found.append(nonideality)
    } else {
      let names = Nonideality.allCases.map(\.rawValue)
      throw Diagnostic(
        "device.nonideality", "no non-ideality is called '\(name.prefix(100))'",
        notes: didYouMean(name, among: names) + ["non-idealities: \(names.joined(separator: ", "))"])
    }
  }
  return found
}

private func evaluationMode(_ text: String) throws(Diagnostic) -> DevicePlan.Mode {
  guard let mode = DevicePlan.Mode(rawValue: text) else {
    let names = DevicePlan.Mode.allCases.map(\.rawValue)
    throw Diagnostic(
      "usage.value", "--mode is '\(text.prefix(100))'", notes: ["modes: \(names.joined(separator: ", "))"])
  }
  return mode
}

/// The share of `ci=0.2`, which is in percent.
private func halfWidth(_ text: String) throws(Diagnostic) -> Double {
  guard text.hasPrefix("ci="), let points = Double(text.dropFirst(3)), points > 0, points <= 100 else {
    throw Diagnostic(
      "usage.value", "--stop-when is '\(text.prefix(100))'",
      notes: ["write ci=0.2 to stop when the mean accuracy is known to 0.2 percentage points"])
  }
  return points / 100
}
