import Requirements

/// What the noise of a run leaves in its checkpoint, whatever the mechanism.
///
/// It is decoded as what the mechanism of ``CodingUserInfoKey/noiseScheme`` writes.
package struct NoiseCheckpoint: Sendable {
    private let value: any Codable & Sendable
    /// How many steps came before it; nil where the mechanism does not count them.
    package let stepsTaken: Int?

    package init<Mechanism: NoiseMechanism>(_ value: Mechanism.Checkpoint, of mechanism: Mechanism) {
        self.value = value
        stepsTaken = mechanism.stepsTaken(value)
    }

    /// The value as one of `mechanism`; traps for that of another.
    func value<Mechanism: NoiseMechanism>(for mechanism: Mechanism) -> Mechanism.Checkpoint {
        guard let value = value as? Mechanism.Checkpoint else {
            fail("A checkpoint with \(type(of: value)) does not belong to \(Mechanism.kind) noise.")
        }
        return value
    }
}

extension NoiseCheckpoint: Codable {
    /// Throws `DecodingError` if it is not what the scheme's mechanism writes, or if the decoder has no scheme.
    package init(from decoder: any Decoder) throws {
        guard let scheme = decoder.userInfo[.noiseScheme] as? NoiseScheme else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "No noise scheme says how to read this."))
        }
        func decode<Mechanism: NoiseMechanism>(_ mechanism: Mechanism) throws -> NoiseCheckpoint {
            let value = try Mechanism.Checkpoint(from: decoder)
            try mechanism.check(value)
            return NoiseCheckpoint(value, of: mechanism)
        }
        self = try decode(scheme.mechanism)
    }

    package func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

extension CodingUserInfoKey {
    /// The ``NoiseScheme`` whose checkpoint is decoded.
    package static let noiseScheme = CodingUserInfoKey(rawValue: "swift-private-training.noiseScheme")!
}
