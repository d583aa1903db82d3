#if os(Linux)
    import Foundation
    import LinearAlgebra
    import PyTrees
    import Testing

    @testable import PrivacyMechanisms

    /// The peak of resident memory, as the system counts it for a process of its own.
    private enum PeakMemory {
        /// By how many bytes `body` raises the peak above what is resident before it.
        static func growth(_ body: () throws -> Void) throws -> Int {
            // Resets the peak to what is resident now (proc(5)).
            try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
            let before = try status("VmHWM")
            try body()
            return try status("VmHWM") - before
        }

        private static func status(_ key: String) throws -> Int {
            let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix(key) }!
            return Int(line.split(separator: " ").first { Int($0) != nil }!)! << 10
        }
    }

    /// One step's sum for a layer of 1000 × 1000 and 400 examples: 1.6 GB as dense rows, 3.2 MB as factors.
    @Suite struct FactoredMemoryTests {
        struct Problem {
            let gradients: FactoredGradients
            let scale: ParameterVector
            let parameterBytes = 4_000_000
            let activationBytes = 4 * 400 * 2000

            init() throws {
                let layout = try TreeLayout([("kernel", [1000, 1000])])
                let ones = Matrix(rows: 400, columns: 1000, elements: [Float](repeating: 1, count: 400_000))
                gradients = try FactoredGradients(
                    layout: layout, exampleCount: 400,
                    parts: [.dense(kernel: "kernel", bias: nil, activations: ones, outputGradients: ones)])
                scale = ParameterVector(repeating: 2, layout: layout)
            }

            /// The peak of one whole step, after a first one in which libraries take the memory that they keep.
            func growth(_ gradients: () throws -> some PerExampleGradients) throws -> Int {
                let transform = try DiagonalTransform(scale: scale)
                func step() throws {
                    var aggregate = try ClippedAggregate(
                        .flat(l2ClipNorm: 1), transform: transform, noise: .floatingPointGaussian, noiseMultiplier: 1)
                    aggregate.add(try gradients())
                    var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 1)
                    _ = try aggregate.privatized(noise: &noise).vector
                }
                try step()
                return try PeakMemory.growth(step)
            }

            /// Sum (two vectors' worth) and result, the factors once more, and 4 MB for threads' tiles and rounding to
            /// pages. With parameters, Adam's two moments, scale and one gradient more, that is 8 × parameters, and 2 ×
            /// activations and output gradients.
            var allowed: Int { 3 * parameterBytes + activationBytes + (4 << 20) }
        }

        @Test func aStepNeedsNoMemoryForExamplesTimesParameters() async {
            await #expect(processExitsWith: .success) {
                let problem = try Problem()
                let growth = try problem.growth { problem.gradients }
                exit(growth > 0 && growth <= problem.allowed ? 0 : 1)
            }
            // The control: gradients multiplied out for 20 examples only are too many.
            await #expect(processExitsWith: .failure) {
                let problem = try Problem()
                let growth = try problem.growth {
                    var rows = Matrix(rows: 20, columns: 1_000_000)
                    for example in 0..<20 {
                        rows.withMutableRow(example) { problem.gradients.copyGradient(of: example, into: &$0) }
                    }
                    return try DenseRows(rows, layout: problem.gradients.layout)
                }
                exit(growth <= problem.allowed ? 0 : 1)
            }
        }
    }
#endif
