import Foundation
import Testing

@testable import PrivacyAuditing

@Suite struct ClopperPearsonLimitsTests {
    /// No success of n: 1 − s^{1/n}; all but one: (1 − s)^{1/n}. Bisection ends within a relative 2⁻³⁶, above.
    @Test(arguments: [1, 10, 1000]) func closedFormsMatch(trials: Int) {
        let n = Double(trials)
        for significance in [0.25, 0.025, 1e-6] {
            let none = ClopperPearsonLimits.upperLimit(0, of: trials, significance: significance)
            let exactNone = -expm1(log(significance) / n)
            #expect(none >= exactNone * (1 - 0x1p-48) && none <= exactNone * (1 + 0x1p-34))
            let most = ClopperPearsonLimits.upperLimit(trials - 1, of: trials, significance: significance)
            let exactMost = exp(log1p(-significance) / n)
            #expect(most >= exactMost * (1 - 0x1p-48) && most <= exactMost * (1 + 0x1p-34))
            #expect(ClopperPearsonLimits.upperLimit(trials, of: trials, significance: significance) == 1)
        }
    }
}
