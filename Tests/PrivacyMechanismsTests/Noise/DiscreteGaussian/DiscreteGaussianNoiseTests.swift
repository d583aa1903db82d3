import CPrivacyKernels
import Foundation
import LinearAlgebra
import Synchronization
import Testing

@testable import PrivacyMechanisms

struct DiscreteGaussianNoiseTests {
    private static func draw(
        _ count: Int, _ table: DiscreteGaussianTable, seed: UInt64, from position: UInt64 = 0
    ) -> [Int32] {
        var noise = DiscreteGaussianNoise(nonPrivateSeed: seed, resumingAt: position)
        var integers = [Int32](repeating: .max, count: count)
        integers.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let base = buffer.baseAddress!
            noise.forEachChunk(of: count, table) { (base + $1.lowerBound).update(from: $0, count: $1.count) }
        }
        return integers
    }

    /// χ² of 2¹⁸ integers against exp(-x²/2σ²).
    private static func statistic(_ table: DiscreteGaussianTable, sigma: Double, seed: UInt64) -> Double {
        let integers = draw(1 << 18, table, seed: seed)
        let reach = Int(12 * sigma) + 12
        var counts = [Int](repeating: 0, count: 2 * reach + 1)
        for x in integers { counts[min(max(Int(x) + reach, 0), 2 * reach)] += 1 }
        let masses = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
        let factor = Double(integers.count) / masses.reduce(0, +)
        return ChiSquare.statistic(counts, expected: masses.map { $0 * factor })
    }

    @Test(arguments: [0.5, 0.8, 3, 10, 40])
    func integersFollowTheExactLaw(sigma: Double) {
        var table = DiscreteGaussianTable(sigma: sigma)
        #expect(Self.statistic(table, sigma: sigma, seed: 61) < 1)
        // Controls: another deviation, and one entry of 2048 that goes where its 128 of 2¹⁸ integers stand out.
        #expect(Self.statistic(table, sigma: sigma * 1.03, seed: 61) > 1)
        let far = (sigma < 20 ? 3.5 : 3) * sigma
        table.entries[3] = 1023 + UInt32(far.rounded(.up))
        #expect(Self.statistic(table, sigma: sigma, seed: 61) > 1)
    }

    @Test func zeroHasItsProbability() {
        // mpmath: P(0) at σ = ½ is 0.786570707042; 4.8916 standard errors are passed with 10⁻⁶.
        let n = 1 << 18
        func deviations(_ p: Double) -> Double {
            let zeros = Self.draw(n, DiscreteGaussianTable(sigma: 0.5), seed: 62).count { $0 == 0 }
            return (Double(zeros) - p * Double(n)).magnitude / (p * (1 - p) * Double(n)).squareRoot()
        }
        #expect(deviations(0.786570707042) < 4.8916)
        #expect(deviations(0.7978) > 4.8916)
    }

    @Test(arguments: [0x1p20, 0x1.199ap22, 0x1p26])
    func wideLawsAreNormalWithUniformLowBits(sigma: Double) {
        let n = 1 << 17
        let integers = Self.draw(n, DiscreteGaussianTable(sigma: sigma), seed: 63)
        let scaled = integers.map { Float(Double($0) / sigma) }
        #expect(StandardNormalCheck.distribution(scaled) < 1)
        #expect(StandardNormalCheck.distribution(scaled.map { $0 * 1.04 }) > 1)
        // x² has the variance 2σ⁴, the mean of n of them deviates by 4.8916·√(2/n) with 10⁻⁶.
        func variance(_ factor: Double) -> Double {
            let mean = integers.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(n)
            return (mean * factor * factor / (sigma * sigma) - 1).magnitude / (4.8916 * (2 / Double(n)).squareRoot())
        }
        #expect(variance(1) < 1 && variance(1.02) > 1 && variance(0.98) > 1)
        func lowBits(_ shift: Int32) -> Double {
            var counts = [Int](repeating: 0, count: 16)
            for x in integers { counts[Int((x >> shift) << shift & 15)] += 1 }
            return ChiSquare.statistic(counts, expected: [Double](repeating: Double(n) / 16, count: 16))
        }
        #expect(lowBits(0) < 1 && lowBits(1) > 1)
    }

    @Test func theSamplerAgreesWithCanonneKamathSteinke() {
        let n = 30_000
        var reference = CanonneKamathSteinke(generator: SeededGenerator(seed: 64))
        let slow = (0..<n).map { _ in reference.next(variance: 49) }
        func histogram(_ values: [Int]) -> [Int: Int] { values.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
        func statistic(_ sigma: Double) -> Double {
            let fast = Self.draw(n, DiscreteGaussianTable(sigma: sigma), seed: 65)
            return ChiSquare.statistic(histogram(slow), histogram(fast.map { Int($0) }))
        }
        #expect(statistic(7) < 1)
        #expect(statistic(7.5) > 1)
    }

    /// **Guarantee:** the same seed gives the same integers, for any number of threads.
    ///
    /// The limit is one for the process, so this runs in a process of its own.
    @Test func theLimitOfThreadsDoesNotMatter() async {
        await #expect(processExitsWith: .success) {
            Threads.sharesSmallWork = true
            let table = DiscreteGaussianTable(sigma: 1e5)
            // Thirteen chunks: each member of a team has some.
            let results = [1, 2, 5].map { limit in
                Threads.limit = limit
                #expect(Self.team(drawing: 50_003, table) == limit)
                return Self.draw(50_003, table, seed: 66)
            }
            #expect(results.allSatisfy { $0 == results[0] })
        }
    }

    /// On how many threads integers are drawn.
    private static func team(drawing count: Int, _ table: DiscreteGaussianTable) -> Int {
        var noise = DiscreteGaussianNoise(nonPrivateSeed: 66)
        let threads = Mutex<Set<pthread_t>>([])
        noise.forEachChunk(of: count, table) { _, _ in
            threads.withLock { _ = $0.insert(pthread_self()) }
        }
        return threads.withLock { $0.count }
    }

    /// **Guarantee:** the same seed gives the same integers on every instruction set.
    ///
    /// The choice is made once per process, so each has a process of its own.
    @Test(arguments: ["portable", "avx2", "avx512"])
    func theInstructionSetDoesNotMatter(level: String) async {
        // Narrow cells and wide ones, the last chunk in part.
        let expected = Self.narrowAndWide(seed: 70)
        await #expect(processExitsWith: .success) { [level = level as String, expected = expected as [Int32]] in
            Self.choose(level)
            exit(Self.narrowAndWide(seed: 70) == expected ? EXIT_SUCCESS : EXIT_FAILURE)
        }
        // Control: another seed gives others.
        await #expect(processExitsWith: .exitCode(EXIT_FAILURE)) {
            [level = level as String, expected = expected as [Int32]] in
            Self.choose(level)
            exit(Self.narrowAndWide(seed: 71) == expected ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    private static func narrowAndWide(seed: UInt64) -> [Int32] {
        draw(5_000, DiscreteGaussianTable(sigma: 7), seed: seed)
            + draw(10_001, DiscreteGaussianTable(sigma: 0x1p22), seed: seed)
    }

    /// Makes kernels be those of `level`, or of the best below that this processor has; ends the process otherwise.
    private static func choose(_ level: String) {
        let wanted = ["portable": DPK_PORTABLE, "avx2": DPK_AVX2, "avx512": DPK_AVX512][level]!
        setenv("DPK_LEVEL", level, 1)
        let best = (0...wanted.rawValue).last { dpk_kernels_at(dpk_level(rawValue: $0)) != nil }
        if Kernels.active.level.rawValue != best { exit(2) }
    }

    /// What a chunk gives is the proposals of the stream, one after the other, by the scalar form.
    @Test(arguments: [1, 15, 16, 17, 4095, 4096, 4097, 10_000])
    func integersAreTheAcceptedProposalsInOrder(count: Int) {
        let table = DiscreteGaussianTable(sigma: 1e6)
        let stream = KeyStream(nonPrivateSeed: 67)
        func accepted(domain: UInt64) -> [Int32] {
            stride(from: 0, to: count, by: 4096).flatMap { begin -> [Int32] in
                let length = min(4096, count - begin)
                let proposals = DiscreteGaussianChunk.proposals(for: length)
                let first = 5 + UInt64(begin / 4096) << 13
                let words = (0..<proposals / 2 + 64).flatMap { (block: Int) -> [UInt32] in
                    stream.withBlocks(from: first + UInt64(block), count: 1, domain: domain) { bytes in
                        (0..<4).map { UnsafeRawPointer(bytes).load(fromByteOffset: 4 * $0, as: UInt32.self) }
                    }
                }
                var reserve = Scripted(words: words.dropFirst(2 * proposals))
                let accepted = (0..<proposals).compactMap { place -> Int32? in
                    let at = place / 16 * 32 + place % 16
                    return table.draw(words[at], words[at + 16], using: &reserve).map(Int32.init)
                }
                return Array(accepted.prefix(length))
            }
        }
        let expected = accepted(domain: 4 << 56)
        #expect(Self.draw(count, table, seed: 67, from: 5) == expected)
        // Controls: the place one block on, and the domain of floating-point noise.
        #expect(Self.draw(count, table, seed: 67, from: 6) != expected)
        #expect(Self.draw(count, table, seed: 67, from: 5) != accepted(domain: 0))
    }

    @Test func aChunkWithTooFewAcceptedGoesOnInItsRange() {
        // With cells this narrow a twentieth is refused: some 220 of 4224, where the chunk has 128 to spare.
        let table = DiscreteGaussianTable(tau: 1 / 180_000, shift: 0)
        let integers = Self.draw(8192, table, seed: 68)
        #expect(integers.allSatisfy { $0.magnitude < 3000 })
        #expect(Set(integers[..<4096]).count > 1000 && integers[..<4096] != integers[4096...])
        #expect(integers == Self.draw(8192, table, seed: 68))
    }

    @Test func aChunkNeverReadsBeyondItsRange() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let reserve = [UInt8](repeating: 0, count: 16 * ChunkBits.reserveBlocks)
            reserve.withUnsafeBufferPointer { reserve in
                let stream = KeyStream(nonPrivateSeed: 1)
                var bits = ChunkBits(reserve: reserve.baseAddress!, before: 64, end: 128, of: stream)
                // The reserve, and the rest of the range: these are there.
                for _ in 0..<256 { _ = bits.next() }
                FileHandle.standardError.write(Data("All of the range was read.\n".utf8))
                _ = bits.next()
            }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("All of the range was read."))
        #expect(text.contains("A chunk of discrete noise used up its range of the stream."))
    }

    /// The reserve first, then the blocks after it, of the discrete noise's domain.
    @Test func lazyBitsGoOnAfterTheReserve() {
        let stream = KeyStream(nonPrivateSeed: 72)
        func words(_ blocks: Range<UInt64>, domain: UInt64) -> [UInt64] {
            stream.withBlocks(from: blocks.lowerBound, count: blocks.count, domain: domain) { bytes in
                (0..<2 * blocks.count).map { UnsafeRawPointer(bytes).load(fromByteOffset: 8 * $0, as: UInt64.self) }
            }
        }
        let drawn = stream.withBlocks(from: 0, count: 64, domain: 4 << 56) { reserve in
            var bits = ChunkBits(reserve: reserve, before: 64, end: 1 << 13, of: stream)
            return (0..<300).map { _ in bits.next() }
        }
        #expect(drawn == Array(words(0..<150, domain: 4 << 56)))
        // Control: the domain of floating-point noise.
        #expect(drawn != Array(words(0..<150, domain: 0)))
    }

    @Test func streamsMoveOnAndResume() {
        var noise = DiscreteGaussianNoise(nonPrivateSeed: 69)
        func next(_ noise: inout DiscreteGaussianNoise, _ count: Int) -> [Int32] {
            var integers = [Int32](repeating: 0, count: count)
            var span = integers.mutableSpan
            noise.fill(&span, sigma: 1e6)
            return integers
        }
        let first = next(&noise, 5000)
        #expect(noise.position == 2 << 13)
        var resumed = DiscreteGaussianNoise(nonPrivateSeed: 69, resumingAt: noise.position)
        let second = next(&noise, 5000)
        #expect(next(&resumed, 5000) == second && first != second)
        #expect(noise.next(sigma: 1e6) == resumed.next(sigma: 1e6))
        var secure = DiscreteGaussianNoise()
        var other = DiscreteGaussianNoise()
        #expect(next(&secure, 100) != next(&other, 100))
        #expect(next(&secure, 0) == [])
    }
}

/// Words of 64 bits that were read elsewhere.
private struct Scripted: RandomNumberGenerator {
    var words: ArraySlice<UInt32>

    mutating func next() -> UInt64 { UInt64(words.removeFirst()) | UInt64(words.removeFirst()) << 32 }
}
