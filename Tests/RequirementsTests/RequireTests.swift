import Foundation
import LinearAlgebra
import Requirements
import Testing

/// Traps that people meet keep their sentence, in release builds too.
@Suite struct RequireTests {
    @Test func theSentenceIsSaid() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                require(1 + 1 == 3, "Shapes \(2) × 3 and 4 × 5 do not fit.")
            })
        #expect(String(decoding: result.standardErrorContent, as: UTF8.self).contains("Shapes 2 × 3 and 4 × 5"))
    }

    /// Of a process that is silent, as ranks but the first are.
    @Test func theSentenceIsSaidElsewhere() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                Traps.descriptor.store(dup(STDERR_FILENO), ordering: .relaxed)
                dup2(open("/dev/null", O_WRONLY), STDERR_FILENO)
                fail("Rank 1 is told what is wrong.")
            })
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(text.contains("Rank 1 is told what is wrong.") && !text.contains("Fatal error"))
    }

    @Test func bothShapesOfAMismatchAreNamed() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                var product = Matrix(rows: 2, columns: 2)
                BLAS.gemm(Matrix(rows: 2, columns: 3), .none, Matrix(rows: 4, columns: 2), .none, into: &product)
            })
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(text.contains("2 × 3") && text.contains("4 × 2"))
    }

    @Test func whatHoldsPassesAndMakesNoSentence() {
        var isMade = false
        func sentence() -> String {
            isMade = true
            return ""
        }
        require(true, sentence())
        #expect(!isMade)
    }

    #if !DEBUG
        /// The control: what the standard library's own trap says in a release build.
        @Test func aPreconditionSaysNothing() async throws {
            let result = try #require(
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    precondition(Matrix(rows: 1, columns: 1).count == 2, "Shapes 2 × 3 and 4 × 5 do not fit.")
                })
            #expect(!String(decoding: result.standardErrorContent, as: UTF8.self).contains("4 × 5"))
        }
    #endif
}
