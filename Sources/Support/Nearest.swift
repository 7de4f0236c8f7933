/// The candidate that `word` was most likely meant to be, or nil where none is close: at most half of its letters, and
/// at most a third of the longer word's plus one, may be wrong.
///
/// Capital letters count as small ones, and a swap of neighbors as one mistake (optimal string alignment).
public func nearest(_ word: String, in candidates: [String]) -> String? {
  let letters = Array(word.lowercased().utf8.prefix(64))
  var best: (distance: Int, candidate: String)?
  for candidate in candidates {
    let known = Array(candidate.lowercased().utf8)
    let distance = editDistance(letters, known)
    let limit = min(known.count / 2, max(letters.count, known.count) / 3 + 1)
    if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
  }
  return best?.candidate
}

/// How many insertions, deletions, replacements and swaps of neighbors lead from `a` to `b`.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforePrevious = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var best = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforePrevious[j - 1] + 1) }
      row.append(best)
    }
    beforePrevious = previous
    previous = row
  }
  return previous[b.count]
}
