// swift-tools-version: 6.1
import PackageDescription

// The module table. Tests/LayeringTests holds the same table and scans the imports against it.
//
// Two rules carry the design: the executor side never imports IR, Passes or ONNX; the compiler side never
// imports DeviceModel or Executor. They meet in ProgramFormat, Workbench and the end-to-end tests.
let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func library(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [], optimized: Bool = false
) -> Target {
  // Inner loops are useless without the optimizer, so their modules are optimized in debug builds too.
  let fast: [SwiftSetting] = optimized ? [.unsafeFlags(["-O"], .when(configuration: .debug))] : []
  return .target(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: swift + fast)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: swift)
}

func test(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: swift)
}

let package = Package(
  name: "xbar",
  products: [
    .executable(name: "xbarc", targets: ["xbarc"]),
    .executable(name: "xbarrun", targets: ["xbarrun"]),
    .executable(name: "xbar", targets: ["xbar"]),
  ],
  targets: [
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(name: "CZ", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CFiles"),
    .target(name: "COnnx", dependencies: ["CProtobufC"], exclude: ["onnx.proto"]),
    .target(
      name: "CKernels",
      cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),

    library("Support", ["CFiles"]),
    library("Tensors", ["Support", "CZ"], optimized: true),
    library("Hardware", ["Support"], resources: [.embedInCode("Targets")]),
    library("ONNX", ["Support", "COnnx", "CProtobufC"], optimized: true),
    library("Mapping", ["Support", "Tensors", "Hardware"], optimized: true),
    library("IR", ["Support", "Tensors", "Hardware", "Mapping"], optimized: true),
    library("Import", ["Support", "Tensors", "ONNX", "IR"], optimized: true),
    library("Evaluator", ["Support", "Tensors", "Hardware", "Mapping", "IR"], optimized: true),
    library("Passes", ["Support", "Tensors", "Hardware", "Mapping", "IR", "Evaluator"], optimized: true),
    library("ProgramFormat", ["Support", "Tensors", "Hardware", "Mapping"], optimized: true),
    library(
      "CodeGen", ["Support", "Tensors", "Hardware", "Mapping", "IR", "Passes", "ProgramFormat"],
      optimized: true),
    library(
      "DeviceModel", ["Support", "Hardware", "Mapping", "CKernels"], resources: [.embedInCode("Devices")],
      optimized: true),
    library(
      "Executor", ["Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "DeviceModel", "CKernels"],
      optimized: true),
    library("Evaluation", ["Support", "Tensors"], optimized: true),
    library("Report", ["Support"], optimized: true),
    library("CommandLineTools", ["Support", "Report"]),
    library(
      "Driver",
      [
        "Support", "Tensors", "Hardware", "Mapping", "ONNX", "IR", "Import", "Passes", "Evaluator",
        "ProgramFormat", "CodeGen", "Evaluation", "Report", "CommandLineTools",
      ]),
    library(
      "RunDriver",
      [
        "Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "DeviceModel", "Executor", "Evaluation",
        "Report",
        "CommandLineTools",
      ]),
    library(
      "Workbench",
      [
        "Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "DeviceModel", "Driver", "RunDriver",
        "Executor", "Evaluation", "Report", "CommandLineTools",
      ]),
    program("xbarc", ["CommandLineTools", "Driver"]),
    program("xbarrun", ["CommandLineTools", "RunDriver"]),
    program("xbar", ["CommandLineTools", "Workbench"]),
    .target(name: "CPeak", path: "Benchmarks/CPeak"),
    .executableTarget(
      name: "xbar-bench",
      dependencies: [
        "CPeak", "CKernels", "CommandLineTools", "DeviceModel", "Driver", "Evaluation", "Executor",
        "Hardware", "Mapping",
        "ONNX", "Passes", "ProgramFormat", "Report", "RunDriver", "Support", "Tensors", "TestSupport",
      ],
      path: "Benchmarks/xbar-bench", swiftSettings: swift),

    .target(
      name: "NaiveTwin", dependencies: ["Tensors"], path: "Tests/NaiveTwin",
      swiftSettings: swift + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .target(
      name: "ProgramSamples",
      dependencies: [
        "Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "DeviceModel", "NaiveTwin",
      ],
      path: "Tests/ProgramSamples",
      swiftSettings: swift + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .target(
      name: "LayerSamples", dependencies: ["Support", "Tensors", "Hardware", "Mapping", "IR"],
      path: "Tests/LayerSamples",
      swiftSettings: swift),
    .target(
      name: "TestSupport", dependencies: ["IR", "ONNX", "Support"], path: "Tests/TestSupport",
      swiftSettings: swift),
    .target(
      name: "TestTools", dependencies: ["Support", "Tensors"], path: "Tests/TestTools", swiftSettings: swift),
    test("SupportTests", ["Support"]),
    test("TensorsTests", ["Support", "Tensors", "NaiveTwin"], resources: [.copy("Fixtures")]),
    test("MappingTests", ["Support", "Tensors", "Hardware", "Mapping", "NaiveTwin"]),
    test("HardwareTests", ["Support", "Hardware", "Mapping", "TestTools"]),
    test("ONNXTests", ["ONNX", "Support", "TestSupport"], resources: [.copy("Fixtures")]),
    test(
      "ProgramFormatTests", ["Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "ProgramSamples"],
      resources: [.copy("Fixtures")]),
    test(
      "DeviceModelTests",
      ["Support", "Hardware", "Mapping", "CKernels", "DeviceModel", "ProgramSamples", "TestTools"],
      resources: [.copy("badcrossbar_currents.py")]),
    test(
      "ExecutorTests",
      [
        "Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "ProgramSamples", "NaiveTwin",
        "DeviceModel", "CKernels", "Executor",
      ]),
    test(
      "RunDriverTests",
      [
        "Support", "Tensors", "Hardware", "Mapping", "ProgramFormat", "ProgramSamples", "DeviceModel",
        "Executor", "RunDriver", "Evaluation", "Report", "CommandLineTools", "TestTools",
      ]),
    test(
      "WorkbenchTests",
      [
        "Support", "Hardware", "Mapping", "DeviceModel", "Driver", "RunDriver", "Report", "CommandLineTools",
        "Workbench",
      ]),
    test("EvaluationTests", ["Support", "Tensors", "Evaluation", "TestTools"]),
    test("ReportTests", ["Support", "Report"]),
    test("CommandLineToolsTests", ["Support", "CommandLineTools"]),
    test("IRTests", ["Support", "Tensors", "Hardware", "Mapping", "IR", "TestSupport"]),
    test(
      "PassesTests",
      [
        "Support", "Tensors", "Hardware", "Mapping", "IR", "Passes", "CodeGen", "Evaluator", "LayerSamples",
        "NaiveTwin",
      ]),
    test(
      "ImportTests", ["Support", "Tensors", "ONNX", "IR", "Import", "Evaluator", "TestTools"],
      resources: [.copy("onnxruntime_cases.py")]),
    test(
      "FileTests",
      [
        "Support", "Tensors", "Hardware", "Mapping", "IR", "Passes", "Evaluator", "ProgramFormat", "CodeGen",
        "DeviceModel",
        "Executor", "TestSupport",
      ], resources: [.copy("Files"), .copy("readme.xir")]),
    test(
      "EndToEndTests",
      [
        "Support", "Tensors", "Hardware", "Mapping", "IR", "Passes", "Evaluator", "ProgramFormat", "CodeGen",
        "DeviceModel",
        "Executor", "Driver", "RunDriver", "Evaluation", "Report", "CommandLineTools", "LayerSamples", "ONNX",
        "Import", "TestSupport",
      ]),
    test(
      "BackendTests",
      [
        "Support", "Tensors", "Hardware", "Mapping", "IR", "Passes", "Evaluator", "ProgramFormat", "CodeGen",
        "Executor",
        "ONNX", "Import",
      ]),
    test("LayeringTests", []),
  ]
)
