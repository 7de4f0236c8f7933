public import Support

extension Device {
  /// The names of the devices that come with the executor.
  public static let names = [
    "ideal", "dlrsim", "ratio6", "ratio10", "ratio50", "ratio50-fine", "hfox-1t1r", "issc18",
  ]

  /// The device called `name`, with the source of every figure; throws `device.unknown` for any other name.
  public static func file(named name: String) throws(Diagnostic) -> DeviceFile {
    try DeviceFile(json: bytes(named: name), file: "\(name).json")
  }

  /// The text of the file of the device called `name`, in UTF-8: a start for a description of one's own.
  public static func bytes(named name: String) throws(Diagnostic) -> [UInt8] {
    switch name {
    case "ideal": return PackageResources.ideal_json
    case "dlrsim": return PackageResources.dlrsim_json
    case "ratio6": return PackageResources.ratio6_json
    case "ratio10": return PackageResources.ratio10_json
    case "ratio50": return PackageResources.ratio50_json
    case "ratio50-fine": return PackageResources.ratio50_fine_json
    case "hfox-1t1r": return PackageResources.hfox_1t1r_json
    case "issc18": return PackageResources.issc18_json
    default:
      let near = nearest(name, in: names).map { ["did you mean '\($0)'?"] } ?? []
      throw Diagnostic(
        "device.unknown", "no device is called '\(name.prefix(100))'",
        notes: near + ["devices: \(names.joined(separator: ", "))", "a file is taken by its name with .json"])
    }
  }

  /// The device called `name`, or that of a file where the name ends with `.json` or has a slash; throws
  /// `device.unknown` and what `DeviceFile` and reading a file throw.
  public init(nameOrPath name: String) throws(Diagnostic) {
    guard namesFile(name) else {
      self = try Device.file(named: name).device
      return
    }
    let bytes = try InputFile(path: name).withBytes { Array($0) }
    self = try DeviceFile(json: bytes, file: name).device
  }
}
