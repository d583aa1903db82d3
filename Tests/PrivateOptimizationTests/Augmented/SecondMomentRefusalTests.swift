import Foundation
import Testing

/// What the compiler accepts and refuses.
@Suite struct SecondMomentRefusalTests {
    /// A compiler, and where this test was built; nil where one of them is not to be found.
    static let compiler: (path: String, build: String, sources: String)? = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { folder.deleteLastPathComponent() }
        let builds = [
            Bundle.main.bundleURL, Bundle.main.bundleURL.deletingLastPathComponent(),
            folder.appending(path: ".build/release"),
        ]
        let build = builds.map(\.path).first {
            FileManager.default.fileExists(atPath: $0 + "/Modules/PrivateOptimization.swiftmodule")
        }
        let paths = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/swiftc" }
        let compiler = paths.first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let build, let compiler else { return nil }
        return (compiler, build, folder.appending(path: "Sources").path)
    }()

    static let isAvailable: Comment = "needs swiftc in PATH and the built modules beside the test"

    /// The diagnostics for `body`, empty if it compiles.
    func diagnostics(for body: String) throws -> String {
        let compiler = try #require(Self.compiler)
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).swift")
        defer { try? FileManager.default.removeItem(at: file) }
        let imports = ["GradientTransformations", "PrivacyMechanisms", "PrivateOptimization", "PyTrees"]
        let text = imports.map { "import \($0)\n" }.joined() + "func make() throws { \(body) }\n"
        try text.write(to: file, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: compiler.path)
        process.arguments = [
            "-emit-sil", "-o", "/dev/null", "-swift-version", "6", "-I", compiler.build + "/Modules", "-I",
            compiler.sources + "/COpenBLAS", "-Xcc",
            "-fmodule-map-file=" + compiler.build + "/CPrivacyKernels.build/module.modulemap", file.path,
        ]
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? "" : output
    }

    @Test(
        .enabled(if: compiler != nil, isAvailable),
        arguments: [
            "adam(learningRate: 0.1)",
            "chain { try ClipByGlobalNorm(1); try ScaleByAdam(); try Scale(-0.1) }",
            "chain { try Scale(2); try rmsprop(learningRate: 0.1) }",
            "adafactor(learningRate: 0.1)", "chain { try ScaleByFactoredRMS(); try Scale(-0.1) }",
        ])
    func adaptiveBasesCompile(_ base: String) throws {
        #expect(try diagnostics(for: "_ = try ScaleThenPrivatize(\(base))") == "")
    }

    @Test(
        .enabled(if: compiler != nil, isAvailable),
        arguments: ["sgd(learningRate: 0.1)", "chain { try Scale(2); try Scale(-0.1) }"])
    func othersAreRefused(_ base: String) throws {
        let diagnostics = try diagnostics(for: "_ = try ScaleThenPrivatize(\(base))")
        #expect(diagnostics.contains("scales by the base optimizer's second moment, and this base keeps none"))
    }

    /// A gradient is taken back once, by whom it is for, and by nobody before noise.
    @Test(
        .enabled(if: compiler != nil, isAvailable),
        arguments: [
            ("_ = gradient.inverted(); _ = gradient.inverted()", "consumed more than once"),
            ("sgd.step(gradient, state: &state, parameters: &parameters)", "no exact matches in call"),
            (
                "_ = try chain { try ScaleThenPrivatize(adam(learningRate: 0.1)); try Scale(2) }",
                "GradientTransformation"
            ),
            ("let copy = gradient; _ = copy.inverted(); _ = gradient.inverted()", "consumed more than once"),
        ])
    func whatWouldUndoPrivacyIsRefused(_ body: String, _ reason: String) throws {
        #expect(try diagnostics(for: Self.gradient(body)).contains(reason))
    }

    @Test(
        .enabled(if: compiler != nil, isAvailable),
        arguments: [
            "_ = gradient.inverted()", "sgd.step(gradient.inverted(), state: &state, parameters: &parameters)",
            "_ = gradient.vector; _ = gradient.inverted().vector",
        ])
    func whatKeepsItCompiles(_ body: String) throws {
        #expect(try diagnostics(for: Self.gradient(body)) == "")
    }

    /// `body` with a transformed gradient and an ordinary optimizer.
    private static func gradient(_ body: String) -> String {
        """
        func use<Optimizer: GradientTransformation>(
            _ gradient: consuming TransformedGradient<DiagonalTransform>, _ sgd: Optimizer,
            state: inout Optimizer.State, parameters: inout ParameterVector
        ) throws { \(body) }
        """
    }
}
