import Dispatch
import Synchronization

/// Calls `body` for every index in `0 ..< count` on up to `threads` threads and returns the results in index order.
///
/// The result does not depend on `threads`. The error of the lowest failing index is thrown after all calls ended.
public func parallelMap<T: Sendable, Failure: Error>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) throws(Failure) -> T
) throws(Failure) -> [T] {
  let workers = max(1, min(threads, count))
  if workers <= 1 {
    var results: [T] = []
    results.reserveCapacity(count)
    for index in 0..<count { results.append(try body(index)) }
    return results
  }
  let slots = Mutex([Result<T, Failure>?](repeating: nil, count: count))
  let next = Atomic(0)
  DispatchQueue.concurrentPerform(iterations: workers) { _ in
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      let result = Result { () throws(Failure) -> T in try body(index) }
      slots.withLock { $0[index] = result }
    }
  }
  var results: [T] = []
  results.reserveCapacity(count)
  for slot in slots.withLock({ $0 }) {
    guard let slot else { continue }
    results.append(try slot.get())
  }
  return results
}
