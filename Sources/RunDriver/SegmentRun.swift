public import Report
public import CommandLineTools
import DeviceModel
import Hardware
public import Executor
import Mapping
import ProgramFormat
public import Support

/// The option that says how many samples go through a segment at a time, of every command that runs a program.
public let segmentBatchOption = OptionSpec(
  "segment-batch", value: "N",
  "samples that run through a segment before the next segment is written (default: 1)"
)

/// What `segmentBatchOption` says.
public func segmentBatchSize(_ arguments: ParsedArguments) throws(Diagnostic) -> Int {
  try arguments.integer("segment-batch", in: 1...Int(Int32.max)) ?? 1
}

/// How the segments of a program took turns in the crossbars during a run.
public struct SegmentRun: Equatable, Sendable {
  /// What one writing of each segment takes.
  public let writing: SegmentWriting
  /// Samples that went through a segment at a time.
  public let batch: Int
  /// How often each segment was written.
  public let writings: Int
  /// All writing, and the values that waited outside of the chip, over all samples.
  public let run: LayerRun

  /// Counts a run of `samples` samples; nil for a program of one segment, which is not written while it runs.
  init?(_ program: Program, samples: Int, batch: Int) {
    writing = SegmentWriting(program)
    guard writing.segments.count > 1 else { return nil }
    self.batch = batch
    writings = ceilDivide(samples, max(1, batch))
    let events = writing.events(samples: samples, batch: batch)
    run = LayerRun(
      name: "writing", layer: nil, events: events, cost: cost(of: events, machine: program.machine))
  }

  /// In words, such as `3 of at most 100 crossbars, written for every sample`.
  public var text: String {
    let largest = writing.segments.map(\.crossbars).max() ?? 0
    return "\(grouped(writing.segments.count)) of at most \(grouped(largest)) crossbars, written for every "
      + (batch == 1 ? "sample" : "\(grouped(batch)) samples")
  }

  /// The segments for scripts: what one writing of each takes.
  func json(_ program: Program) -> JSON {
    [
      "batch": .integer(batch), "writings": .integer(writings),
      "storedElements": .integer(writing.storedElements),
      "fetchedElements": .integer(writing.fetchedElements),
      "segments": .array(
        writing.segments.map { segment in
          [
            "layers": .array(segment.layers.map { .string(program.layers[$0].name) }),
            "crossbars": .integer(segment.crossbars), "cells": .integer(segment.cells),
            "wordlines": .integer(segment.wordlines), "steps": .integer(segment.steps),
          ]
        }),
    ]
  }
}

extension RunRecord {
  /// The text above the table of segments.
  var segmentTitle: String { "one writing of each segment" }

  /// Whether energy and time tell what writing takes.
  public var segmentNote: String {
    total.cost.omitsWriting
      ? "energy and time leave out what writing takes: machine \(program.machine.name) does not tell it"
      : "energy and time include the writing of segments"
  }

  /// What one writing of each segment takes, and the sum; nil for a program of one segment.
  public var segmentTable: TextTable? {
    guard let segments else { return nil }
    var table = TextTable([
      .init("segment", .left), .init("layers", .left), .init("crossbars"), .init("cells"),
      .init("wordlines"), .init("steps"), .init("energy"), .init("time"),
    ])
    var all = SegmentWriting.Segment()
    for (number, segment) in segments.writing.segments.enumerated() {
      table.add(["\(number)", names(segment)] + figures(segment))
      all.add(segment)
    }
    table.add(total: ["total", ""] + figures(all))
    return table
  }

  private func names(_ segment: SegmentWriting.Segment) -> String {
    let names = segment.layers.map { program.layers[$0].name }
    guard let first = names.first, let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.count == 2 ? "\(first), \(last)" : "\(first) ... \(last)"
  }

  private func figures(_ segment: SegmentWriting.Segment) -> [String] {
    let counts = [segment.crossbars, segment.cells, segment.wordlines, segment.steps].map { grouped($0) }
    guard let figures = program.machine.writing else { return counts + ["not known", "not known"] }
    return counts + [
      energyText(picojoules: Double(segment.cells) * figures.cellPicojoules),
      timeText(nanoseconds: Double(segment.steps) * figures.wordlineNanoseconds),
    ]
  }
}
