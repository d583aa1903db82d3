import GradientTransformations
import Testing

/// Every optimizer of the table passes every check, and for each check there is an optimizer that it rejects.
@Suite(.serialized) struct ConformanceTests {
    @Test(arguments: OptimizerEntry.table, ConformanceKit.Check.inProcess)
    func conforms(_ entry: OptimizerEntry, _ check: ConformanceKit.Check) throws {
        #expect(try ConformanceKit.passes(check, entry))
    }

    @Test(arguments: ConformanceKit.Check.inProcess) func rejectsTheFlaw(_ check: ConformanceKit.Check) throws {
        #expect(try !ConformanceKit.passes(check, BrokenOptimizer.entry(check)))
    }

    /// The flaws, and nothing else about the broken optimizer, are what the checks reject.
    @Test(arguments: ConformanceKit.Check.inProcess) func acceptsWithoutFlaw(_ check: ConformanceKit.Check) throws {
        #expect(try ConformanceKit.passes(check, BrokenOptimizer.entry(nil)))
    }

    @Test func allocatesNothingAfterTheFirstStep() async {
        await #expect(processExitsWith: .success) {
            for entry in OptimizerEntry.table {
                let passes = try ConformanceKit.passes(.allocations, entry)
                precondition(passes, "\(entry.name) allocates.")
            }
        }
    }

    @Test func rejectsAllocations() async {
        await #expect(processExitsWith: .success) {
            let broken = try ConformanceKit.passes(.allocations, BrokenOptimizer.entry(.allocations))
            let whole = try ConformanceKit.passes(.allocations, BrokenOptimizer.entry(nil))
            precondition(!broken && whole)
        }
    }
}
