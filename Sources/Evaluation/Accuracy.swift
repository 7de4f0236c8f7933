public import Support

/// How many samples have their class among the highest scores.
public struct Accuracy: Equatable, Sendable {
  /// Samples whose class has the highest score; of equal scores the one of the lower class counts as higher.
  public let top1: Int
  /// Samples whose class has one of the five highest scores.
  public let top5: Int
  /// How many samples there were.
  public let samples: Int

  /// The 95 % interval of the share of `top1`; nil for no samples.
  public var top1Interval: ShareInterval? { ShareInterval(hits: top1, of: samples) }
  /// The same of `top5`.
  public var top5Interval: ShareInterval? { ShareInterval(hits: top5, of: samples) }

  /// Compares `scores`, `classes` for each sample, with `labels`. One number for each sample is the class itself, as
  /// ArgMax gives it.
  ///
  /// Throws `samples.labels` where a label is not below `classes`, and where one number is no class.
  public init(scores: [Float], classes: Int, labels: [Int]) throws(Diagnostic) {
    samples = labels.count
    if classes == 1 {
      top1 = try samplesRight(places: scores, labels: labels)
      top5 = top1
      return
    }
    var first = 0
    var five = 0
    for (sample, label) in labels.enumerated() {
      guard label < classes, scores.count >= (sample + 1) * classes else {
        throw Diagnostic(
          "samples.labels", "label \(label) of sample \(sample), but the output has \(classes) classes")
      }
      let row = scores[sample * classes..<(sample + 1) * classes]
      guard let rank = rank(of: label, in: row) else { continue }
      first += rank < 1 ? 1 : 0
      five += rank < 5 ? 1 : 0
    }
    top1 = first
    top5 = five
  }
}

/// How many of the classes that are given are the label of their sample.
private func samplesRight(places: [Float], labels: [Int]) throws(Diagnostic) -> Int {
  guard places.count >= labels.count, places.allSatisfy({ $0 >= 0 && $0 == $0.rounded() }) else {
    throw Diagnostic(
      "samples.labels", "the output is one number, which is no class in some sample",
      notes: [
        "labels are compared with scores of classes, or with the place of the largest as ArgMax gives it"
      ])
  }
  return zip(places, labels).count { $0 == Float($1) }
}

/// How many scores precede that of `label`; nil where it is not a number.
private func rank(of label: Int, in row: ArraySlice<Float>) -> Int? {
  let own = row[row.startIndex + label]
  guard !own.isNaN else { return nil }
  var before = 0
  for (index, score) in row.enumerated() where score > own || (score == own && index < label) { before += 1 }
  return before
}
