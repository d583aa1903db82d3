import CommandLineSupport
import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// One line of the result.
struct PipelineRecord: Codable {
    var benchmark = "pipeline"
    let path: String
    let dataset: String
    let transform: String
    let examples: Int
    let params: Int
    let threads: Int
    let seconds: Double
    let readOnceSeconds: Double
    let gigabytesPerSecond: Double
    /// The median of the ratios of runs taken beside each other.
    let timesNaive: Double?
    let timesReadOnce: Double
    let maxRelativeError: Double
    let peakBytes: Int?
}

/// Checks that the paths agree, then times them.
struct PipelineRun {
    enum Path: String, CaseIterable {
        case naive, blas, fused
        case fusedFloatingPoint = "fused-floating-point"
    }

    let problem: PipelineProblem
    let threads: Int
    let runs: Int
    var paths = Path.allCases
    var progress = ProgressLine()

    func records() throws -> [PipelineRecord] {
        try requireMemory()
        let fused = try Fused(problem)
        var normals = GaussianNoise()
        // Outside the timed runs: asking the system for the peak takes longer than a small batch. The fused path goes
        // first, because the others leave freed memory behind that the process keeps.
        var peaks: [Path: Int] = [:]
        for path in paths.reversed() {
            PeakMemory.reset()
            try run(path, fused, &normals)
            peaks[path] = PeakMemory.bytes
        }
        let errors = try checkAgreement(fused)
        let readOnce = { _ = problem.gradients.withUnsafeElements { MemoryRead.run($0) } }
        let competitors = paths.map { path in
            { () throws -> Void in try run(path, fused, &normals) }
        }
        let measurement = try Measurement(runs: runs, of: [readOnce] + competitors) { run in
            let size = "\(problem.gradients.rows) × \(problem.gradients.columns)"
            progress.show(run == 0 ? "\(problem.name) \(size): warming up" : "\(size): run \(run) of \(runs)")
        }
        progress.clear()
        return paths.enumerated().map { index, path in
            let seconds = measurement.median(of: index + 1)
            let naive = paths.firstIndex(of: .naive)
            return PipelineRecord(
                path: path.rawValue, dataset: problem.name, transform: problem.scale == nil ? "none" : "diagonal",
                examples: problem.gradients.rows, params: problem.gradients.columns, threads: threads,
                seconds: seconds, readOnceSeconds: measurement.median(of: 0),
                gigabytesPerSecond: problem.bytes / seconds / 1e9,
                timesNaive: naive.map { measurement.medianRatio(of: $0 + 1, to: index + 1) },
                timesReadOnce: measurement.medianRatio(of: index + 1, to: 0), maxRelativeError: errors[index],
                peakBytes: peaks[path])
        }
    }

    /// The library's path under both kinds of noise.
    private final class Fused {
        let exact: FusedPath
        let floatingPoint: FusedPath
        var discreteNoise = Noise(.discreteGaussian)
        var floatingPointNoise = Noise(.floatingPointGaussian)

        init(_ problem: PipelineProblem) throws {
            exact = try FusedPath(problem: problem)
            floatingPoint = try FusedPath(problem: problem, noise: .floatingPointGaussian)
        }
    }

    private func checkAgreement(_ fused: Fused) throws -> [Double] {
        progress.show("checking that the paths agree without noise")
        var normals = GaussianNoise(nonPrivateSeed: 0)
        let sums = try paths.map { path in
            let sum =
                switch path {
                case .naive: NaivePath(problem: problem).privateGradient(noiseMultiplier: 0, normals: &normals)
                case .blas: BLASPath(problem: problem).privateGradient(noiseMultiplier: 0, normals: &normals)
                case .fused: try fused.exact.nonPrivateGradient(noiseMultiplier: problem.noiseMultiplier)
                case .fusedFloatingPoint: try fused.floatingPoint.nonPrivateGradient(noiseMultiplier: 0)
                }
            return (name: path.rawValue, sum: sum, isOnGrid: path == .fused)
        }
        return try Agreement(problem, paths: sums).maxRelativeErrors
    }

    @discardableResult
    private func run(_ path: Path, _ fused: Fused, _ normals: inout GaussianNoise) throws -> [Float] {
        let z = problem.noiseMultiplier
        return switch path {
        case .naive: NaivePath(problem: problem).privateGradient(noiseMultiplier: z, normals: &normals)
        case .blas: BLASPath(problem: problem).privateGradient(noiseMultiplier: z, normals: &normals)
        case .fused: try fused.exact.privateGradient(noiseMultiplier: z, noise: &fused.discreteNoise).values
        case .fusedFloatingPoint:
            try fused.floatingPoint.privateGradient(noiseMultiplier: z, noise: &fused.floatingPointNoise).values
        }
    }

    /// The BLAS path copies the matrix: better to say so than to be killed on the way.
    private func requireMemory() throws {
        guard paths.contains(.blas), let available = SystemMemory.availableBytes else { return }
        let needed = 4 * problem.gradients.count
        if needed > available { throw BenchmarkError.notEnoughMemory(needed: needed, available: available) }
    }
}

/// What the system can still hand out.
enum SystemMemory {
    /// Bytes, or nil where the system does not say.
    static var availableBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").compactMap { Int($0) }.first.map { $0 << 10 }
    }
}
