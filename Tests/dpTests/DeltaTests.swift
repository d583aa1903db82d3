import Foundation
import Testing
import _TestSupport

@testable import dp

@Suite struct DeltaTests {
    /// What is shown is rounded outward, by less than two units of the fourth digit.
    @Test func shownOutward() throws {
        var random = SeededGenerator(seed: 1)
        var values = (0..<2000).map { _ in pow(10, Double.random(in: -300...0, using: &random)) }
        values += [0, 1, 1e-5, 1e-5.nextUp, 1e-5.nextDown, 0.99999, 1.0.nextDown, 9.9995e-7, .leastNormalMagnitude]
        for value in values {
            let (up, down) = try (
                #require(Double(Delta.text(value))), #require(Double(Delta.text(value, up: false)))
            )
            #expect(up >= value && down <= value && up <= 1)
            #expect(up <= value * 1.002 && down >= value * 0.998)
        }
        #expect(Delta.text(1.23456e-7) == "1.235e-07" && Delta.text(1.23456e-7, up: false) == "1.234e-07")
        #expect(Delta.text(0) == "0" && Delta.text(1) == "1")
    }
}
