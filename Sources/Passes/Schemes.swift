public import IR
public import Support

/// A named pipeline.
public struct Scheme: Sendable {
  /// The name.
  public let name: String
  /// What it stands for.
  public let summary: String
  /// The target that it is compiled for unless another is given.
  public let target: String
  /// The passes in order.
  public let steps: [Step]

  /// A pass with its rationale.
  public struct Step: Sendable {
    /// The pass with its options, as in a pipeline's text.
    public let text: String
    /// The rationale.
    public let reason: String
  }
}

/// All schemes.
public let schemes: [Scheme] = [
  Scheme(
    name: "dense", summary: "every cell is mapped and read in operation units: the baseline of all schemes",
    target: "sre",
    steps: front + [
      slices,
      .init(text: "form-units", reason: "the machine's operation units, 16x16 for sre"),
    ] + back()),
  Scheme(
    name: "isaac",
    summary: "the idealized baseline: the whole array is read at once, without operation units",
    target: "isaac",
    steps: front + [
      .init(text: "slice-bits", reason: "the same cells as in dense, so that only the reading differs"),
      .init(text: "form-units(whole: true)", reason: "all wordlines of a crossbar are active together"),
    ] + back()),
  Scheme(
    name: "naive-w",
    summary: "zero wordlines and bitlines of a crossbar are left out (SRE's naive weight baseline)",
    target: "sre",
    steps: front + [
      slices,
      .init(
        text: "remove-zero-lines(scope: crossbar)",
        reason: "a wordline or bitline is removed only if it is zero in the whole crossbar"),
      .init(text: "form-units", reason: "as in dense"),
    ] + back()),
  Scheme(
    name: "naive-a",
    summary: "a unit is skipped where all its input bits are 0 (SRE's naive activation baseline)",
    target: "sre",
    steps: front + [
      slices,
      .init(
        text: "form-units(units: zero-skipping)", reason: "fixed units that need at least one active wordline"
      ),
    ] + back()),
  Scheme(
    name: "occ",
    summary: "column compression: each strip of wordlines keeps only its own non-zero bitlines (SRE)",
    target: "sre",
    steps: front + [
      slices,
      .init(text: "compress-columns", reason: "a strip is as high as a unit, so that units lose nothing"),
      .init(
        text: "encode-indices(padding: 5)",
        reason: "short tables map bitlines to outputs; padding costs reads"),
      .init(
        text: "form-units", reason: "fixed units: gathering wordlines of several strips would mix outputs"),
    ] + back(packing: "stacked", reason: "strips of one layer are stacked in a crossbar")),
  Scheme(
    name: "orc",
    summary: "row compression: each strip of bitlines keeps only its own non-zero wordlines (SRE)",
    target: "sre",
    steps: front + [
      slices,
      .init(text: "compress-rows", reason: "a strip is as wide as a unit, so that units lose nothing"),
      .init(
        text: "encode-indices(padding: 5)",
        reason: "short tables map wordlines to inputs; padding costs reads"),
      .init(text: "form-units(cut: even)", reason: "crossbars that share a strip finish at the same time"),
    ] + back(packing: "side-by-side", reason: "strips of one layer are side by side in a crossbar")),
  Scheme(
    name: "dof",
    summary: "units are formed at run time from wordlines whose input bit is 1 (SRE, activations only)",
    target: "sre",
    steps: front + [
      slices,
      .init(text: "form-units(units: dynamic)", reason: "sparse input bits need fewer units"),
    ] + back()),
  Scheme(
    name: "sre",
    summary: "row compression with units formed at run time: weight and activation sparsity (SRE, ISCA'19)",
    target: "sre",
    steps: front + [
      slices,
      .init(
        text: "compress-rows", reason: "weight sparsity; wordlines of a strip can still be gathered freely"),
      .init(
        text: "encode-indices(padding: 5)",
        reason: "short tables map wordlines to inputs; padding costs reads"),
      .init(
        text: "form-units(units: dynamic, cut: even)",
        reason: "activation sparsity; crossbars that share a strip get equal shares"),
    ] + back(packing: "side-by-side", reason: "strips of one layer are side by side in a crossbar")),
  Scheme(
    name: "sme",
    summary:
      "few adjacent bits in every weight, a crossbar for each bit plane, and the highest planes freed (SME, ICCD'21)",
    target: "sme",
    steps: integers(
      "quantize(scheme: sme, fit: mse, scale: output)",
      reason: "three significant bits: most bits of most weights are 0")
      + [
        .init(
          text: "slice-bits(cell: 1, placement: inter)",
          reason: "plane j of all weights is in crossbar j of a group"),
        .init(
          text: "squeeze-bits",
          reason: "few wordlines are nonzero in the highest planes; their bits move down"),
        .init(text: "form-units(whole: true)", reason: "a plane is read as a whole"),
      ] + back()),
  Scheme(
    name: "prime",
    summary: "every cell is mapped to large arrays of 4-bit cells, read as a whole (PRIME, ISCA'16)",
    target: "prime",
    steps: integers("quantize(weights: 8, inputs: 6)", reason: "the operands of PRIME")
      + [
        .init(text: "slice-bits", reason: "two cells a weight, and a column for each sign"),
        .init(
          text: "form-units(whole: true, full-scale: 512)",
          reason:
            "PRIME keeps the highest six bits of a sum; sums of trained networks stay far below what a mat can reach"
        ),
      ] + back()),
  Scheme(
    name: "clustered",
    summary:
      "columns that are nonzero on the same wordlines share small crossbars (Lin et al., ASP-DAC'19)",
    target: "clustered",
    steps: integers("quantize(weights: 8, inputs: 8)", reason: "the operands of the source")
      + [
        .init(text: "slice-bits", reason: "four cells a weight, and columns for each sign"),
        .init(text: "cluster-columns", reason: "unstructured zeros become zero wordlines"),
        .init(text: "form-units(whole: true)", reason: "a small crossbar is read as a whole"),
        .init(
          text: "compose-analog",
          reason: "one conversion for the four cells of a weight, as fine as the cells need"),
      ] + back()),
  Scheme(
    name: "recom-base",
    summary:
      "every input is fetched and computed, one buffer after the other: the baseline of ReCom (after PipeLayer, HPCA'17)",
    target: "recom",
    steps: recomOperands + [
      slices, wholeArrays,
      .init(text: "plan-fetches(order: serial)", reason: "memory and crossbars take turns"),
    ] + recomBack),
  Scheme(
    name: "recom-swof",
    summary:
      "only inputs with weights are fetched, and only nonzero ones delivered (ReCom's SWOF, DATE'18)",
    target: "recom",
    steps: recomOperands + [
      constantInputs, slices, layerLines, wholeArrays,
      .init(
        text: "plan-fetches(order: serial)", reason: "as in recom-base, so that only the fetching differs"),
    ] + recomBack),
  Scheme(
    name: "recom",
    summary:
      "as recom-swof, with double-buffered fetching and empty buffers left out (ReCom, DATE'18)",
    target: "recom",
    steps: recomOperands + [
      constantInputs, slices, layerLines, wholeArrays,
      .init(text: "plan-fetches", reason: "a buffer is filled while the one before is computed"),
    ] + recomBack),
]

private let recomOperands = integers(
  "quantize(weights: 16, inputs: 16)", reason: "the operands of PipeLayer, ReCom's baseline")

private let constantInputs = Scheme.Step(
  text: "fold-constant-inputs",
  reason: "a filter without weights gives a constant, which moves into the next bias")

private let layerLines = Scheme.Step(
  text: "remove-zero-lines(scope: layer)",
  reason: "structured sparsity: whole filters and filter positions are removed")

private let wholeArrays = Scheme.Step(
  text: "form-units(whole: true)", reason: "the whole array is read at once")

private let slices = Scheme.Step(
  text: "slice-bits", reason: "magnitudes in cells, so that zero weights stay zero cells")

/// From the imported network to integer matrices, quantized as `quantize` says.
private func integers(_ quantize: String, reason: String) -> [Scheme.Step] {
  [
    .init(text: "infer-shapes", reason: "everything below needs shapes"),
    .init(text: "fold-constants", reason: "weights after transposes and reshapes become plain constants"),
    .init(text: "fold-batchnorm", reason: "it changes weights, so it must precede their quantization"),
    .init(text: "calibrate", reason: "the ranges that quantize needs"),
    .init(text: quantize, reason: reason),
    .init(text: "lower-to-crossbar", reason: "convolutions and products become matrices"),
  ]
}

private let front = integers("quantize", reason: "cells store integers")

/// From blocks to instructions.
private func back(packing: String? = nil, reason: String = "each block gets its crossbar") -> [Scheme.Step] {
  [
    .init(text: packing.map { "place-blocks(packing: \($0))" } ?? "place-blocks", reason: reason),
    .init(text: "schedule", reason: "the order of layers"),
    lowering,
  ]
}

private let lowering = Scheme.Step(text: "lower-to-program", reason: "what the executor runs")

private let recomBack: [Scheme.Step] = [
  .init(text: "place-blocks", reason: "each block gets its crossbar"),
  .init(
    text: "schedule(capacity: warn)",
    reason: "the 256 crossbars of the published chip are too few for a whole network; counts assume enough"),
  lowering,
]

/// The scheme called `name`; throws `scheme.unknown`, naming the nearest one.
public func scheme(named name: String) throws(Diagnostic) -> Scheme {
  if let found = schemes.first(where: { $0.name == name }) { return found }
  let hint = nearest(name, in: schemes.map(\.name)).map { "did you mean '\($0)'?" }
  throw Diagnostic(
    "scheme.unknown", "unknown scheme '\(name)'", notes: [hint ?? "see 'xbarc schemes' for the list"])
}

extension Scheme {
  /// The passes as calls; `overrides` replace or add options of the passes that they name.
  public func calls(overriding overrides: [PassCall] = []) throws(Diagnostic) -> [PassCall] {
    var calls = try parsePipeline(steps.map(\.text).joined(separator: ", "))
    for override in overrides {
      guard let at = calls.firstIndex(where: { $0.name == override.name }) else {
        throw Diagnostic(
          "scheme.override", "scheme '\(name)' has no pass '\(override.name)' to set options of")
      }
      for option in override.options {
        calls[at].options.removeAll { $0.name == option.name }
        calls[at].options.append(option)
      }
    }
    return calls
  }
}
