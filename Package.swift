// swift-tools-version: 6.1
import PackageDescription

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "fettle",
  products: [
    .executable(name: "fettle", targets: ["fettle"]),
    .executable(name: "fettle-bench", targets: ["fettle-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
  ],
  targets: [
    // What a person meets, from the door inwards. Arrows run down this list only.
    .executableTarget(name: "fettle", dependencies: ["Commands", "Shell", "Basics"]),
    .target(
      name: "Commands",
      dependencies: [
        argumentParser, "Shell", "Transcripts", "Publishing", "Serving", "Tasks", "Classifiers", "Encoder",
        "HTTP", "Workbench", "Scoring", "Basics",
      ]),
    .target(name: "Shell", dependencies: ["CLibEdit", "Transcripts", "Basics"]),
    .target(name: "Publishing", dependencies: ["CCommonMark", "Transcripts", "Basics"]),
    .target(name: "Transcripts", dependencies: ["Yams", "Basics"]),
    // FlyingFox would build faster, but its headers know neither a bound nor a deadline, and of two lengths it takes the last.
    .target(
      name: "Serving",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), "Tasks", "Classifiers", "Encoder", "Workbench",
        "Scoring", "CZlib", "Basics",
      ]),
    .target(name: "Tasks", dependencies: ["Classifiers", "Encoder", "HTTP", "Workbench", "Basics"]),
    .target(name: "Classifiers", dependencies: ["Encoder"]),
    .target(name: "Encoder", dependencies: ["COneDNN", "CKernels", "Basics"]),
    .target(name: "HTTP", dependencies: ["CLibCurl", "Basics"]),
    .target(
      name: "Workbench",
      dependencies: [.product(name: "GRDB", package: "GRDB.swift"), "CSQLite", "Basics"]),
    .target(name: "Scoring"),
    .target(name: "Basics", dependencies: ["CPosix", "CLibCrypto"]),

    .systemLibrary(name: "CLibEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .systemLibrary(
      name: "CLibCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CCommonMark",
      providers: [.apt(["libcmark-gfm-dev", "libcmark-gfm-extensions-dev"])]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .target(name: "CKernels"),
    .target(name: "CPosix"),
    .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),

    .executableTarget(
      name: "fettle-bench",
      dependencies: [argumentParser, "Encoder", "Transcripts", "Workbench", "COneDNN"]),

    // Programs started on a real pseudo-terminal, for tests of what a person meets.
    .target(name: "PseudoTerminal", path: "Tests/PseudoTerminal"),
    // What asks a server, rightly or wrongly.
    .target(name: "LoopbackClient", path: "Tests/LoopbackClient"),
    .executableTarget(
      name: "prompt-fixture", dependencies: ["Shell", "Basics"], path: "Tests/PromptFixture"),

    // Hostile files for every reader, endlessly: see `make fuzz`.
    .executableTarget(
      name: "fettle-fuzz", dependencies: ["Encoder", "Publishing", "Shell", "Transcripts", "Workbench"],
      path: "Tests/Fuzz"),

    .testTarget(
      name: "EncoderTests", dependencies: ["Encoder", "CKernels"], resources: [.copy("Reference")]),
    .testTarget(
      name: "WorkbenchTests",
      dependencies: ["Workbench", "Basics", .product(name: "GRDB", package: "GRDB.swift")],
      exclude: ["Reference"]),
    .testTarget(
      name: "ShellTests", dependencies: ["Shell", "Transcripts", "PseudoTerminal", "prompt-fixture"]),
    .testTarget(name: "TranscriptsTests", dependencies: ["Transcripts"]),
    .testTarget(name: "TasksTests", dependencies: ["Tasks", "Classifiers", "Encoder", "Workbench"]),
    .testTarget(
      name: "ServingTests",
      dependencies: ["Serving", "Tasks", "Classifiers", "Encoder", "Workbench", "LoopbackClient"]),
    .testTarget(name: "ScoringTests", dependencies: ["Scoring"]),
    .testTarget(name: "BasicsTests", dependencies: ["Basics"]),
    .testTarget(name: "HTTPTests", dependencies: ["HTTP", "Tasks", "Basics"]),
    .testTarget(
      name: "FettleTests",
      dependencies: ["Transcripts", "Workbench", "PseudoTerminal", "LoopbackClient"]),
  ],
  swiftLanguageModes: [.v6]
)
