import Report
import Testing

@Suite("Lines of a table of layers")
struct LayerGroupsTests {
  private func lines(_ names: [String], follows: (Int) -> Bool = { _ in true }) -> [String] {
    let groups = layerGroups(names, follows: follows)
    #expect(
      groups.map(\.members.lowerBound) == [0] + groups.dropLast().map(\.members.upperBound) || names.isEmpty)
    #expect(groups.last?.members.upperBound ?? 0 == names.count)
    return groups.map(\.name)
  }

  @Test func groupsOfAConvolutionAreOneLine() {
    #expect(lines(["stem", "dw.0", "dw.1", "dw.2", "fc"]) == ["stem", "dw (3 groups)", "fc"])
    #expect(lines(["a.0", "a.1", "b.0", "b.1", "b.2"]) == ["a (2 groups)", "b (3 groups)"])
  }

  @Test func otherLayersStandForThemselves() {
    #expect(lines([]) == [])
    #expect(lines(["a.0"]) == ["a.0"])
    #expect(lines(["a.1", "a.2"]) == ["a.1", "a.2"], "groups are counted from 0")
    #expect(lines(["a.0", "a.2"]) == ["a.0", "a.2"])
    #expect(lines(["a.0", "b.1", "a.1"]) == ["a.0", "b.1", "a.1"])
    #expect(lines(["a.0", "a.01"]) == ["a.0", "a.01"])
  }

  /// A model may have products of its own called `fc.0` and `fc.1`.
  @Test func namesAloneDoNotTell() {
    #expect(lines(["fc.0", "fc.1"]) { _ in false } == ["fc.0", "fc.1"])
    #expect(lines(["a.0", "a.1", "a.2", "a.3"]) { $0 != 2 } == ["a (2 groups)", "a.2", "a.3"])
  }
}
