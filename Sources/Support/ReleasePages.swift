import Glibc

/// Gives the memory of `bytes[range]` back to the system, as far as it is whole pages: these bytes are 0 from then on.
///
/// For what was read for the last time of an array that is read from one end to the other, while something of the same
/// size is made of it.
public func releasePages(of bytes: inout [UInt8], _ range: Range<Int>) {
  let page = sysconf(Int32(_SC_PAGESIZE))
  guard page > 0, range.lowerBound >= 0, range.upperBound <= bytes.count else { return }
  bytes.withUnsafeMutableBytes { memory in
    guard let base = memory.baseAddress else { return }
    let address = Int(bitPattern: base)
    let first = (address + range.lowerBound + page - 1) / page * page
    let end = (address + range.upperBound) / page * page
    if first < end { madvise(base + (first - address), end - first, MADV_DONTNEED) }
  }
}
