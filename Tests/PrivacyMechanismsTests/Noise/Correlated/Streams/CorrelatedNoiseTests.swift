import Foundation
import PyTrees
import Testing
import _TestSupport

@testable import PrivacyMechanisms

/// What holds for every stream of correlated noise.
@Suite struct CorrelatedNoiseTests {
    /// C times the noise of all steps, over σ: independent standard normals.
    private static func whitened(
        _ strategy: CorrelationStrategy, columns: Int, matrix: [[Double]]? = nil
    ) throws -> [[Double]] {
        var releases = try CorrelatedReleases(strategy, columns: columns, seed: 7)
        let deviation = try releases.sensitivity * strategy.columnNorm
        let rows = try (0..<strategy.steps).map { _ in try releases.next() }
        return product(matrix ?? strategy.strategy.matrix, rows).map { $0.map { $0 / deviation } }
    }

    /// Moments of all pairs of steps over n columns: of standard normals √n·(mean of a product − δ) has a variance of
    /// 1, or 2 for squares. Of 21 pairs none is beyond 5.5 standard deviations with probability 1 − 10⁻⁶.
    private static func isWhite(_ rows: [[Double]]) -> Bool {
        let n = Double(rows[0].count)
        for first in rows.indices {
            for second in 0...first {
                let mean = zip(rows[first], rows[second]).reduce(0) { $0 + $1.0 * $1.1 } / n
                let expected = first == second ? 1.0 : 0
                let deviation = ((first == second ? 2 : 1) / n).squareRoot()
                if abs(mean - expected) > 5.5 * deviation { return false }
            }
        }
        return true
    }

    /// **Guarantee:** the noise of all steps is C⁻¹Z, Z independent and of standard deviation z·‖C‖·M: with n = 10⁵
    /// columns, to 2 % in each variance and covariance. Twins: another strategy's noise, and a norm that is that of one
    /// coefficient.
    @Test(arguments: streamedStrategies)
    func noiseHasTheCovarianceOfTheStrategy(_ strategy: CorrelationStrategy) throws {
        let rows = try Self.whitened(strategy, columns: 100_000)
        #expect(Self.isWhite(rows))
        if strategy.bands > 1 {
            let identity = try IdentityStrategy(steps: strategy.steps).matrix
            #expect(try !Self.isWhite(Self.whitened(strategy, columns: 100_000, matrix: identity)))
            #expect(!Self.isWhite(rows.map { $0.map { $0 * strategy.columnNorm } }))
        }
    }

    /// The same independent noise goes into every combination: what is drawn again is the same number.
    @Test func combinationsAreTheDenseProduct() throws {
        for strategy in streamedStrategies where ["banded-inverse", "blt"].contains(strategy.kind) {
            let dense = try DenseStrategy(rows: strategy.strategy.matrix.enumerated().map { Array($1.prefix($0 + 1)) })
            var first = try CorrelatedReleases(strategy, columns: 37, seed: 3)
            var second = try CorrelatedReleases(.dense(dense), columns: 37, seed: 3)
            for _ in 0..<6 {
                // One unit of rounding each, and the same again for Float32.
                for (a, b) in zip(try first.next(), try second.next()) { #expect(abs(a - b) <= 2 + abs(a) * 0x1p-22) }
            }
        }
    }

    /// Kept noise is the noise that would be drawn again, over any number of windows.
    @Test(arguments: streamedStrategies)
    func keptNoiseIsDrawnNoise(_ strategy: CorrelationStrategy) throws {
        var drawn = try CorrelatedReleases(strategy, columns: 9, restarts: true)
        var kept = try CorrelatedReleases(strategy, columns: 9, restarts: true, keepsPastNoise: true)
        for _ in 0..<20 { #expect(try drawn.next() == kept.next()) }
    }

    /// Another window may be of other sums.
    @Test(arguments: streamedStrategies)
    func windowsMayHaveOtherColumns(_ strategy: CorrelationStrategy) throws {
        var run = try CorrelatedReleases(strategy, columns: 3, restarts: true)
        for columns in [3, 5000, 2, 70_000] {
            for _ in 0..<6 { #expect(try run.next(columns: columns).allSatisfy { $0.isFinite && $0 != 0 }) }
            try run.resume(seed: 1)
        }
    }

    /// A file that is not of this strategy, or has lost a part, is refused before a step is taken.
    @Test(arguments: streamedStrategies)
    func checkpointsThatDoNotFitAreRefused(_ strategy: CorrelationStrategy) throws {
        var run = try CorrelatedReleases(strategy, columns: 3)
        for _ in 0..<3 { _ = try run.next() }
        let decoder = JSONDecoder()
        decoder.userInfo[.noiseScheme] = run.scheme
        func decode(_ change: (inout [String: Any]) -> Void) throws {
            var checkpoint = try run.checkpoint()
            change(&checkpoint)
            _ = try decoder.decode(NoiseCheckpoint.self, from: JSONSerialization.data(withJSONObject: checkpoint))
        }
        func window(_ key: String, _ value: Any) -> (inout [String: Any]) -> Void {
            { checkpoint in
                var window = checkpoint["window"] as? [String: Any] ?? [:]
                window[key] = value
                checkpoint["window"] = window
            }
        }
        try decode { _ in }
        let broken = [
            window("length", 7), window("length", 0), window("taken", -1), window("taken", 8), window("restarts", true),
        ]
        for change in broken { #expect(throws: DecodingError.self) { try decode(change) } }
        if strategy.bands > 1 {
            #expect(throws: DecodingError.self) { try decode { $0["vectors"] = [Any]() } }
            #expect(throws: DecodingError.self) {
                try decode { checkpoint in
                    let vectors = checkpoint["vectors"] as? [Any] ?? []
                    checkpoint["vectors"] = vectors + vectors
                }
            }
            var other = try CorrelatedReleases(strategy, columns: 2)
            for _ in 0..<3 { _ = try other.next() }
            let vectors = try #require(other.checkpoint()["vectors"])
            #expect(throws: DecodingError.self) { try decode { $0["vectors"] = vectors } }
        }
    }

    @Test(arguments: streamedStrategies)
    func seededRunsGoOnBitByBit(_ strategy: CorrelationStrategy) throws {
        let rows: [[Float]] = [[0.5, -0.25, 0.125], [0, 1, 1]]
        var whole = try CorrelatedReleases(strategy, columns: 3, restarts: true)
        var parts = try CorrelatedReleases(strategy, columns: 3, restarts: true)
        for step in 0..<14 {
            if [1, 4, 6, 7, 11].contains(step) { try parts.resume(seed: 1) }
            #expect(try whole.next(rows) == parts.next(rows))
        }
    }

    /// Under a fresh key a run goes on with the noise that it had, and takes new noise for new steps: C times all of it
    /// is that of the first key before, and that of the second after.
    @Test(arguments: streamedStrategies)
    func freshKeysGoOnWithPastNoise(_ strategy: CorrelationStrategy) throws {
        var run = try CorrelatedReleases(strategy, columns: 50)
        var rows = try (0..<3).map { _ in try run.next([[Float](repeating: 0.1, count: 50)]) }
        try run.resume(seed: nil)
        rows += try (3..<6).map { _ in try run.next() }
        var same = try CorrelatedReleases(strategy, columns: 50)
        let old = try (0..<6).map { try same.next($0 < 3 ? [[Float](repeating: 0.1, count: 50)] : []) }
        let matrix = strategy.strategy.matrix
        let (mixed, whole) = (product(matrix, rows), product(matrix, old))
        let deviation = try run.sensitivity * strategy.columnNorm
        for step in 0..<6 {
            // Of 50 differences of independent normals some are above 1 with probability 1 − 10⁻¹⁴.
            let largest = zip(mixed[step], whole[step]).map { abs($0 - $1) / deviation }.max()!
            #expect(step < 3 ? largest == 0 : largest > 1)
        }
    }

    @Test(arguments: streamedStrategies)
    func restartsForgetWhatWasBefore(_ strategy: CorrelationStrategy) throws {
        var run = try CorrelatedReleases(strategy, columns: 20_000, restarts: true, seed: 5)
        let deviation = try run.sensitivity * strategy.columnNorm
        let matrix = strategy.strategy.matrix
        let windows = try (0..<2).map { _ in
            product(matrix, try (0..<6).map { _ in try run.next() }).map { $0.map { $0 / deviation } }
        }
        for (first, second) in zip(windows[0], windows[1]) { #expect(Self.isWhite([first, second])) }
    }

    /// A strategy ends after its last step, and refuses sums that are not like those before. A refusal releases nothing
    /// and draws nothing.
    @Test(arguments: streamedStrategies)
    func whatDoesNotFitIsRefused(_ strategy: CorrelationStrategy) throws {
        var run = try CorrelatedReleases(strategy, columns: 2)
        var untouched = try CorrelatedReleases(strategy, columns: 2)
        for step in 0..<6 {
            if step > 0 {
                let clip = #expect(throws: PrivacyMechanismError.self) { try run.next(l2ClipNorm: 2) }
                #expect(clip?.description.contains("the same layout, clip norms") == true)
                let scale = #expect(throws: PrivacyMechanismError.self) { try run.next(scaledBy: 2) }
                #expect(scale?.description.contains("the same transform") == true)
            }
            #expect(try run.next() == untouched.next())
        }
        let end = #expect(throws: PrivacyMechanismError.self) { try run.next() }
        #expect(end == .strategyExhausted(steps: 6))
    }

    @Test func schemesSurviveJSON() throws {
        for strategy in streamedStrategies {
            for scheme in [NoiseScheme.correlated(strategy), .correlated(strategy, restarts: true)] {
                let data = try JSONEncoder().encode(scheme)
                #expect(try JSONDecoder().decode(NoiseScheme.self, from: data) == scheme)
            }
        }
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(
                NoiseScheme.self,
                from: Data(#"{"kind": "correlated", "strategy": {"kind": "identity", "steps": 3}, "bands": 3}"#.utf8))
        }
        #expect("\(error!)".contains("There is no setting 'bands'"))
    }
}
