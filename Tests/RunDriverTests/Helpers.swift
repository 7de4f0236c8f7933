import Foundation
import ProgramFormat
import ProgramSamples
import Report
import Support
import TestTools

extension Workplace {
  /// Writes a program and returns its path.
  func program(_ program: Program, _ name: String = "p.xbar") throws -> String {
    try writeFile(try encode(program), to: path(name))
    return path(name)
  }

  /// A JSON file of the folder.
  func json(_ name: String) throws -> JSON {
    try JSON(parsing: String(contentsOfFile: path(name), encoding: .utf8))
  }
}

/// LeNet-5 with random weights on a converter that saturates.
let sampleNetwork = DenseBuilder.leNet(machine: sampleMachine(adcBits: 4))
