import Foundation

/// The folder of the repository.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// What the first group of `pattern` matches in the Swift files of a folder.
func ids(in folder: String, _ pattern: Regex<(Substring, Substring)>) throws -> Set<String> {
  let root = repository.appending(path: folder)
  var found: Set<String> = []
  for file in try FileManager.default.contentsOfDirectory(atPath: root.path()) where file.hasSuffix(".swift")
  {
    let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
    for match in text.matches(of: pattern) { found.insert(String(match.1)) }
  }
  return found
}
