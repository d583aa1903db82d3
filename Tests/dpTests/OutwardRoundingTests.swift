import Foundation
import Testing
import _TestSupport

@testable import dp

/// What people read of ε and δ errs to the side that claims less.
@Suite struct OutwardRoundingTests {
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

    /// Four digits behind the point, or five in all where ε is large; the digits of a number in Float64 are those of
    /// its neighbours, too.
    @Test func epsilonIsShownOutward() throws {
        var random = SeededGenerator(seed: 2)
        var values = (0..<2000).map { _ in pow(10, Double.random(in: -6...300, using: &random)) }
        values += [0, 1e9, 1e9.nextDown, 8.52381e14, 2.00005, .greatestFiniteMagnitude / 2]
        for value in values {
            let (up, down) = try (
                #require(Double(Epsilon.text(value))), #require(Double(Epsilon.text(value, up: false)))
            )
            #expect(up >= value && down <= value)
            #expect(value < 1e9 ? up - down <= 1.01e-4 : up - down <= value * 2e-4)
        }
        #expect(Epsilon.text(8.52381e14) == "8.5239e+14" && Epsilon.text(.infinity) == "∞")
    }
}
