import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing

// README example begins
struct Model: PyTree {
    var kernel = Tensor(zeros: [10, 64])
    var bias = Tensor(zeros: [10])

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("kernel", &kernel)
        try visitor.visit("bias", &bias)
    }
}

func step(_ model: inout Model, _ perExampleGradients: Matrix, noise: inout GaussianNoise) throws {
    var parameters = try model.flattened()
    let clipping = try ClippingRule.flat(l2ClipNorm: 1, normalizeBy: 256)  // the expected batch size
    var aggregate = try ClippedAggregate(clipping, transform: IdentityTransform(layout: parameters.layout))
    aggregate.add(try DenseRows(perExampleGradients, layout: parameters.layout))
    let gradient = try aggregate.privatized(noiseMultiplier: 1.1, noise: &noise)
    parameters.withUnsafeMutableValues { values in
        for index in values.indices { values[index] -= 0.1 * gradient.values[index] }
    }
    try model.unflatten(from: parameters)
}
// README example ends

/// The example that the README shows is the one above, which is compiled and run.
@Suite struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func theReadmeShowsTheExampleThatIsCompiledHere() throws {
        let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        let block = try #require(readme.firstMatch(of: /```swift\n(?:import [A-Za-z]+\n)+\n([\s\S]*?)```/)?.1)
        let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let marked = try #require(
            source.firstMatch(of: /\/\/ README example begins\n([\s\S]*?)\/\/ README example ends/)?.1)
        #expect(block == marked)
        #expect(marked.contains("func step"))
    }

    @Test func theExampleTakesAPrivateStep() throws {
        var model = Model()
        var noise = GaussianNoise(nonPrivateSeed: 1)
        try step(&model, Matrix(rows: 256, columns: 650), noise: &noise)
        // Nothing but noise: 650 normals of σ = 0.1 · 1.1/256. Six standard errors of the empirical σ are allowed.
        let values = try model.flattened().values
        let deviation = (values.reduce(0) { $0 + Double($1) * Double($1) } / 650).squareRoot()
        #expect(abs(deviation / (0.1 * 1.1 / 256) - 1) < 6 / (2 * 650.0).squareRoot())
    }
}
