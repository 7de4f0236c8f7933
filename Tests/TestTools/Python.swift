import Foundation

/// The Python interpreter that tests compare with: `XBAR_PYTHON`, or `python3`.
public enum Python {
  /// Its path or name.
  public static let command = ProcessInfo.processInfo.environment["XBAR_PYTHON"] ?? "python3"

  /// What it prints with these arguments, both streams together; nil where it fails, and then what it says is printed
  /// unless `isQuiet`.
  public static func output(_ arguments: [String], isQuiet: Bool = false) -> String? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [command] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    guard (try? process.run()) != nil else { return nil }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    if process.terminationStatus == 0 { return text }
    if !isQuiet { print(text) }
    return nil
  }

  /// Whether it has these modules, such as `onnx, onnxruntime`.
  public static func has(_ modules: String) -> Bool {
    output(["-c", "import \(modules)"], isQuiet: true) != nil
  }
}
