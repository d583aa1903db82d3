import LinearAlgebra
import PrivacyMechanisms
import Testing

/// A source of numbers that is called for any count, as `GaussianNoise` is; its broken twins have the same form.
private protocol NumberSource: ~Copyable {
    init(seed: UInt64)
    mutating func next(_ count: Int) -> [Float]
}

extension GaussianNoise: NumberSource {
    fileprivate init(seed: UInt64) { self.init(nonPrivateSeed: seed) }

    fileprivate mutating func next(_ count: Int) -> [Float] {
        var numbers = [Float](repeating: .nan, count: count)
        var span = numbers.mutableSpan
        fill(&span)
        return numbers
    }
}

/// A broken twin that begins at its first block again with each call.
private struct ForgetfulNoise: NumberSource {
    let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    mutating func next(_ count: Int) -> [Float] {
        var noise = GaussianNoise(seed: seed)
        return noise.next(count)
    }
}

/// A broken twin that moves on by the numbers it gave out, divided down: after an odd count, the last block again.
private struct RoundingDownNoise: NumberSource {
    var all: [Float]
    var position = 0

    init(seed: UInt64) {
        var noise = GaussianNoise(seed: seed)
        all = noise.next(1 << 17)
    }

    mutating func next(_ count: Int) -> [Float] {
        defer { position += count / 2 * 2 }
        return Array(all[position..<position + count])
    }
}

extension Collection where Element == Float {
    fileprivate var bits: [UInt32] { map(\.bitPattern) }
}

struct GaussianNoiseTests {
    private static let sample: [Float] = {
        var noise = GaussianNoise(nonPrivateSeed: 1)
        return noise.next(1 << 18)
    }()

    @Test func numbersFollowTheStandardNormalDistribution() {
        #expect(StandardNormalCheck.distribution(Self.sample) < 1)
        // Controls: another standard deviation, another mean, another distribution of the same two moments.
        #expect(StandardNormalCheck.distribution(Self.sample.map { $0 * 2 / 3 }) > 1)
        #expect(StandardNormalCheck.distribution(Self.sample.map { $0 * 3 / 2 }) > 1)
        #expect(StandardNormalCheck.distribution(Self.sample.map { $0 * 1.03 }) > 1)
        #expect(StandardNormalCheck.distribution(Self.sample.map { $0 + 0.02 }) > 1)
        let uniform = (0..<1 << 18).map { (Float($0) * 0x1p-18 - 0.5) * Float(12).squareRoot() }
        #expect(StandardNormalCheck.distribution(uniform) > 1)
    }

    @Test func numbersAreNotCorrelated() {
        for lag in [1, 2, 3, 4, 8, 16, 8192] {
            #expect(StandardNormalCheck.serialCorrelation(Self.sample, lag: lag) < 1)
        }
        #expect(StandardNormalCheck.pairCorrelation(Self.sample) < 1)
        // Control: an echo of a fiftieth.
        let echo = zip(Self.sample, [0] + Self.sample).map { $0 + $1 / 50 }
        #expect(StandardNormalCheck.serialCorrelation(echo, lag: 1) > 1)
        // Control: a pair with the same magnitude and independent signs, of which only the squares know.
        let twins = Self.sample.indices.map { index in
            index % 2 == 0 ? Self.sample[index] : Self.sample[index - 1] * (Self.sample[index] < 0 ? -1 : 1)
        }
        #expect(StandardNormalCheck.distribution(twins) < 1)
        #expect(StandardNormalCheck.pairCorrelation(twins) > 1)
    }

    @Test func largeValuesOccurAndNothingIsZero() {
        // Of 2¹⁸ numbers, 16.6 are expected beyond 4; Poisson gives fewer than 2 or more than 44 with 10⁻⁶ and less.
        #expect((2...44).contains(Self.sample.count { $0.magnitude > 4 }))
        #expect(Self.sample.allSatisfy { $0 != 0 && $0.isFinite })
        // Control: numbers clamped at 4 would not pass.
        #expect(!(2...44).contains(Self.sample.count { min($0.magnitude, 4) > 4 }))
    }

    @Test func theLimitOfThreadsDoesNotMatter() {
        let limit = Threads.limit
        Threads.sharesSmallWork = true
        defer {
            Threads.limit = limit
            Threads.sharesSmallWork = false
        }
        // Thirteen chunks of the keystream, the last one partial, and an odd count.
        let results = [1, 2, 3, 7].map { threads in
            Threads.limit = threads
            var noise = GaussianNoise(nonPrivateSeed: 2)
            return noise.next(100_003).bits
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test func cutsOfEvenLengthDoNotMatter() {
        var noise = GaussianNoise(nonPrivateSeed: 3)
        let whole = noise.next(60_000).bits
        for lengths in [[2, 4, 6, 8190, 8192, 8194], [10_000, 50_000], [0, 2, 0], [16_384, 16_386]] {
            var noise = GaussianNoise(nonPrivateSeed: 3)
            var cut = lengths.flatMap { noise.next($0) }
            cut += noise.next(60_000 - cut.count)
            #expect(cut.bits == whole)
        }
    }

    @Test func anOddCountSkipsThePairsSecondNumber() {
        var noise = GaussianNoise(nonPrivateSeed: 4)
        var reference = GaussianNoise(nonPrivateSeed: 4)
        let all = reference.next(20_000).bits
        let calls = [3, 1, 0, 8193, 5].map { noise.next($0).bits }
        #expect(calls == [0..<3, 4..<5, 6..<6, 6..<8199, 8200..<8205].map { Array(all[$0]) })
        // Control: not the number that was skipped.
        #expect(all[3] != all[4])
    }

    @Test func onlyTheSpanIsWritten() {
        var noise = GaussianNoise(nonPrivateSeed: 5)
        for count in [0, 1, 2, 15, 16, 17, 8191, 8192, 8193, 20_001] {
            var numbers = [Float](repeating: .infinity, count: count + 4)
            numbers.withUnsafeMutableBufferPointer { buffer in
                var span = buffer.extracting(2..<count + 2).mutableSpan
                noise.fill(&span)
            }
            #expect(numbers.enumerated().allSatisfy { $1.isInfinite == ($0 < 2 || $0 >= count + 2) })
        }
    }

    @Test func seedsAndKeysGiveStreamsOfTheirOwn() {
        func noise(_ seed: UInt64) -> [UInt32] {
            var noise = GaussianNoise(nonPrivateSeed: seed)
            return noise.next(1000).bits
        }
        let seeds: [UInt64] = [0, 1, 2, 1 << 32, 1 << 63, .max]
        #expect(Set(seeds.map(noise)).count == seeds.count)
        #expect(noise(1) == noise(1))
        // Two numbers are equal with less than 2⁻²⁰, so that of 1000 places even one is rarely so.
        let streams = seeds.map(noise)
        for (left, right) in zip(streams, streams.dropFirst()) {
            #expect(zip(left, right).count { $0 == $1 } < 5)
        }
        var first = GaussianNoise()
        var second = GaussianNoise()
        let (one, other) = (first.next(1000).bits, second.next(1000).bits)
        #expect(one != other && zip(one, other).count { $0 == $1 } < 5)
        #expect(!streams.contains(one))
    }

    /// Whether any four numbers in a row occur twice in what calls of many lengths give.
    ///
    /// A number has more than 20 bits of entropy, four have 80, and of 2¹⁶ windows there are fewer than 2³¹ pairs: by
    /// chance, one is repeated with less than 2⁻⁴⁹.
    private static func repeats<Source: NumberSource & ~Copyable>(_: Source.Type, lengths: [Int]) -> Bool {
        var source = Source(seed: 6)
        let numbers = lengths.flatMap { source.next($0) }.bits
        var seen: Set<SIMD4<UInt32>> = []
        return (0..<numbers.count - 3).contains { index in
            !seen.insert(SIMD4(numbers[index..<index + 4])).inserted
        }
    }

    @Test func noNumberIsUsedTwice() {
        let even = [4, 4, 16, 100, 8192, 8192, 10, 30_000]
        let odd = [5, 5, 17, 101, 8193, 8191, 11, 30_001]
        for lengths in [even, odd] {
            #expect(!Self.repeats(GaussianNoise.self, lengths: lengths))
            // Control: a generator that begins again with each call.
            #expect(Self.repeats(ForgetfulNoise.self, lengths: lengths))
        }
        // Control: one that uses the last block of an odd count again, though only its first number was given out.
        // Windows of four do not show that, a single number does.
        var noise = GaussianNoise(nonPrivateSeed: 6)
        var twin = RoundingDownNoise(seed: 6)
        let (first, second) = (noise.next(5).bits, noise.next(5).bits)
        let (twinFirst, twinSecond) = (twin.next(5).bits, twin.next(5).bits)
        #expect(first[4] != second[0] && twinFirst[4] == twinSecond[0])
    }
}
