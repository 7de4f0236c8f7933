import Hardware
import IR
import Passes
import Support

extension PassRegistry {
  /// The passes that the value of an option names. What is wrong with the text, a pass or an option of one names the
  /// option and the place in its value.
  ///
  /// Throws what `parsePipeline` throws, `pass.unknown` and `pass.option`.
  func pipeline(_ text: String, ofOption option: String, _ warnings: inout [Diagnostic]) throws(Diagnostic)
    -> [PassCall]
  {
    do throws(Diagnostic) {
      let calls = try pipeline(text, warnings: &warnings)
      for call in calls { try check(call) }
      return calls
    } catch {
      throw error.inOption(option)
    }
  }

  /// The passes of `scheme` with the options of `--set`.
  ///
  /// Throws what `pipeline` throws, `usage.repeated` for a pass that is named twice, and `scheme.override`.
  func overrides(_ text: String, of scheme: Scheme, _ warnings: inout [Diagnostic]) throws(Diagnostic)
    -> [PassCall]
  {
    let calls = try pipeline(text, ofOption: "set", &warnings)
    var names: Set<String> = []
    for call in calls where !names.insert(call.name).inserted {
      throw Diagnostic(
        "usage.repeated", "pass '\(call.name)' is named twice", at: Location(.text(call.position)),
        notes: ["give its options in one pair of parentheses"]
      ).inOption("set")
    }
    do throws(Diagnostic) { return try scheme.calls(overriding: calls) } catch {
      throw error.inOption("set")
    }
  }

  private func check(_ call: PassCall) throws(Diagnostic) {
    do throws(Diagnostic) {
      let entry = try entry(named: call.name)
      _ = try PassOptions(call.options, entry.options, pass: call.name)
    } catch {
      var placed = error
      if placed.location == .none { placed.location = Location(.text(call.position)) }
      throw placed
    }
  }
}

extension CompileRequest {
  /// The scheme; throws `scheme.unknown`.
  func namedScheme() throws(Diagnostic) -> Scheme {
    do throws(Diagnostic) { return try Passes.scheme(named: scheme) } catch {
      throw error.inOption("scheme")
    }
  }

  /// The target, `fallback` where none is named; throws `target.unknown` and what target files throw.
  func namedTarget(_ fallback: String) throws(Diagnostic) -> Machine {
    do throws(Diagnostic) { return try loadTarget(target ?? fallback) } catch {
      throw error.inOption("target")
    }
  }
}
