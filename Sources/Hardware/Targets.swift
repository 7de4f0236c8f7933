public import Support

extension Machine {
  /// The names of the machines that come with the compiler.
  public static let targetNames = ["sre", "isaac", "prime", "issc18", "sme", "recom", "clustered"]

  /// The machine called `name`; throws `target.unknown` for any other name.
  public static func target(named name: String) throws(Diagnostic) -> Machine {
    try targetFile(named: name).machine
  }

  /// The file of the machine called `name`, with the source of every number; throws `target.unknown` for any other
  /// name.
  public static func targetFile(named name: String) throws(Diagnostic) -> TargetFile {
    try TargetFile(json: targetBytes(named: name), file: "\(name).json")
  }

  /// The text of the file of the machine called `name`, in UTF-8: a start for a description of one's own.
  public static func targetBytes(named name: String) throws(Diagnostic) -> [UInt8] {
    switch name {
    case "sre": return PackageResources.sre_json
    case "isaac": return PackageResources.isaac_json
    case "prime": return PackageResources.prime_json
    case "issc18": return PackageResources.issc18_json
    case "sme": return PackageResources.sme_json
    case "recom": return PackageResources.recom_json
    case "clustered": return PackageResources.clustered_json
    default:
      let near = nearest(name, in: targetNames).map { ["did you mean '\($0)'?"] } ?? []
      throw Diagnostic(
        "target.unknown", "no target is called '\(name.prefix(100))'",
        notes: near + ["targets: \(targetNames.joined(separator: ", "))"])
    }
  }

  /// Reads a machine from a target file; throws what `TargetFile` throws.
  public init(json: [UInt8], file: String) throws(Diagnostic) {
    self = try TargetFile(json: json, file: file).machine
  }
}
