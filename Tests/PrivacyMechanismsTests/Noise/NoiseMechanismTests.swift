import Foundation
import LinearAlgebra
import PrivacyAccounting
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// What holds for every noise mechanism, and its broken twins.
@Suite struct NoiseMechanismTests {
    static let schemes: [NoiseScheme] = [.discreteGaussian, .floatingPointGaussian]

    private static let layout = try! TreeLayout([("x", [6])])

    /// The next release of a sum of zeros.
    private static func release(_ noise: inout Noise) throws -> [Float] {
        let aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noise: noise.scheme,
            noiseMultiplier: 1)
        return try aggregate.privatized(noise: &noise).vector.values
    }

    /// A checkpoint as a file holds it, and as it is read back for `scheme`.
    private static func coded(
        _ checkpoint: NoiseCheckpoint, _ scheme: NoiseScheme
    ) throws -> (file: String, NoiseCheckpoint) {
        let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
        encoder.outputFormatting = .sortedKeys
        decoder.userInfo[.noiseScheme] = scheme
        let data = try encoder.encode(checkpoint)
        return (String(decoding: data, as: UTF8.self), try decoder.decode(NoiseCheckpoint.self, from: data))
    }

    /// Whether noise that goes on from its checkpoint, after some steps with a count among them, is what it would have
    /// been without a stop.
    private static func goesOn(_ noise: consuming Noise, resume: (NoiseCheckpoint) throws -> Noise) throws -> Bool {
        for _ in 0..<3 { _ = try release(&noise) }
        _ = noise.noisyCount(halves: 15, standardDeviation: 2)
        var resumed = try resume(noise.checkpoint())
        return try (0..<4).allSatisfy { _ in
            let isSameSum = try release(&noise) == release(&resumed)
            return isSameSum
                && noise.noisyCount(halves: 2, standardDeviation: 2)
                    == resumed.noisyCount(halves: 2, standardDeviation: 2)
        }
    }

    /// **Guarantee:** a seeded state goes on bit by bit. The twin, which forgets where it was, does not.
    @Test(arguments: schemes)
    func seededNoiseGoesOnBitByBit(_ scheme: NoiseScheme) throws {
        let goesOn = try Self.goesOn(Noise(scheme, nonPrivateSeed: 4)) {
            Noise(scheme, resuming: try Self.coded($0, scheme).1, nonPrivateSeed: 4)
        }
        #expect(goesOn)
        let forgetful = try Self.goesOn(Noise(scheme, nonPrivateSeed: 4)) { _ in Noise(scheme, nonPrivateSeed: 4) }
        #expect(!forgetful)
    }

    /// **Guarantee:** noise under secure keys is new each time it is begun or resumed, and no file tells one from the
    /// other. The twin, whose key is a seed, repeats itself.
    @Test(arguments: schemes)
    func secureNoiseNeverComesBack(_ scheme: NoiseScheme) throws {
        func releases(_ begin: () throws -> Noise) throws -> (values: [[Float]], files: Set<String>) {
            var (values, files): ([[Float]], Set<String>) = ([], [])
            for _ in 0..<3 {
                var noise = try begin()
                values.append(try Self.release(&noise))
                let (file, checkpoint) = try Self.coded(noise.checkpoint(), scheme)
                files.insert(file)
                for _ in 0..<2 {
                    var resumed = Noise(scheme, resuming: checkpoint, nonPrivateSeed: nil)
                    values.append(try Self.release(&resumed))
                }
            }
            return (values, files)
        }
        let (values, files) = try releases { Noise(scheme) }
        #expect(Set(values).count == values.count)
        #expect(files.count == 1)
        let twin = try releases { Noise(scheme, nonPrivateSeed: 1) }
        #expect(Set(twin.values).count < twin.values.count)
    }

    /// A refused batch releases nothing, and takes nothing of the noise.
    @Test(arguments: schemes)
    func refusalsDrawNothing(_ scheme: NoiseScheme) throws {
        var noise = Noise(scheme, nonPrivateSeed: 2)
        for z in [-1, .nan, .infinity] {
            let error = #expect(throws: PrivacyMechanismError.self) {
                let aggregate = try ClippedAggregate(
                    .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: Self.layout),
                    noise: scheme, noiseMultiplier: z)
                _ = try aggregate.noised(noise: &noise)
            }
            #expect(error?.description.contains("noise multiplier") == true)
        }
        var untouched = Noise(scheme, nonPrivateSeed: 2)
        #expect(try Self.release(&noise) == Self.release(&untouched))
    }

    @Test(arguments: schemes)
    func schemesSurviveJSON(_ scheme: NoiseScheme) throws {
        let data = try JSONEncoder().encode(scheme)
        #expect(try JSONDecoder().decode(NoiseScheme.self, from: data) == scheme)
        #expect(String(decoding: data, as: UTF8.self).contains("\"kind\":\"\(scheme.kind)\""))
    }

    @Test func unknownKindsAreNamed() {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(NoiseScheme.self, from: Data(#"{"kind": "discretGaussian"}"#.utf8))
        }
        #expect("\(error!)".contains("There is no choice 'discretGaussian'. Did you mean 'discreteGaussian'?"))
        let setting = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(NoiseScheme.self, from: Data(#"{"kind": "discreteGaussian", "z": 2}"#.utf8))
        }
        #expect("\(setting!)".contains("There is no setting 'z'"))
    }

    @Test func theRegistryNamesEachKindOnce() {
        let kinds = NoiseScheme.mechanisms.map { $0.kind }
        #expect(Set(kinds).count == kinds.count)
        // Correlated noise has checkpoints and steps of its own: CorrelatedNoiseTests.
        #expect(Set(kinds) == Set(Self.schemes.map(\.kind) + ["correlated"]))
    }

    @Test func strangersTrap() async {
        await #expect(processExitsWith: .failure) { _ = NoiseScheme(UnregisteredMechanism()) }
        await #expect(processExitsWith: .failure) {
            let checkpoint = NoiseCheckpoint(UnregisteredMechanism.Checkpoint(), of: UnregisteredMechanism())
            _ = Noise(.floatingPointGaussian, resuming: checkpoint, nonPrivateSeed: nil)
        }
        await #expect(processExitsWith: .success) {
            let noise = Noise(.floatingPointGaussian)
            _ = Noise(.floatingPointGaussian, resuming: noise.checkpoint(), nonPrivateSeed: nil)
        }
    }
}

/// A mechanism that is in no registry.
private struct UnregisteredMechanism: NoiseMechanism {
    struct Checkpoint: Codable, Sendable {}
    static let kind = "unregistered"
    var sums: SumArithmetic { .exact }
    var allowsChangingSensitivity: Bool { true }

    func event(of pattern: ParticipationPattern, noiseMultiplier: Double) throws(AccountingError) -> PrivacyEvent {
        .nonPrivate
    }

    func slack(steps: Int) -> ContinuousCoverSlack? { nil }

    func begin(nonPrivateSeed seed: UInt64?) -> Noise { Noise(.floatingPointGaussian) }

    func resume(from checkpoint: Checkpoint, nonPrivateSeed seed: UInt64?) -> Noise { Noise(.floatingPointGaussian) }
}
