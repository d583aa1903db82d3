import PrivacyMechanisms

/// A strategy on the command line: its kind, and behind a colon the number that it is asked for with.
struct StrategyWord: OptionValue {
    let request: StrategyRequest

    /// Reads `identity`, `dense`, `blt`, `blt:3`, `banded-toeplitz:16`, `banded-inverse:4`.
    init?(written: String) {
        let parts = written.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        guard parts.count == (number == nil ? 1 : 2) else { return nil }
        switch (parts[0], number) {
        case (IdentityStrategy.kind, nil): request = .identity
        case (DenseStrategy.kind, nil): request = .dense
        case (BufferedToeplitzStrategy.kind, _): request = .blt(buffers: number)
        case (ToeplitzStrategy.kind, let bands?): request = .bandedToeplitz(bands: bands)
        case (BandedInverseStrategy.kind, let terms?): request = .bandedInverse(terms: terms)
        default: return nil
        }
    }

    static let choices = ["blt", "banded-toeplitz:16", "banded-inverse:4", "dense", "identity"]

    static var expectation: String {
        "blt, blt:BUFFERS, banded-toeplitz:BANDS, banded-inverse:TERMS, dense or identity"
    }

    var json: JSONValue {
        let number: (key: String, value: Int?)? =
            switch request {
            case .identity, .dense: nil
            case .blt(let buffers): ("buffers", buffers)
            case .bandedToeplitz(let bands): ("bands", bands)
            case .bandedInverse(let terms, _): ("terms", terms)
            }
        var keys = ["kind": JSONValue.text(request.kind)]
        if let number, let value = number.value { keys[number.key] = .integer(value) }
        return .object(keys)
    }
}
