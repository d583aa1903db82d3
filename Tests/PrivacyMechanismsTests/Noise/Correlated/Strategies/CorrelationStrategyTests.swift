import Foundation
import Testing

@testable import PrivacyMechanisms

@Suite struct CorrelationStrategyTests {
    private static func strategies() throws -> [CorrelationStrategy] {
        try [
            .identity(IdentityStrategy(steps: 5)),
            .bandedToeplitz(ToeplitzStrategy(coefficients: [1, 0.5, -0.25], steps: 5)),
            .bandedInverse(.bisr(terms: 3, steps: 5)),
            .blt(BufferedToeplitzStrategy(decays: [0.9], weights: [0.1], steps: 5)),
            .dense(DenseStrategy(rows: [[1], [0.5, 1], [0, -0.25, 2]])),
        ]
    }

    @Test func strategiesSurviveJSON() throws {
        for strategy in try Self.strategies() {
            let data = try JSONEncoder().encode(strategy)
            #expect(try JSONDecoder().decode(CorrelationStrategy.self, from: data) == strategy)
            let text = String(decoding: data, as: UTF8.self)
            #expect(text.contains("\"kind\":\"\(strategy.kind)\""))
            let wrong = Data(("{\"bands\":5," + text.dropFirst()).utf8)
            let error = #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(CorrelationStrategy.self, from: wrong)
            }
            #expect("\(error!)".contains("There is no setting 'bands'"))
        }
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(CorrelationStrategy.self, from: Data(#"{"kind": "bandedtoeplitz"}"#.utf8))
        }
        #expect("\(error!)".contains("Did you mean 'banded-toeplitz'?"))
    }

    @Test func theRegistryNamesEachKindOnce() throws {
        let kinds = CorrelationStrategy.strategies.map { $0.kind }
        #expect(try kinds == Self.strategies().map(\.kind))
        #expect(Set(kinds).count == kinds.count)
        #expect(try Self.strategies().map(\.bands) == [1, 3, 5, 5, 2])
    }

    static let badFiles: [(file: String, name: String, value: String, allowed: String)] = [
        (#"{"kind": "identity", "steps": 0}"#, "steps", "0", "in 1...16777216"),
        (
            #"{"kind": "banded-toeplitz", "coefficients": [2, 1], "steps": 3}"#, "The first of coefficients", "2.0",
            "1: divide all of them by the first, which changes no noise"
        ),
        (
            #"{"kind": "banded-toeplitz", "coefficients": [], "steps": 3}"#, "The number of coefficients", "0",
            "in 1...3"
        ),
        (
            #"{"kind": "banded-toeplitz", "coefficients": [1, 0, 0, 0], "steps": 3}"#, "The number of coefficients",
            "4", "in 1...3"
        ),
        (
            #"{"kind": "banded-toeplitz", "coefficients": [1, "nan"], "steps": 3}"#, "coefficients[1]", "nan",
            "in -1e100...1e100"
        ),
        (
            #"{"kind": "banded-toeplitz", "coefficients": [1, 0, -2e100], "steps": 3}"#, "coefficients[2]", "-2e+100",
            "in -1e100...1e100"
        ),
        (
            #"{"kind": "banded-toeplitz", "coefficients": [1, -2000, 100], "steps": 3}"#,
            "The sum of the magnitudes of coefficients", "2101.0", "at most 2047"
        ),
        (
            #"{"kind": "banded-inverse", "noisingCoefficients": [1, -0.75, 0.5], "steps": 3}"#,
            "The sum of the magnitudes of noisingCoefficients after the first", "1.25",
            "at most 1, so that C does not grow"
        ),
        (
            #"{"kind": "banded-inverse", "noisingCoefficients": [0, -1], "steps": 3}"#,
            "The first of noisingCoefficients", "0.0", "1: divide all of them by the first, which changes no noise"
        ),
        (
            #"{"kind": "blt", "decays": [], "weights": [], "steps": 3}"#, "The number of decays", "0", "in 1...64"
        ),
        (
            #"{"kind": "blt", "decays": [0.5], "weights": [], "steps": 3}"#, "The number of weights", "0", "1"
        ),
        (
            #"{"kind": "blt", "decays": [1], "weights": [0.5], "steps": 3}"#, "decays[0]", "1.0",
            "above 0.0 and below 1.0"
        ),
        (
            #"{"kind": "blt", "decays": [0.5, 0.5], "weights": [0.1, 0.1], "steps": 3}"#, "decays[1]", "0.5",
            "above 0.0 and below 0.5"
        ),
        (
            #"{"kind": "blt", "decays": [0.5], "weights": ["nan"], "steps": 3}"#, "weights[0]", "nan",
            "above 0.0 and below 1.0"
        ),
        (
            #"{"kind": "blt", "decays": [0.5], "weights": [0.5], "steps": 3}"#, "The sum of weights over decays",
            "1.0", "below 1"
        ),
        (#"{"kind": "dense", "rows": []}"#, "The number of rows", "0", "in 1...4096"),
        (#"{"kind": "dense", "rows": [[1], [1]]}"#, "The length of rows[1]", "1", "2"),
        (#"{"kind": "dense", "rows": [[1], ["inf", 1]]}"#, "rows[1][0]", "inf", "in -1e100...1e100"),
        (
            #"{"kind": "dense", "rows": [[1], [1, 0]]}"#, "rows[1][1], on the diagonal,", "0.0", "in 1e-100...1e100"
        ),
    ]

    @Test(arguments: badFiles)
    func badFilesNameValueAndRange(file: String, name: String, value: String, allowed: String) {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let expected = PrivacyMechanismError.invalidStrategy(name: name, value: value, allowed: allowed)
        #expect(throws: expected) { try decoder.decode(CorrelationStrategy.self, from: Data(file.utf8)) }
        #expect("\(expected)" == "\(name) is \(value), but must be \(allowed).")
    }

    @Test func badNumbersThrow() {
        for gamma in [0, -0.5, 1.1, .nan] {
            #expect(throws: PrivacyMechanismError.self) {
                try BandedInverseStrategy.bifr(gamma: gamma, terms: 3, steps: 9)
            }
            #expect(throws: PrivacyMechanismError.self) { try BandedInverseStrategy.lambdaCGD(gamma, steps: 9) }
        }
        #expect(throws: PrivacyMechanismError.self) { try BandedInverseStrategy.bisr(terms: 0, steps: 9) }
        #expect(throws: PrivacyMechanismError.self) { try BandedInverseStrategy.bisr(terms: 2, steps: 0) }
        #expect(throws: PrivacyMechanismError.self) { try ToeplitzStrategy.optimalForOneParticipation(steps: 0) }
    }

    @Test func strangersTrap() async {
        await #expect(processExitsWith: .failure) { _ = CorrelationStrategy(UnregisteredStrategy()) }
        await #expect(processExitsWith: .success) { _ = CorrelationStrategy(try IdentityStrategy(steps: 4)) }
    }
}

/// A strategy that is in no registry.
private struct UnregisteredStrategy: NoiseStrategy {
    static let kind = "unregistered"
    static let keys: [String] = []
    var steps: Int { 1 }
    var bands: Int { 1 }
    var matrix: [[Double]] { [[1]] }
    var recurrence: NoiseRecurrence { .bands(coefficients: [1]) }
    func separatedSensitivity(participations: Int, separation: Int, steps: Int) -> Double { 0 }
    func repeatedSensitivity(length: Int, steps: Int) -> Double { 0 }
    func squaredErrors(on workload: StrategyWorkload) -> SquaredErrors { SquaredErrors(mean: 0, max: 0) }
}
