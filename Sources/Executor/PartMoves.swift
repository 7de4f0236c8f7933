import ProgramFormat
import Tensors

extension BatchRunner {
  /// Copies part number `round` of a buffer into a register, or a register into it, for every sample.
  func copyPart(_ parts: Parts, _ round: Int, of whole: Int, into register: Int) {
    let walk = PartWalk(parts, round, program.buffers[whole].shape, bytes: plan.places[whole].size)
    for sample in 0..<samples {
      let source = bytes(whole) + sample * plan.places[whole].bytes
      let target = bytes(register) + sample * plan.places[register].bytes
      for run in 0..<walk.runs {
        (target + run * walk.length).copyMemory(from: source + walk.place(of: run), byteCount: walk.length)
      }
    }
  }

  func copyPart(_ parts: Parts, _ round: Int, of whole: Int, from register: Int) {
    let walk = PartWalk(parts, round, program.buffers[whole].shape, bytes: plan.places[whole].size)
    for sample in 0..<samples {
      let source = bytes(register) + sample * plan.places[register].bytes
      let target = bytes(whole) + sample * plan.places[whole].bytes
      for run in 0..<walk.runs {
        (target + walk.place(of: run)).copyMemory(from: source + run * walk.length, byteCount: walk.length)
      }
    }
  }
}

/// Where a part of an array lies: runs of bytes, one for each place on the axes before the one that is divided.
struct PartWalk {
  /// How many runs there are.
  let runs: Int
  /// Bytes of a run.
  let length: Int
  private let first: Int
  private let step: Int

  /// The part of round `round` of an array of `shape` with elements of `bytes` bytes.
  init(_ parts: Parts, _ round: Int, _ shape: [Int], bytes: Int) {
    let number = parts.isReversed ? parts.count - 1 - round : round
    runs = shape[..<parts.axis].reduce(1, *)
    step = shape[parts.axis...].reduce(1, *) * bytes
    length = step / parts.count
    first = number * length
  }

  /// Where run number `run` begins in the array.
  func place(of run: Int) -> Int { run * step + first }
}
