import DeviceModel
import Support
import Testing

@Suite struct FaultMapTests {
  private func map(_ text: String) throws(Diagnostic) -> FaultMap {
    try FaultMap(csv: Array(text.utf8), file: "my.csv")
  }

  private func expectRefusal(
    _ id: String, _ text: String, line: Int, _ place: SourceLocation = #_sourceLocation
  ) {
    do throws(Diagnostic) {
      _ = try map(text)
      Issue.record("expected \(id), nothing was thrown", sourceLocation: place)
    } catch {
      #expect(error.id == id, "\(error)", sourceLocation: place)
      #expect(error.location.description == "my.csv:\(line):1", sourceLocation: place)
    }
  }

  private let cells = [
    FaultMap.Cell(row: 1, column: 2, level: nil), FaultMap.Cell(row: 3, column: 0, level: 0),
    FaultMap.Cell(row: 4, column: 5, level: 255),
  ]

  @Test func readsCells() throws {
    let map = try map("crossbar,row,column,state\n0,1,2,on\n# a comment\n\n7, 3, 0, off\n  0,4,5,255")
    #expect(map.cells == [0: [cells[0], cells[2]], 7: [cells[1]]] && map.count == 3)
    var built = FaultMap()
    built.add(cells[0], crossbar: 0)
    built.add(cells[2], crossbar: 0)
    built.add(cells[1], crossbar: 7)
    #expect(map == built)
  }

  /// Lines may end as on other systems.
  @Test func readsCarriageReturns() throws {
    let text = "crossbar,row,column,state\r\n0,1,2,on\r\n\r\n# a comment\r\n7,3,0,off\r\n"
    #expect(try map(text).cells == [0: [cells[0]], 7: [cells[1]]])
    expectRefusal("faults.syntax", "0,1,2,on\r\n0,1,2\r\n", line: 2)
  }

  @Test func emptyFilesAreMapsWithoutCells() throws {
    for text in ["", "\n\n", "crossbar,row,column,state", "# nothing\n"] {
      #expect(try map(text) == FaultMap(), "\(text)")
    }
  }

  @Test(arguments: [
    "0,1,2", "0,1,2,on,", "0,1,2,ON", "0,1,,on", "-1,1,2,on", "0,-1,2,off", "0,1,-2,off", "0,1,2,256",
    "0,1,2,-1",
    "0,1,2,1.5", "a,1,2,on", "0;1;2;on", "99999999999999999999,1,2,on", "0,1,2,", ",,,", "\u{1F600}",
    "crossbar,row,column,state",
  ])
  func refusesOtherLines(_ line: String) {
    expectRefusal("faults.syntax", "0,0,0,on\n\n\(line)\n0,0,1,on", line: 3)
  }

  @Test func refusesTextThatIsNoUTF8() {
    #expect(throws: Diagnostic.self) { try FaultMap(csv: [0x30, 0xFF, 0xFE, 0x0A], file: "my.csv") }
  }

  @Test func refusesCellsThatAreListedTwice() {
    expectRefusal("faults.twice", "0,1,2,on\n1,1,2,on\n0,1,2,off\n", line: 3)
    expectRefusal("faults.twice", "0,1,2,on\n0, 01 ,2,on", line: 2)
  }

  /// Damaged files are read or refused, with a line that the file has.
  @Test func standsMutations() {
    var random = SeededGenerator(seed: 51)
    let pieces = [",", "\n", "#", "on", "off", "-", "9", "\r\n", "\u{0}", " ", "é", "state"]
    var (refused, read) = (0, 0)
    for _ in 0..<2000 {
      var bytes = Array("crossbar,row,column,state\n0,1,2,on\n0,1,3,off\n12,0,7,2\n".utf8)
      for _ in 0...random.below(3) {
        let at = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes[at] = UInt8(random.below(256))
        case 1: bytes.removeSubrange(at..<min(bytes.count, at + random.inside(1...6)))
        default: bytes.insert(contentsOf: pieces[random.below(pieces.count)].utf8, at: at)
        }
        if bytes.isEmpty { bytes = [0x30] }
      }
      do throws(Diagnostic) {
        _ = try FaultMap(csv: bytes, file: "x")
        read += 1
      } catch {
        #expect(error.id == "faults.syntax" || error.id == "faults.twice")
        guard case .text(let position) = error.location.place else {
          Issue.record("no place: \(error)")
          continue
        }
        #expect((1...bytes.count { $0 == 0x0A } + 1).contains(position.line))
        refused += 1
      }
    }
    #expect(refused > 300 && read > 30, "\(refused) \(read)")
  }
}
