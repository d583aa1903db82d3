import PrivacyMechanisms

/// The name of a noise mechanism, as plans have it.
struct NoiseKind: OptionValue {
    let name: String

    init?(written: String) {
        guard Self.choices.contains(written) else { return nil }
        name = written
    }

    static var choices: [String] { NoiseScheme.mechanisms.map { $0.kind } }
    static var expectation: String { "one of \(choices.joined(separator: ", "))" }
    var json: JSONValue { .text(name) }
}

extension Settings {
    /// Sets the noise of the plan at `plan`, whatever stood there; the noise multiplier that was found for another one
    /// is given up where there is a budget.
    mutating func setNoise(_ noise: Given<NoiseKind>?, in plan: String) {
        guard let noise else { return }
        if self[plan + "epsilon"] != nil, noise.value.map({ self[plan + "noise.kind"] != $0.json }) ?? false {
            remove(plan + "noiseMultiplier")
        }
        remove(plan + "noise")
        set(plan + "noise.kind", to: noise)
    }
}
