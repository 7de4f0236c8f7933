import Hardware
import Support
import Testing

@Suite struct TargetTests {
  @Test(arguments: Machine.targetNames)
  func everyNumberHasASource(_ name: String) throws {
    let file = try Machine.targetFile(named: name)
    #expect(file.machine.name == name)
    #expect(
      file.machine.summary.contains("'1") || file.machine.summary.contains("'2"), "the summary names its year"
    )
    let always = 7 + 2 + 3 + 2 + EnergyTable.fields.count + AreaTable.fields.count
    #expect(file.numbers.count == (file.machine.memory == nil ? always + 2 : always + 7))
    #expect(Set(file.numbers.map(\.path)).count == file.numbers.count)
    for number in file.numbers {
      let source = try #require(number.source, "\(number.path)")
      // A source is a publication with its year, a public repository, or an assumption with its reason.
      let isKnown = ["'1", "'2", "github.com/"].contains { source.contains($0) }
      #expect(isKnown || (source.hasPrefix("assumed: ") && source.count > 20), "\(number.path): \(source)")
    }
    let energies = Dictionary(uniqueKeysWithValues: file.numbers.map { ($0.path, $0.value) })
    for (key, path) in EnergyTable.fields {
      #expect(
        energies["energy.\(key)"] == file.machine.energy[keyPath: path]
          && file.machine.energy[keyPath: path] > 0)
    }
    for (key, path) in AreaTable.fields {
      #expect(energies["area.\(key)"] == file.machine.area[keyPath: path])
    }
    #expect(energies["array.unitWidth"] == Double(file.machine.array.unitWidth))
  }

  @Test func describesThePublishedArrays() throws {
    let arrays: [(String, ArrayDescription, OperandWidths)] = [
      (
        "sre",
        ArrayDescription(
          rows: 128, columns: 128, cellBits: 2, unitHeight: 16, unitWidth: 16, dacBits: 1, adcBits: 6),
        OperandWidths(weightBits: 16, inputBits: 16)
      ),
      (
        "isaac",
        ArrayDescription(
          rows: 128, columns: 128, cellBits: 2, unitHeight: 128, unitWidth: 128, dacBits: 1, adcBits: 8),
        OperandWidths(weightBits: 16, inputBits: 16)
      ),
      (
        "prime",
        ArrayDescription(
          rows: 256, columns: 256, cellBits: 4, unitHeight: 256, unitWidth: 256, dacBits: 3, adcBits: 6),
        OperandWidths(weightBits: 8, inputBits: 6)
      ),
      (
        "issc18",
        ArrayDescription(
          rows: 512, columns: 256, cellBits: 1, unitHeight: 9, unitWidth: 8, dacBits: 1, adcBits: 4),
        OperandWidths(weightBits: 8, inputBits: 8)
      ),
      (
        "sme",
        ArrayDescription(
          rows: 128, columns: 128, cellBits: 1, unitHeight: 128, unitWidth: 128, dacBits: 1, adcBits: 8),
        OperandWidths(weightBits: 8, inputBits: 8)
      ),
      (
        "recom",
        ArrayDescription(
          rows: 64, columns: 64, cellBits: 4, unitHeight: 64, unitWidth: 64, dacBits: 1, adcBits: 10),
        OperandWidths(weightBits: 16, inputBits: 16)
      ),
      (
        "clustered",
        ArrayDescription(
          rows: 32, columns: 32, cellBits: 2, unitHeight: 32, unitWidth: 32, dacBits: 1, adcBits: 13),
        OperandWidths(weightBits: 8, inputBits: 8)
      ),
    ]
    #expect(arrays.map(\.0) == Machine.targetNames)
    for (name, array, operands) in arrays {
      let machine = try Machine.target(named: name)
      #expect(machine.array == array && machine.operands == operands, "\(name)")
    }
  }

  @Test func describesTimeAndHierarchy() throws {
    let (sre, isaac) = (try Machine.target(named: "sre"), try Machine.target(named: "isaac"))
    #expect(sre.timing == Timing(cycleNanoseconds: 15.36, pipelineCycles: 2))
    #expect(isaac.timing.cycleNanoseconds == 100)
    #expect(isaac.hierarchy == Hierarchy(crossbarsPerComputeUnit: 8, computeUnitsPerTile: 12, tiles: 168))
    #expect(sre.hierarchy == Hierarchy(crossbarsPerComputeUnit: 8, computeUnitsPerTile: 12, tiles: 0))
    let recom = try Machine.target(named: "recom").hierarchy
    #expect(recom.crossbarsPerComputeUnit * recom.computeUnitsPerTile * recom.tiles == 256)
    // One converter at 1.2 GS/s reads the bitlines of a unit within a cycle.
    #expect(Double(sre.array.unitWidth) / 1.2 < sre.timing.cycleNanoseconds)
  }

  @Test func describesTheMemoriesOfRecom() throws {
    let memory = MemorySystem(
      clockMegahertz: 1200, sramBytes: 128 << 10, bufferBytes: 256, dramLatencyNanoseconds: 15,
      valuesPerClock: 1)
    let file = try Machine.targetFile(named: "recom")
    #expect(file.machine.memory == memory)
    #expect(abs(memory.clockNanoseconds - 0.8333) < 0.0001)
    let numbers = file.numbers.filter { $0.path.hasPrefix("memory.") }
    #expect(numbers.map(\.value) == [1200, 131_072, 256, 15, 1])
    // Only the width of the path into a buffer is not published.
    #expect(numbers.map { $0.source?.hasPrefix("assumed: ") } == [false, false, false, false, true])
    for name in Machine.targetNames where name != "recom" {
      #expect(try Machine.target(named: name).memory == nil, "\(name)")
    }
  }

  /// PipeLayer writes in 50.88 ns and with 3.91 nJ; of the seven only ReCom has a figure of its own.
  @Test(arguments: Machine.targetNames) func describesWriting(_ name: String) throws {
    let file = try Machine.targetFile(named: name)
    let own = name == "recom"
    #expect(
      file.machine.writing == WriteFigures(wordlineNanoseconds: 50.88, cellPicojoules: own ? 18.32 : 3910))
    let numbers = file.numbers.suffix(2)
    #expect(numbers.map(\.path) == ["writing.wordlineNanoseconds", "writing.cellPicojoules"])
    let assumed = numbers.map { $0.source?.hasPrefix("assumed: as PipeLayer (HPCA'17)") }
    #expect(assumed == [true, !own])
  }

  @Test func roomIsTilesTimesUnitsTimesCrossbars() throws {
    #expect(try Machine.target(named: "isaac").hierarchy.crossbars == 16_128)
    #expect(try Machine.target(named: "recom").hierarchy.crossbars == 256)
    #expect(try Machine.target(named: "sre").hierarchy.crossbars == nil)
    let huge = Hierarchy(crossbarsPerComputeUnit: 1 << 40, computeUnitsPerTile: 1 << 40, tiles: 8)
    #expect(huge.crossbars == nil)
  }

  /// Picojoules of an activation of a whole unit: drivers, cells, converters, adders.
  private func unitEnergy(_ machine: Machine) -> [Double] {
    let (height, width) = (Double(machine.array.unitHeight), Double(machine.array.unitWidth))
    let e = machine.energy
    return [
      height * e.wordlineDrive, height * width * e.cellRead, width * (e.sampleHold + e.adcConversion),
      width * e.shiftAdd,
    ]
  }

  @Test func aUnitTakesThePublishedEnergy() throws {
    let parts = unitEnergy(try Machine.target(named: "sre"))
    for (part, expected) in zip(parts, [0.09, 0.46, 8.04, 0.31]) { #expect(abs(part - expected) < 0.01) }
    #expect(abs(parts.reduce(0, +) - 8.9) < 0.02)
    let isaac = unitEnergy(try Machine.target(named: "isaac"))
    #expect(abs(isaac.reduce(0, +) - 232.5) < 0.4)
  }

  @Test func aReadOfARecomCrossbarTakesItsEnergy() throws {
    let recom = try Machine.target(named: "recom")
    let cells = Double(recom.array.rows * recom.array.columns)
    #expect(abs(cells * recom.energy.cellRead - 0.63) < 0.001)
  }

  @Test func convertersConvertWithoutLossWhereTheSourceSaysSo() throws {
    // Lossless bits for h rows: the sum is at most h * (2^cell - 1) * (2^dac - 1).
    for name in ["sre", "issc18", "sme", "recom"] {
      let array = try Machine.target(named: name).array
      let largest = array.unitHeight * ((1 << array.cellBits) - 1) * ((1 << array.dacBits) - 1)
      #expect(bitWidth(of: largest) <= array.adcBits, "\(name)")
    }
    let clustered = try Machine.target(named: "clustered").array
    #expect(bitWidth(of: clustered.unitHeight * 255) <= clustered.adcBits)
  }

  @Test func energyGrowsWithResolution() throws {
    // Power is proportional to 2^b / (b + 1), from 2 mW at 1.28 GS/s and 8 bits.
    for name in Machine.targetNames where name != "isaac" && name != "sme" {
      let machine = try Machine.target(named: name)
      let bits = Double(machine.array.adcBits)
      let power = 2 / 1.28 * (Double(1 << machine.array.adcBits) / (bits + 1)) / (256 / 9)
      #expect(abs(machine.energy.adcConversion - power) < 0.001, "\(name)")
    }
  }

  @Test func refusesOtherNames() {
    for (name, near) in [("sree", "sre"), ("Isaac", "isaac"), ("zzzzzzzz", nil), ("", nil)]
      as [(String, String?)]
    {
      do throws(Diagnostic) {
        _ = try Machine.target(named: name)
        Issue.record("\(name) was found")
      } catch {
        #expect(error.id == "target.unknown")
        #expect(error.notes.contains("did you mean '\(near ?? "")'?") == (near != nil))
        #expect(error.notes.last?.contains("sre, isaac") == true)
      }
    }
  }
}
