import Requirements

/// A noise mechanism with nothing to configure: in a plan it is its kind, and no other key.
package protocol UnconfiguredMechanism: NoiseMechanism {
    init()
}

extension UnconfiguredMechanism {
    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(except: ["kind"])
        self.init()
    }

    /// Writes an empty object.
    package func encode(to encoder: any Encoder) throws {
        _ = encoder.container(keyedBy: NoKeys.self)
    }
}

private enum NoKeys: CodingKey {}
