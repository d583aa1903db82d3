import PrivacyAccounting

extension FuzzTarget {
    /// A privacy event: what was read comes back the same, and accountants answer or refuse.
    static let event = FuzzTarget(name: "event") { bytes in
        let event = try roundTrip(PrivacyEvent.self, bytes)
        for relation in NeighboringRelation.allCases {
            let epsilon = try? RenyiAccountant(relation: relation).epsilon(of: event, delta: 1e-5)
            expect(epsilon.map { $0 >= 0 } ?? true, "ε is \(epsilon ?? 0).")
        }
    }

    /// The same under the accountant by privacy losses, which takes seconds where numbers are extreme: of others.
    static let loss = FuzzTarget(name: "loss") { bytes in
        let event = try roundTrip(PrivacyEvent.self, bytes)
        guard isModest(bytes, limit: 1000) else { return }
        for relation in NeighboringRelation.allCases {
            let delta = try? PrivacyLossDistributionAccountant(relation: relation).delta(of: event, epsilon: 1)
            expect(delta.map { (0...1).contains($0) } ?? true, "δ is \(delta ?? 0).")
        }
    }
}
