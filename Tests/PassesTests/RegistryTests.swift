import CodeGen
import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

@Suite("Registry and schemes")
struct RegistryTests {
  private func failure(_ body: () throws -> Void) -> Diagnostic? {
    do {
      try body()
      return nil
    } catch {
      return error as? Diagnostic
    }
  }

  @Test func namesAreUniqueAndInHouseStyle() {
    #expect(Set(PassRegistry.standard.entries.map(\.name)).count == PassRegistry.standard.entries.count)
    for entry in PassRegistry.standard.entries {
      #expect(entry.name.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil)
      #expect(!entry.summary.isEmpty && entry.summary.last != ".")
      #expect(!entry.guarantee.text.isEmpty)
      #expect(Set(entry.options.map(\.name)).count == entry.options.count)
      for option in entry.options {
        #expect(option.kind.admits(option.fallback), "\(entry.name): the default of \(option.name)")
        #expect(!option.summary.isEmpty && option.summary.last != ".")
      }
    }
  }

  @Test func everyFactHasAPassThatEstablishesIt() {
    #expect(
      PassRegistry.standard.entries.reduce(into: Set<Fact>()) { $0.formUnion($1.establishes) }
        == Set(Fact.allCases))
  }

  @Test func factsAreInvalidatedWhereTheyNoLongerHold() throws {
    let stated = PassRegistry.standard.entries.filter { !$0.invalidates.isEmpty }.map(\.name)
    #expect(stated == ["prune-groups", "lower-to-crossbar", "place-blocks", "lower-to-program"])
    var net = Net(seed: 611)
    net.output(try net.gemm(net.input([1, 4]), 3))
    var context = PassContext(calibration: net.samples(2))
    var module = AnyModule(net.module)
    for name in ["calibrate", "prune-groups"] {
      module = try PassRegistry.standard.entry(named: name).apply(to: module, in: &context)
      #expect(module.facts.contains(.calibrated) == (name == "calibrate"))
    }
    let refused = failure {
      _ = try PassRegistry.standard.entry(named: "quantize").apply(to: module, in: &context)
    }
    #expect(refused?.id == "pass.requires" && refused?.notes == ["run calibrate first"])
  }

  @Test func unknownNamesGetAHint() {
    let near = failure { _ = try PassRegistry.standard.entry(named: "quantizze") }
    #expect(near?.id == "pass.unknown" && near?.notes == ["did you mean 'quantize'?"])
    let far = failure { _ = try PassRegistry.standard.entry(named: "something-else-altogether") }
    #expect(far?.id == "pass.unknown" && far?.notes == ["see 'xbarc passes' for the list"])
    let scheme = failure { _ = try Passes.scheme(named: "denes") }
    #expect(scheme?.id == "scheme.unknown" && scheme?.notes == ["did you mean 'dense'?"])
    #expect(
      failure { _ = try Passes.scheme(named: "zzzzzzzzzz") }?.notes == ["see 'xbarc schemes' for the list"])
  }

  @Test func optionsAreChecked() {
    var context = PassContext()
    let module = AnyModule(LayerSample().module)
    let wrong = [
      "slice-bits(bits: 2)", "slice-bits(cell: 9)", "slice-bits(cell: two)", "slice-bits(signs: plain)",
      "slice-bits(order: 1)", "slice-bits(cell: [2])", "slice-bits, form-units(whole: yes)",
      "slice-bits, form-units(adc: 17)", "slice-bits, form-units(lossless: 1)",
      "slice-bits, form-units, place-blocks(x: 1)",
    ]
    for text in wrong {
      #expect(failure { _ = try run(text, on: module, in: &context) }?.id == "pass.option", "\(text)")
    }
    let unknown = failure { _ = try run("slice-bits(bits: 2)", on: module, in: &context) }
    #expect(unknown?.message.contains("known are cell, signs, order, placement") == true)
  }

  @Test func aWrongOrderSaysWhatIsMissing() {
    var net = Net(seed: 600)
    net.output(net.input([1, 2]))
    let tensor = AnyModule(net.module)
    let crossbar = AnyModule(LayerSample().module)
    let cases: [(String, AnyModule, String)] = [
      ("quantize", tensor, "run calibrate first"), ("lower-to-crossbar", tensor, "run quantize first"),
      ("form-units", crossbar, "run slice-bits first"),
      ("place-blocks", crossbar, "run slice-bits, form-units first"),
      ("schedule", crossbar, "run place-blocks first"),
      ("lower-to-program", crossbar, "run slice-bits, form-units, place-blocks, schedule first"),
    ]
    for (text, module, hint) in cases {
      var context = PassContext()
      let error = failure { _ = try run(text, on: module, in: &context) }
      #expect(error?.id == "pass.requires" && error?.notes == [hint], "\(text)")
    }
  }

  @Test func aPassOfAnotherLevelIsRefused() {
    var context = PassContext()
    let error = failure { _ = try run("quantize", on: AnyModule(LayerSample().module), in: &context) }
    #expect(error?.id == "pass.level")
    #expect(error?.message == "quantize works at level tensor, the module is at crossbar")
  }

  /// Cells that no longer decode to the weights: the next pass is blamed, and the message says that it is a defect.
  @Test func aResultThatDoesNotVerifyIsADefect() throws {
    var context = PassContext()
    var module = try run("slice-bits", on: AnyModule(LayerSample().module), in: &context).crossbarModule
    let id = try #require(module.layers.first).id
    module.ops[id]["weights"] = .list([.int(5)])
    let error = failure { _ = try run("form-units", on: AnyModule(module), in: &context) }
    #expect(error?.id == "pass.broken" && error?.notes.first?.contains("defect of form-units") == true)
  }

  // MARK: Schemes

  /// Every step is registered, levels follow one another, and every fact that a step needs was established before.
  @Test func schemesAreLegalPipelines() throws {
    #expect(Set(schemes.map(\.name)).count == schemes.count)
    for scheme in schemes {
      let calls = try scheme.calls()
      #expect(calls.count == scheme.steps.count)
      #expect(scheme.steps.allSatisfy { !$0.reason.isEmpty && $0.reason.last != "." })
      var level = LevelName.tensor
      var facts: Set<Fact> = [.shaped]
      for call in calls {
        let entry = try PassRegistry.standard.entry(named: call.name)
        _ = try PassOptions(call.options, entry.options, pass: entry.name)
        #expect(entry.from == level, "\(scheme.name): \(call.text)")
        #expect(entry.requires.isSubset(of: facts), "\(scheme.name): \(call.text)")
        facts = facts.subtracting(entry.invalidates).union(entry.establishes)
        level = entry.to
      }
      #expect(level == .program)
    }
  }

  @Test func overridesReplaceAndAddOptions() throws {
    let dense = try Passes.scheme(named: "isaac")
    let calls = try dense.calls(
      overriding: parsePipeline("form-units(whole: false, adc: 5), quantize(weights: 4)"))
    #expect(calls.first { $0.name == "form-units" }?.text == "form-units(whole: false, adc: 5)")
    #expect(calls.first { $0.name == "quantize" }?.text == "quantize(weights: 4)")
    let error = failure { _ = try dense.calls(overriding: parsePipeline("prune-weights")) }
    #expect(error?.id == "scheme.override")
  }

  /// Every scheme on a small network: exact steps keep every bit as long as no conversion saturates.
  @Test func exactStepsKeepEveryBit() throws {
    for scheme in schemes {
      var net = Net(seed: 601)
      let x = net.input([1, 3, 8, 8])
      let a = try net.digital(
        .unary(.relu), try net.batchNorm(try net.conv(x, ConvGeometry(pads: [1, 1, 1, 1]))))
      net.output(try net.gemm(try net.digital(.reshape([1, 64]), try net.pool(a)), 10))
      var module = net.module
      module.machine = testMachine()
      module.machine?.memory = MemorySystem(
        clockMegahertz: 100, sramBytes: 1000, bufferBytes: 4096, dramLatencyNanoseconds: 10, valuesPerClock: 1
      )
      let samples = net.samples(4)
      var context = PassContext(calibration: samples)
      var current = AnyModule(module)
      for call in try scheme.calls(overriding: parsePipeline("form-units(lossless: true, full-scale: codes)"))
      {
        let entry = try PassRegistry.standard.entry(named: call.name)
        let next = try entry.apply(to: current, call.options, in: &context)
        if case .exact = entry.guarantee, next.level != .program {
          #expect(try current.outputs(samples[0]) == next.outputs(samples[0]), "\(scheme.name): \(call.text)")
        }
        current = next
      }
      #expect(current.level == .program)
    }
  }
}
