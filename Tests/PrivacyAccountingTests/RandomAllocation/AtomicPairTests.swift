import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct AtomicPairTests {
    private static let pair = AtomicPair([
        .init(loss: -1, p: 0.25, q: 0.25 * exp(1)), .init(loss: 0.5, p: 0.5, q: 0.5 * exp(-0.5)),
        .init(loss: 2, p: 0.25, q: 0.25 * exp(-2)),
    ])

    @Test func tailsAreSumsOfAtoms() {
        for (loss, below, above) in [(-2.0, 0.0, 1.0), (-1, 0.25, 0.75), (0, 0.25, 0.75), (1, 0.75, 0.25), (3, 1, 0)] {
            let tails = Self.pair.tails(at: loss)
            #expect(tails.pBelow == below && tails.pAbove == above)
        }
        #expect(Self.pair.tails(at: 1).qAbove == 0.25 * exp(-2))
        #expect(Self.pair.tails(at: -0.5).qBelow == 0.25 * exp(1))
    }

    /// Each tail has relative accuracy, though the other be 10³⁰ times as large.
    @Test func smallTailsAreAccurate() {
        let pair = AtomicPair([.init(loss: 0, p: 1, q: 1), .init(loss: 1, p: 1e-30, q: 1e-31)])
        #expect(pair.tails(at: 0.5).pAbove == 1e-30)
        #expect(pair.tails(at: 0.5).pBelow == 1)
    }

    /// Nodes hold all mass, and losses in order.
    @Test func nodesHoldAllMass() {
        let atoms = (0..<1300).map { AtomicPair.Atom(loss: Double($0), p: 1.0 / 1300, q: 0.5 / 1300) }
        let nodes = AtomicPair(atoms).guideNodes()
        #expect(nodes.count <= 651)
        #expect(abs(nodes.reduce(0) { $0 + $1.p } - 1) < 1e-12 && abs(nodes.reduce(0) { $0 + $1.q } - 0.5) < 1e-12)
        #expect(zip(nodes, nodes.dropFirst()).allSatisfy { $0.loss < $1.loss })
    }
}
