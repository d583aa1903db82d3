import Foundation
@_exported import _TestSupport

/// `accounting.json` of the folder in REFERENCE_VALUES, or of the repository's own.
struct AccountingReference: Decodable {
    let dpsgd: [DPSGD]
    let fixedSize: [FixedSize]
    let gaussian: [Gaussian]
    let calibrate: [Calibrated]
    let truncated: [Truncated]
    let bandmf: [Banded]

    struct DPSGD: Decodable {
        let noiseMultiplier, samplingProb, delta, pldEpsilonF64, rdpEpsilonF64, pldDeltaAtEps1F64: Double
        let iterations: Int
    }

    struct FixedSize: Decodable {
        let noiseMultiplier, delta, rdpEpsilonF64: Double
        let datasetSize, batchSize, iterations: Int
    }

    struct Gaussian: Decodable {
        let noiseMultiplier, delta, pldEpsilonF64, rdpEpsilonF64, zcdpRhoF64: Double
        let iterations: Int
    }

    struct Calibrated: Decodable {
        let epsilon, delta, samplingProb, pldNoiseMultiplierF64: Double
        let iterations: Int
    }

    struct Truncated: Decodable {
        let noiseMultiplier, samplingProb, delta, pldEpsilonF64: Double
        let iterations, numExamples, truncatedBatchSize: Int
    }

    struct Banded: Decodable {
        let noiseMultiplier, samplingProb, delta, pldEpsilonF64: Double
        let iterations, numBands: Int
    }

    enum CodingKeys: String, CodingKey {
        case dpsgd, gaussian, calibrate, truncated, bandmf
        case fixedSize = "fixed_size_replace_one_rdp"
    }

    static let shared: AccountingReference = {
        // The file's keys end in _f64; the conversion turns that into F64.
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in
            let key = path.last!.stringValue
            if key == "fixed_size_replace_one_rdp" { return AnyKey(key) }
            let words = key.split(separator: "_")
            return AnyKey(words[0] + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined())
        }
        do {
            return try ReferenceValues.load("accounting.json", as: AccountingReference.self, decoder: decoder)
        } catch {
            fatalError("The reference values of accounting: \(error)")
        }
    }()

    struct AnyKey: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(_ text: some StringProtocol) { stringValue = String(text) }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
