public import Support

/// Names the files that the model at a path needs besides itself.
public typealias ModelFiles = (String) throws(Diagnostic) -> [String]

/// A file of a command line.
private struct NamedFile {
  /// What the user knows it by, such as `--report`.
  let label: String
  let path: String
  let identity: FileIdentity
  let reading: FileUse.Reading
}

extension CommandSpec {
  /// Compares all files that the command line names, by what they are and not by how they are spelled.
  ///
  /// Throws `usage.same-file` where an output would replace an input, or two outputs are the same; `usage.pipe` where a
  /// pipe would have to be read twice; and what `modelFiles` throws.
  func checkFiles(_ parsed: inout ParsedArguments, _ modelFiles: ModelFiles) throws(Diagnostic) {
    let named = namedValues(parsed)
    var inputs: [NamedFile] = []
    var outputs: [NamedFile] = []
    for (label, path, use) in named {
      inputs += inputFiles(label, path, use)
      outputs += outputFiles(label, path, use, parsed)
    }
    parsed.takesStandardOutput = outputs.contains { FileIdentity.isStandardOutput($0.path) }
    if !outputs.isEmpty {
      for (label, path, use) in named where isModelFile(path, use) {
        inputs += try modelFiles(path).compactMap { file in
          FileIdentity(input: file).map {
            NamedFile(label: "a data file of \(label)", path: file, identity: $0, reading: .once)
          }
        }
      }
    }
    if !parsed.takesStandardOutput, let identity = FileIdentity.standardOutputFile {
      outputs.append(NamedFile(label: "standard output", path: "-", identity: identity, reading: .once))
    }
    try checkStreams(inputs)
    try checkOutputs(outputs, inputs)
  }

  /// Every value that names a file, with what the user knows it by.
  private func namedValues(_ parsed: ParsedArguments) -> [(label: String, path: String, use: FileUse)] {
    zip(positionals, parsed.positionals).map { ($0.name, $1, $0.file) }
      + options.flatMap { option in
        parsed.values(option.name).map { ("--\(option.name)", $0, option.file) }
      }
  }

  private func inputFiles(_ label: String, _ path: String, _ use: FileUse) -> [NamedFile] {
    func file(_ path: String, _ reading: FileUse.Reading) -> [NamedFile] {
      FileIdentity(input: path).map {
        [NamedFile(label: label, path: path, identity: $0, reading: reading)]
      } ?? []
    }
    switch use {
    case .none, .output: return []
    case .input(.text, let reading): return file(path, reading) + file(path + sideFileSuffix, reading)
    case .input(_, let reading): return file(path, reading)
    case .nameOrInput(let reading):
      let words = path.split(separator: ",").map { $0.filter { $0 != " " } }
      return words.filter(namesFile).flatMap { file($0, reading) }
    }
  }

  private func outputFiles(
    _ label: String, _ path: String, _ use: FileUse, _ parsed: ParsedArguments
  ) -> [NamedFile] {
    func file(_ path: String) -> [NamedFile] {
      FileIdentity(output: path).map {
        [NamedFile(label: label, path: path, identity: $0, reading: .once)]
      } ?? []
    }
    guard case .output(let side) = use else { return [] }
    let main = file(path)
    let hasSide: Bool
    switch side {
    case .never: hasSide = false
    case .always: hasSide = true
    case .ifOption(let name, let values): hasSide = parsed.value(name).map { values.contains($0) } ?? false
    }
    return hasSide && main.first?.identity.kind == .file ? main + file(path + sideFileSuffix) : main
  }

  private func isModelFile(_ path: String, _ use: FileUse) -> Bool {
    guard case .input(.model, _) = use else { return false }
    return FileIdentity(input: path)?.kind == .file && path != "-"
  }

  /// What a pipe delivers is gone when it was read.
  private func checkStreams(_ inputs: [NamedFile]) throws(Diagnostic) {
    for (index, file) in inputs.enumerated() where file.identity.kind == .stream || file.path == "-" {
      if file.reading == .again {
        throw Diagnostic(
          "usage.pipe", "\(file.label) is read several times and cannot come through a pipe",
          notes: ["write it to a file first"])
      }
      if let other = inputs[..<index].first(where: { $0.identity == file.identity }) {
        throw Diagnostic(
          "usage.same-file", "\(other.label) and \(file.label) name \(place(file))",
          notes: ["a pipe can be read once: give one of them a file"])
      }
    }
  }

  private func checkOutputs(_ outputs: [NamedFile], _ inputs: [NamedFile]) throws(Diagnostic) {
    for (index, file) in outputs.enumerated() {
      if file.identity.kind == .file, let input = inputs.first(where: { $0.identity == file.identity }) {
        throw Diagnostic(
          "usage.same-file", "\(file.label) and \(input.label) name \(place(input)), which would be replaced",
          notes: ["give \(file.label) another name"])
      }
      if let other = outputs[..<index].first(where: { $0.identity == file.identity }) {
        throw Diagnostic(
          "usage.same-file", "\(other.label) and \(file.label) name \(place(other))",
          notes: ["give each a name of its own"])
      }
    }
  }

  private func place(_ file: NamedFile) -> String {
    file.identity.kind == .stream ? "the same stream" : "the same file '\(file.path)'"
  }
}
