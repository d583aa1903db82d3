// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "swift-private-training",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
        .library(name: "PyTrees", targets: ["PyTrees"]),
        .library(name: "GradientTransformations", targets: ["GradientTransformations"]),
        .library(name: "PrivacyAccounting", targets: ["PrivacyAccounting"]),
        .library(name: "PrivacyMechanisms", targets: ["PrivacyMechanisms"]),
        .library(name: "PrivateTraining", targets: ["PrivateTraining"]),
        .executable(name: "dp", targets: ["dp"]),
        .executable(name: "dpbench", targets: ["dpbench"]),
    ],
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
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "CPrivacyKernels"),
        .target(name: "LinearAlgebra", dependencies: ["COpenBLAS", "CPrivacyKernels"]),
        .target(name: "PyTrees", exclude: ["README.md"]),
        .target(name: "CFourier"),
        .target(name: "PrivacyAccounting", dependencies: ["CFourier"], exclude: ["README.md"]),
        .target(
            name: "GradientTransformations",
            dependencies: ["CPrivacyKernels", "LinearAlgebra", "PrivacyMechanisms", "PyTrees"],
            exclude: ["README.md"]
        ),
        .target(
            name: "PrivacyMechanisms",
            dependencies: [
                "CPrivacyKernels", "LinearAlgebra", "PrivacyAccounting", "PyTrees",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]
        ),
        .target(
            name: "PrivateTraining",
            dependencies: [
                "CPrivacyKernels", "CZlib", "GradientTransformations", "LinearAlgebra", "PrivacyAccounting",
                "PrivacyMechanisms", "PyTrees",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["README.md"]
        ),
        .target(name: "CommandLineSupport", dependencies: ["LinearAlgebra"]),
        .executableTarget(
            name: "dp",
            dependencies: [
                "CommandLineSupport", "GradientTransformations", "LinearAlgebra", "PrivacyAccounting",
                "PrivacyMechanisms", "PrivateTraining", "PyTrees",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "TextTable", package: "TextTable"),
            ]
        ),
        .executableTarget(
            name: "dpbench",
            dependencies: [
                "CommandLineSupport", "GradientTransformations", "LinearAlgebra", "PrivacyAccounting", "PyTrees",
                "PrivacyMechanisms", "PrivateTraining",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "TextTable", package: "TextTable"),
            ],
            path: "Benchmarks/dpbench"
        ),
        .testTarget(
            name: "PrivateTrainingTests",
            dependencies: [
                "CPrivacyKernels", "CZlib", "GradientTransformations", "LinearAlgebra", "PrivacyAccounting",
                "PrivacyMechanisms", "PrivateTraining", "PyTrees",
            ]
        ),
        .testTarget(name: "dpTests", dependencies: ["dp", "CZlib"]),
        .testTarget(name: "CPrivacyKernelsTests", dependencies: ["CPrivacyKernels"]),
        .testTarget(name: "CommandLineSupportTests", dependencies: ["CommandLineSupport", "LinearAlgebra"]),
        .testTarget(name: "DocumentationTests", dependencies: ["GradientTransformations", "PrivateTraining"]),
        .testTarget(name: "LinearAlgebraTests", dependencies: ["LinearAlgebra", "CPrivacyKernels"]),
        .testTarget(name: "PyTreesTests", dependencies: ["PyTrees"]),
        .testTarget(name: "PrivacyAccountingTests", dependencies: ["PrivacyAccounting", "CFourier"]),
        .testTarget(
            name: "GradientTransformationsTests",
            dependencies: [
                "GradientTransformations", "LinearAlgebra", "PrivacyMechanisms", "PyTrees", "CPrivacyKernels",
            ]
        ),
        .testTarget(
            name: "PrivacyMechanismsTests",
            dependencies: ["PrivacyMechanisms", "LinearAlgebra", "PrivacyAccounting", "PyTrees", "CPrivacyKernels"]
        ),
    ],
    cxxLanguageStandard: .cxx17
)
