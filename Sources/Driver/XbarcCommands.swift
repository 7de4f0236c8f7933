import IR
import Report
public import CommandLineTools
import Support

/// The option that fixes lengths of inputs, of every command that reads a model.
public let shapeOption = OptionSpec(
  "shape", value: "NAME=AxBxC", repeats: true,
  "dimensions of an input that the file leaves open, such as image=1x3x48x320; an open batch is 1 by default")

/// The option that cuts a network that is too large for its machine, of every command that compiles to run.
public let segmentsOption = OptionSpec(
  flag: "segments",
  "divide a network that needs more crossbars than the machine has into segments, written and executed in turn"
)

/// Every command of `xbarc` with its help.
enum XbarcCommands {
  static let program = ProgramSpec(
    name: "xbarc", summary: "compiles trained ONNX networks to ReRAM crossbar programs",
    commands: [
      compile, opt, verify, importModel, eval, prune, inspect, disassemble, assemble, schemes, passes,
      targets,
    ])

  static let compile = CommandSpec(
    name: "xbarc compile", summary: "compiles an ONNX model to a crossbar program",
    positionals: [PositionalSpec("MODEL.onnx", file: .input(.model), "the trained network")],
    options: [
      OptionSpec(
        "output", short: "o", value: "FILE",
        file: .output(.ifOption("emit", among: [LevelName.tensor, .crossbar, .program].map(\.rawValue))),
        required: true, "the program file; - is standard output"),
      OptionSpec("scheme", value: "NAME", "named pipeline, see 'xbarc schemes' (default: dense)"),
      OptionSpec(
        "pipeline", value: "PASSES",
        "passes instead of a scheme, such as 'infer-shapes, quantize(weights: 4)'"),
      OptionSpec(
        "set", value: "OPTIONS", "options of the scheme's passes, such as 'quantize(weights: 4, inputs: 6)'"),
      OptionSpec(
        "target", value: "NAME|FILE.json", file: .nameOrInput(),
        "machine, see 'xbarc targets' (default: the scheme's)"),
      segmentsOption, shapeOption, maxMemoryOption,
      OptionSpec(
        "calibration", value: "X.npy", file: .input(), "typical inputs, used to measure ranges"),
      OptionSpec("report", value: "R.json", file: .output(), "counts per layer as JSON"),
      OptionSpec("html", value: "R.html", file: .output(), "counts per layer as a page"),
      OptionSpec(
        "emit", value: "LEVEL", "tensor, crossbar or program: IR text of that level; binary (default)"),
      OptionSpec(
        "print-after", value: "PASS", "print the IR after this pass, or after all, on standard error"),
      OptionSpec(flag: "validate", "compare outputs before and after every pass on two calibration samples"),
      OptionSpec(flag: "time-passes", "print the time of every pass, and of every layer"),
      OptionSpec("jobs", value: "N", "threads (default: all processors)"),
      strictOption, OptionSpec(flag: "quiet", "print nothing but errors"),
    ],
    examples: [
      ExampleSpec(
        "xbarc compile models/lenet5/model.onnx -o lenet5.xbar --calibration models/data/fashion-mnist-calibration.npz",
        "the dense scheme on the sre machine"),
      ExampleSpec("xbarc compile net.onnx -o net.xbar --scheme isaac", "whole arrays, read at once"),
      ExampleSpec("xbarc compile net.onnx -o - --emit crossbar", "the layers and blocks as text"),
    ])

  static let opt = CommandSpec(
    name: "xbarc opt", summary: "runs passes on IR text",
    positionals: [PositionalSpec("IN.xir", file: .input(.text), "a module of any level")],
    options: [
      OptionSpec(
        "pipeline", value: "PASSES", required: true, "passes, such as 'slice-bits, form-units(height: 9)'"),
      OptionSpec(
        "output", short: "o", value: "OUT.xir", file: .output(.always),
        "the text file (default: standard output)"),
      OptionSpec(
        "print-after", value: "PASS", "print the IR after this pass, or after all, on standard error"),
      OptionSpec("jobs", value: "N", "threads (default: all processors)"),
    ],
    examples: [ExampleSpec("xbarc opt net.xir --pipeline 'slice-bits(cell: 1)'", "one-bit cells")])

  static let verify = CommandSpec(
    name: "xbarc verify", summary: "checks IR text or a program",
    positionals: [PositionalSpec("FILE", file: .input(.text), "a module of any level, or a program")])

  static let importModel = CommandSpec(
    name: "xbarc import", summary: "turns an ONNX model into IR text at tensor level",
    positionals: [PositionalSpec("MODEL.onnx", file: .input(.model), "the trained network")],
    options: [
      OptionSpec(
        "output", short: "o", value: "OUT.xir", file: .output(.always),
        "the text file (default: standard output)"),
      shapeOption, maxMemoryOption,
    ])

  static let eval = CommandSpec(
    name: "xbarc eval", summary: "evaluates a model in floats, without crossbars",
    positionals: [PositionalSpec("MODEL.onnx", file: .input(.model), "the trained network")],
    options: [
      OptionSpec("input", value: "X.npy", file: .input(), required: true, "samples: .npy, .npz or .pb"),
      OptionSpec(
        "labels", value: "Y.npy", file: .input(),
        "the class of each sample (default: 'labels' of the input file)"),
      OptionSpec(
        "output", value: "O.npy", file: .output(), "the file for the output; .npz for all outputs by name"),
      shapeOption, maxMemoryOption,
      OptionSpec("limit", value: "N", "the largest number of samples"),
      OptionSpec("threads", value: "N", "threads (default: all processors)"),
      OptionSpec(flag: "quiet", "print no progress"),
    ])

  static let prune = CommandSpec(
    name: "xbarc prune",
    summary: "prunes crossbar rows of a mapping and writes the model without their weights",
    positionals: [PositionalSpec("MODEL.onnx", file: .input(.model, .again), "the trained network")],
    options: [
      OptionSpec(
        "output", short: "o", value: "PRUNED.onnx", file: .output(), required: true,
        "the file for the pruned model"),
      OptionSpec(
        "masks", value: "MASKS.npz", file: .output(),
        "for each initializer, 1 where a weight is not 0: to preserve while fine-tuning"),
      OptionSpec(
        "scheme", value: "NAME",
        "the scheme whose mapping is pruned, see 'xbarc schemes' (default: clustered)"),
      OptionSpec("set", value: "OPTIONS", "options of the scheme's passes"),
      OptionSpec(
        "target", value: "NAME|FILE.json", file: .nameOrInput(),
        "machine, see 'xbarc targets' (default: the scheme's)"),
      shapeOption,
      OptionSpec("ratio", value: "SHARE", "the share of each layer's crossbar rows, 0 to 1 (default: 0.1)"),
      OptionSpec(flag: "freed", "stop when no further crossbar would be freed"),
      OptionSpec("jobs", value: "N", "threads (default: all processors)"),
      OptionSpec(flag: "quiet", "print nothing but errors"),
    ],
    examples: [
      ExampleSpec(
        "xbarc prune net.onnx -o pruned.onnx --masks masks.npz --ratio 0.2",
        "prune a fifth of all crossbar rows, then fine-tune")
    ])

  static let inspect = CommandSpec(
    name: "xbarc inspect", summary: "lists the contents of a program",
    positionals: [PositionalSpec("PROGRAM.xbar", file: .input(), "a compiled program")])

  static let disassemble = CommandSpec(
    name: "xbarc disassemble", summary: "turns a program into IR text at program level",
    positionals: [PositionalSpec("PROGRAM.xbar", file: .input(), "a compiled program")],
    options: [
      OptionSpec(
        "output", short: "o", value: "T.xir", file: .output(.always),
        "the text file (default: standard output)")
    ])

  static let assemble = CommandSpec(
    name: "xbarc assemble", summary: "turns IR text at program level into a program",
    positionals: [PositionalSpec("T.xir", file: .input(.text), "a module at program level")],
    options: [
      OptionSpec(
        "output", short: "o", value: "PROGRAM.xbar", file: .output(), required: true, "the program file"
      )
    ])

  static let schemes = CommandSpec(
    name: "xbarc schemes", summary: "lists the schemes and explains their passes",
    positionals: [PositionalSpec("NAME", required: false, "only this one")])

  static let passes = CommandSpec(
    name: "xbarc passes", summary: "lists the passes and explains their options",
    positionals: [PositionalSpec("NAME", required: false, "only this one")])

  static let targets = CommandSpec(
    name: "xbarc targets", summary: "lists the machines and the sources of their figures",
    positionals: [PositionalSpec("NAME", required: false, "only this one, with every figure")])
}
