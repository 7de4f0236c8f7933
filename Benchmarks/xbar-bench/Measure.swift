import Foundation
import Glibc
import Support

/// Seconds of processor time that the process has used.
func cpuSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The smallest processor time of several calls.
func measure(_ repeats: Int, _ body: () throws(Diagnostic) -> Void) throws(Diagnostic) -> Double {
  var best = Double.infinity
  for _ in 0..<repeats {
    let start = cpuSeconds()
    try body()
    best = min(best, cpuSeconds() - start)
  }
  return best
}

/// What a program that ran to its end used.
struct ChildUsage {
  /// Seconds by the clock.
  let seconds: Double
  /// Seconds of processor time.
  let processor: Double
  /// The largest resident set, in bytes.
  let peak: Int
}

/// Runs a program that is found by the search path or named by its path; nil where it cannot be run or fails. What it
/// prints is dropped.
func runChild(_ command: [String]) -> ChildUsage? {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for descriptor in Int32(1)...2 {
    posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
  }
  var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
  defer { for argument in arguments { free(argument) } }
  var (child, status, usage) = (pid_t(0), Int32(0), rusage())
  let clock = ContinuousClock.now
  guard let name = command.first, posix_spawnp(&child, name, &actions, nil, &arguments, environ) == 0,
    wait4(child, &status, 0, &usage) == child, status == 0
  else { return nil }
  func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
  let elapsed = (ContinuousClock.now - clock).components
  return ChildUsage(
    seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18,
    processor: seconds(usage.ru_utime) + seconds(usage.ru_stime), peak: usage.ru_maxrss * 1024)
}

/// What a program prints, both streams together; nil where it cannot be run or fails.
func output(of command: [String]) -> String? {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = command
  let pipe = Pipe()
  (process.standardOutput, process.standardError) = (pipe, pipe)
  guard (try? process.run()) != nil else { return nil }
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
}

/// A folder that is removed with its contents when `body` ends.
func withScratchFolder<T>(_ body: (String) throws(Diagnostic) -> T) throws(Diagnostic) -> T {
  let folder = FileManager.default.temporaryDirectory.appending(path: "xbar-bench-\(getpid())").path()
  do {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  } catch {
    throw Diagnostic("bench.folder", "cannot make the folder \(folder)")
  }
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}
