// swift-tools-version: 6.1
import PackageDescription

/// Whether ranks are built: see the trait.
let mpi = SwiftSetting.define("MPI", .when(traits: ["MPI"]))

let package = Package(
    name: "swift-private-training",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
        .library(name: "PyTrees", targets: ["PyTrees"]),
        .library(name: "GradientTransformations", targets: ["GradientTransformations"]),
        .library(name: "PrivacyAccounting", targets: ["PrivacyAccounting"]),
        .library(name: "PrivacyAuditing", targets: ["PrivacyAuditing"]),
        .library(name: "PrivacyMechanisms", targets: ["PrivacyMechanisms"]),
        .library(name: "PrivateOptimization", targets: ["PrivateOptimization"]),
        .library(name: "Datasets", targets: ["Datasets"]),
        .library(name: "Differentiation", targets: ["Differentiation"]),
        .library(name: "Networks", targets: ["Networks"]),
        .library(name: "PrivateTraining", targets: ["PrivateTraining"]),
        .library(name: "MPICollective", targets: ["MPICollective"]),
        .executable(name: "dp", targets: ["dp"]),
        .executable(name: "dpbench", targets: ["dpbench"]),
    ],
    traits: [.trait(name: "MPI", description: "Training by several processes or machines, over Open MPI.")],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/ordo-one/TextTable", from: "0.0.2"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenBLAS",
            pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev", "liblapacke-dev"]), .brew(["openblas"])]
        ),
        .systemLibrary(
            name: "COpenMPI", pkgConfig: "ompi-c",
            providers: [.apt(["libopenmpi-dev", "openmpi-bin"]), .brew(["open-mpi"])]
        ),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "CPrivacyKernels"),
        .target(name: "Requirements"),
        .target(name: "LinearAlgebra", dependencies: ["COpenBLAS", "CPrivacyKernels", "Requirements"]),
        .target(name: "PyTrees", dependencies: ["Requirements"]),
        .target(name: "PrivacyAccounting", dependencies: ["Requirements"]),
        .target(
            name: "GradientTransformations",
            dependencies: ["CPrivacyKernels", "LinearAlgebra", "PyTrees", "Requirements"]
        ),
        .target(
            name: "PrivacyMechanisms",
            dependencies: [
                "CPrivacyKernels", "LinearAlgebra", "PrivacyAccounting", "PyTrees", "Requirements",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]
        ),
        .target(
            name: "PrivateOptimization",
            dependencies: [
                "CPrivacyKernels", "GradientTransformations", "LinearAlgebra", "PrivacyMechanisms", "PyTrees",
                "Requirements",
            ]
        ),
        .target(name: "Datasets", dependencies: ["CZlib", "LinearAlgebra", "PyTrees", "Requirements"]),
        .target(
            name: "Differentiation",
            dependencies: ["CPrivacyKernels", "LinearAlgebra", "PrivacyMechanisms", "PyTrees", "Requirements"]
        ),
        .target(
            name: "Networks",
            dependencies: [
                "CPrivacyKernels", "Datasets", "Differentiation", "LinearAlgebra", "PrivacyMechanisms", "PyTrees",
                "Requirements",
            ]
        ),
        .target(
            name: "PrivateTraining",
            dependencies: [
                "Datasets", "Differentiation", "GradientTransformations", "LinearAlgebra", "Networks",
                "PrivacyAccounting", "PrivacyMechanisms", "PrivateOptimization", "PyTrees", "Requirements",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "PrivacyAuditing",
            dependencies: [
                "Datasets", "GradientTransformations", "LinearAlgebra", "Networks", "PrivacyAccounting",
                "PrivacyMechanisms", "PrivateOptimization", "PrivateTraining", "PyTrees", "Requirements",
            ]
        ),
        .target(
            name: "MPICollective",
            dependencies: [
                "PrivacyMechanisms", "Requirements", .target(name: "COpenMPI", condition: .when(traits: ["MPI"])),
            ],
            swiftSettings: [mpi]
        ),
        .target(
            name: "CommandLineSupport",
            dependencies: ["Requirements", .product(name: "TextTable", package: "TextTable")]
        ),
        .executableTarget(
            name: "dp",
            dependencies: [
                "CommandLineSupport", "Datasets", "GradientTransformations", "LinearAlgebra", "MPICollective",
                "Networks", "PrivacyAccounting", "PrivacyAuditing", "PrivacyMechanisms", "PrivateOptimization",
                "PrivateTraining", "PyTrees", "Requirements",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: [mpi]
        ),
        .executableTarget(
            name: "dpbench",
            dependencies: [
                "CommandLineSupport", "Datasets", "GradientTransformations", "LinearAlgebra", "MPICollective",
                "Networks", "PrivacyAccounting", "PrivacyMechanisms", "PrivateOptimization", "PrivateTraining",
                "PyTrees",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/dpbench", swiftSettings: [mpi]
        ),
        .target(
            name: "_TestSupport", dependencies: ["CZlib", "Datasets", "LinearAlgebra", "Networks", "PyTrees"],
            path: "Tests/_TestSupport"
        ),
        .testTarget(name: "CPrivacyKernelsTests", dependencies: ["CPrivacyKernels", "_TestSupport"]),
        .testTarget(name: "CommandLineSupportTests", dependencies: ["CommandLineSupport"]),
        .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "LinearAlgebra", "PyTrees", "_TestSupport"]),
        .testTarget(
            name: "DifferentiationTests",
            dependencies: ["Differentiation", "LinearAlgebra", "PrivacyMechanisms", "PyTrees", "_TestSupport"]
        ),
        .testTarget(name: "DocumentationTests", dependencies: ["PrivateTraining"]),
        .testTarget(
            name: "GradientTransformationsTests",
            dependencies: [
                "CPrivacyKernels", "GradientTransformations", "LinearAlgebra", "PrivacyMechanisms",
                "PrivateOptimization", "PyTrees", "_TestSupport",
            ]
        ),
        .testTarget(name: "LinearAlgebraTests", dependencies: ["CPrivacyKernels", "LinearAlgebra", "_TestSupport"]),
        .testTarget(
            name: "NetworksTests",
            dependencies: [
                "CPrivacyKernels", "Datasets", "Differentiation", "GradientTransformations", "LinearAlgebra",
                "Networks",
                "PrivacyMechanisms", "PrivateOptimization", "PyTrees", "_TestSupport",
            ]
        ),
        .testTarget(name: "PrivacyAccountingTests", dependencies: ["PrivacyAccounting", "_TestSupport"]),
        .testTarget(
            name: "PrivacyAuditingTests",
            dependencies: ["PrivacyAccounting", "PrivacyAuditing", "PrivateTraining", "_TestSupport"]
        ),
        .testTarget(
            name: "PrivacyMechanismsTests",
            dependencies: [
                "CPrivacyKernels", "LinearAlgebra", "PrivacyAccounting", "PrivacyMechanisms", "PyTrees", "_TestSupport",
            ]
        ),
        .testTarget(
            name: "PrivateOptimizationTests",
            dependencies: [
                "CPrivacyKernels", "GradientTransformations", "LinearAlgebra", "PrivacyMechanisms",
                "PrivateOptimization", "PyTrees", "_TestSupport",
            ]
        ),
        .testTarget(
            name: "PrivateTrainingTests",
            dependencies: ["CPrivacyKernels", "Networks", "PrivateTraining", "_TestSupport"]
        ),
        .testTarget(name: "PyTreesTests", dependencies: ["PyTrees", "_TestSupport"]),
        .testTarget(name: "RequirementsTests", dependencies: ["LinearAlgebra", "Requirements"]),
        .testTarget(
            name: "dpTests", dependencies: ["dp", "CZlib", "PrivacyAuditing", "PrivateTraining", "_TestSupport"]),
    ]
)

// What `scripts/test-sanitized` builds: the tests that it runs, and what they need. A manifest cannot leave out
// snippets, which are linked with the products, and so with nothing here: the scripts name the product that they build.
let checks = Context.environment["PRIVATE_TRAINING_CHECKS"]
if checks != nil {
    var tests = [
        "CPrivacyKernelsTests", "GradientTransformationsTests", "LinearAlgebraTests", "NetworksTests",
        "PrivacyMechanismsTests", "PrivateTrainingTests",
    ]
    if checks == "debug" { tests += ["DatasetsTests", "DifferentiationTests", "PyTreesTests"] }
    package.targets.removeAll { target in target.type == .test && !tests.contains(target.name) }
    package.products = []
}

/// Has the package's own targets built under a sanitizer; others' stay what they are in a release build. These flags
/// would forbid other packages to depend on this one.
@MainActor func check(by sanitizer: String, libraries: String) {
    for target in package.targets where target.type != .system {
        if target.name == "CPrivacyKernels" {
            target.cSettings = [.unsafeFlags(["-fsanitize=\(sanitizer)"])]
        } else if target.type == .test {
            target.swiftSettings = [.unsafeFlags(["-sanitize=\(sanitizer)"])]
            target.linkerSettings = [.unsafeFlags(["-sanitize=\(sanitizer)"])]
        } else {
            target.swiftSettings = [.unsafeFlags(["-sanitize=\(libraries)", "-enable-testing"])]
        }
    }
}

switch checks {
case "thread":
    package.targets.removeAll { ["dp", "dpbench", "PrivacyAuditing", "MPICollective"].contains($0.name) }
    check(by: "thread", libraries: "thread")
case "address":
    // Beside them what `scripts/fuzz` builds.
    check(by: "address", libraries: "fuzzer,address")
    let fuzzed = SwiftSetting.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])
    // Programs cannot be linked into others; as a library, `dp` can, once its entry point is out of the way.
    let entryPoint = SwiftSetting.unsafeFlags(["-Xfrontend", "-entry-point-function-name", "-Xfrontend", "dp_main"])
    let dependencies = package.targets.first { $0.name == "dp" }?.dependencies ?? []
    package.targets.removeAll { ["dp", "dpbench"].contains($0.name) }
    package.targets += [
        .target(name: "dp", dependencies: dependencies, swiftSettings: [fuzzed, entryPoint]),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CommandLineSupport", "Datasets", "GradientTransformations", "LinearAlgebra", "Networks",
                "PrivacyAccounting", "PrivacyMechanisms", "PrivateOptimization", "PrivateTraining", "PyTrees", "dp",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Tests/Fuzzing", exclude: ["Corpora", "make-seeds"], swiftSettings: [fuzzed],
            linkerSettings: [.unsafeFlags(["-sanitize=address"])]),
    ]
default: break
}

// What `scripts/docs` builds the site with; nobody else fetches it.
if Context.environment["PRIVATE_TRAINING_DOCS"] != nil {
    package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
    // The plugin switches all traits on, for which every module would be built anew. Without a trait, only those are
    // that have something of MPI.
    package.traits = []
    for target in package.targets where target.swiftSettings != nil { target.swiftSettings = [.define("MPI")] }
    let ranks = package.targets.first { $0.name == "MPICollective" }
    ranks?.dependencies = ["COpenMPI", "PrivacyMechanisms", "Requirements"]
}
