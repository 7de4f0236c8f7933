import Foundation
import Testing

/// What each module of the package may import: the table of Package.swift once more, as policy.
private let allowed: [String: Set<String>] = [
  "Support": ["CFiles"],
  "Tensors": ["Support", "CZ"],
  "Hardware": ["Support"],
  "ONNX": ["Support", "COnnx", "CProtobufC"],
  "Mapping": ["Support", "Tensors", "Hardware"],
  "IR": ["Support", "Tensors", "Hardware", "Mapping"],
  "Import": ["Support", "Tensors", "ONNX", "IR"],
  "Evaluator": ["Support", "Tensors", "Hardware", "Mapping", "IR"],
  "Passes": ["Support", "Tensors", "Hardware", "Mapping", "IR", "Evaluator"],
  "ProgramFormat": ["Support", "Tensors", "Hardware", "Mapping"],
  "CodeGen": ["Support", "Tensors", "Hardware", "Mapping", "IR", "Passes", "ProgramFormat"],
  "DeviceModel": ["Support", "Hardware", "Mapping", "CKernels"],
  "Executor": ["Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "DeviceModel", "CKernels"],
  "Evaluation": ["Support", "Tensors"],
  "Report": ["Support"],
  "CommandLineTools": ["Support", "Report"],
  "Driver": [
    "Support", "Tensors", "Hardware", "Mapping", "ONNX", "IR", "Import", "Passes", "Evaluator",
    "ProgramFormat", "CodeGen", "Evaluation", "Report", "CommandLineTools",
  ],
  "RunDriver": [
    "Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "DeviceModel", "Executor", "Evaluation",
    "Report", "CommandLineTools",
  ],
  "Workbench": [
    "Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "DeviceModel", "Driver", "RunDriver",
    "Executor", "Evaluation", "Report", "CommandLineTools",
  ],
  "xbarc": ["CommandLineTools", "Driver"],
  "xbarrun": ["CommandLineTools", "RunDriver"],
  "xbar": ["CommandLineTools", "Workbench"],
]

/// Modules of the toolchain that any module may import.
private let system: Set<String> = [
  "Foundation", "FoundationEssentials", "Glibc", "Dispatch", "Synchronization",
]

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// The modules that the Swift files of a module import.
private func imports(of module: String) throws -> [(file: String, imported: String)] {
  let folder = root.appending(path: "Sources/\(module)")
  let files =
    FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?
    .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" } ?? []
  return try files.flatMap { file in
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
      var words = line.split(separator: " ").map(String.init)
      if let first = words.first,
        ["public", "internal", "package", "@testable", "@preconcurrency"].contains(first)
      {
        words.removeFirst()
      }
      guard words.first == "import", words.count == 2 else { return nil }
      return (file.lastPathComponent, words[1])
    }
  }
}

@Test(arguments: allowed.keys.sorted()) func importsStayInsideTheTable(module: String) throws {
  let found = try imports(of: module)
  #expect(!found.isEmpty || module == "Support" || module == "Report", "no imports found in \(module)")
  for (file, imported) in found where !system.contains(imported) {
    #expect(allowed[module]?.contains(imported) == true, "\(module)/\(file) imports \(imported)")
  }
}

@Test func everyModuleIsInTheTable() throws {
  let folders = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path())
  let swiftModules = folders.filter { !["CProtobufC", "CZ", "COnnx", "CKernels", "CFiles"].contains($0) }
  #expect(Set(swiftModules) == Set(allowed.keys))
}

/// Promises about files hold because nothing else opens, moves or removes them.
@Test func filesAreOpenedInOnePlace() throws {
  let calls =
    /\b(?:open|openat|creat|rename|renameat|fopen|mkstemp|unlink|truncate)\(|FileHandle|FileManager|createFile|contentsOfFile|\(contentsOf: URL/
  var openers: Set<String> = []
  for module in allowed.keys {
    let folder = root.appending(path: "Sources/\(module)")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.allObjects ?? []
    for case let file as URL in files where file.pathExtension == "swift" {
      if try String(contentsOf: file, encoding: .utf8).contains(calls) {
        openers.insert(file.lastPathComponent)
      }
    }
  }
  #expect(openers == ["InputFile.swift", "OutputFile.swift", "TemporaryFile.swift"])
}

/// A pass takes the layout of its results from `Tensors`, so that the evaluator can check it.
@Test func passesImportTheEvaluatorOnlyToEvaluate() throws {
  let files = try imports(of: "Passes").filter { $0.imported == "Evaluator" }.map(\.file)
  #expect(files.sorted() == ["Calibrate.swift", "FoldConstants.swift", "SqueezeBits.swift"])
}

/// Everything that a module reaches over the table.
private func reach(_ module: String) -> Set<String> {
  var found: Set<String> = []
  var open = [module]
  while let next = open.popLast() {
    for other in allowed[next] ?? [] where found.insert(other).inserted { open.append(other) }
  }
  return found
}

@Test func theTwoSidesMeetOnlyInTheProgram() {
  for module in ["ProgramFormat", "DeviceModel", "Executor", "RunDriver", "xbarrun"] {
    #expect(
      reach(module).isDisjoint(with: ["IR", "Import", "Passes", "ONNX", "Evaluator", "CodeGen", "Driver"]))
  }
  for module in ["IR", "Import", "Passes", "Evaluator", "CodeGen", "Driver", "xbarc"] {
    #expect(reach(module).isDisjoint(with: ["DeviceModel", "Executor", "RunDriver"]))
  }
}

/// The walks of docs/architecture.md: their files are there, and none returns to a module that it left.
@Test func walksOfTheArchitectureGoThroughTheSources() throws {
  let text = try String(contentsOf: root.appending(path: "docs/architecture.md"), encoding: .utf8)
  let walks = text.components(separatedBy: "\n## ").map {
    $0.matches(of: /\| \d+ \| `Sources\/(\w+)\/([\w\/]+\.swift)`/)
  }
  .filter { !$0.isEmpty }
  #expect(walks.count == 2 && walks.allSatisfy { $0.count > 7 })
  for walk in walks {
    var left: Set<Substring> = []
    for (hop, before) in zip(walk, [nil] + walk.map { Optional($0.1) }) {
      if let before, before != hop.1 { left.insert(before) }
      #expect(!left.contains(hop.1), "the walk comes back to \(hop.1)")
      let file = root.appending(path: "Sources/\(hop.1)/\(hop.2)").path
      #expect(FileManager.default.fileExists(atPath: file), "\(file)")
    }
  }
  let sources =
    FileManager.default.enumerator(at: root.appending(path: "Sources"), includingPropertiesForKeys: nil)?
    .compactMap { ($0 as? URL)?.lastPathComponent } ?? []
  for name in text.matches(of: /`(?:\w+\/)*(\w+\.swift)`/) where name.1 != "Package.swift" {
    #expect(sources.contains(String(name.1)), "\(name.1)")
  }
}
