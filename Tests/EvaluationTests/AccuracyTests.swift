import Evaluation
import Support
import TestTools
import Testing

@Suite struct AccuracyTests {
  @Test func countsRanks() throws {
    let scores: [Float] = [0.1, 0.9, 0.5, 0.2, 0.3, 0.4, 0.05]
    for (label, top1, top5) in [(1, 1, 1), (2, 0, 1), (3, 0, 1), (0, 0, 0), (6, 0, 0)] {
      let accuracy = try Accuracy(scores: scores, classes: 7, labels: [label])
      #expect(accuracy.top1 == top1 && accuracy.top5 == top5, "\(label)")
    }
  }

  @Test func equalScoresFavorTheLowerClass() throws {
    #expect(try Accuracy(scores: [1, 1, 0], classes: 3, labels: [0]).top1 == 1)
    #expect(try Accuracy(scores: [1, 1, 0], classes: 3, labels: [1]).top1 == 0)
  }

  @Test func undefinedScoresAreWrong() throws {
    #expect(try Accuracy(scores: [.nan, 1], classes: 2, labels: [0]).top5 == 0)
  }

  /// What ArgMax gives is the class itself.
  @Test func oneNumberIsTheClass() throws {
    let accuracy = try Accuracy(scores: [3, 0, 7, 7], classes: 1, labels: [3, 1, 7, 2])
    #expect(accuracy.top1 == 2 && accuracy.top5 == 2)
    for scores in [[0.5, 1], [-1, 1], [.nan, 1], [1]] as [[Float]] {
      #expect(
        refusal { () throws(Diagnostic) in _ = try Accuracy(scores: scores, classes: 1, labels: [1, 1]) }?.id
          == "samples.labels")
    }
  }

  @Test func refusesLabelsBeyondTheClasses() {
    #expect(
      refusal { () throws(Diagnostic) in _ = try Accuracy(scores: [1, 2], classes: 2, labels: [2]) }?.id
        == "samples.labels")
  }
}
