import CPeak
import Support

/// What this machine can do at most, on one thread.
struct Limits {
  /// Bytes copied a second, from memory to memory.
  let bytesCopied: Double
  /// Bytes added a second, in L1.
  let bytesAdded: Double
  /// Products of bytes a second, in registers.
  let byteProducts: Double
  /// The instruction set of these.
  let name: String

  init() throws(Diagnostic) {
    bytesCopied = Limits.copyBandwidth()
    bytesAdded = try Limits.byteAdds()
    var products: UInt64 = 0
    let seconds = try measure(15) { () throws(Diagnostic) in products = peak_byte_products(1 << 22) }
    byteProducts = Double(products) / seconds
    name = String(cString: peak_name())
  }

  private static func copyBandwidth() -> Double {
    let count = 1 << 26
    let source = [UInt8](repeating: 1, count: count)
    var target = [UInt8](repeating: 0, count: count)
    var best = Double.infinity
    for _ in 0..<5 {
      let start = cpuSeconds()
      source.withUnsafeBytes { from in target.withUnsafeMutableBytes { $0.copyMemory(from: from) } }
      best = min(best, cpuSeconds() - start)
    }
    return Double(count) / best
  }

  private static func byteAdds() throws(Diagnostic) -> Double {
    let table = [UInt8](repeating: 1, count: 8192)
    let rounds = 1 << 18
    let seconds = try measure(15) { () throws(Diagnostic) in
      guard peak_byte_adds(table, table.count, rounds) > 0 else {
        throw Diagnostic("bench.peak", "the micro-kernel computed nothing")
      }
    }
    return Double(rounds) * 1024 * 4 / seconds
  }
}
