import PrivateTraining
import Testing

@Suite struct PlanAccountantTests {
    private let event: PrivacyEvent

    init() throws {
        event = try .dpSGD(noiseMultiplier: 2, samplingProbability: 0.001, iterations: 100)
    }

    /// A file, a report and an error mean the same accountant by one name.
    @Test(arguments: PlanAccountant.allCases) func theNameIsThatOfWhatItMakes(choice: PlanAccountant) throws {
        for relation in NeighboringRelation.allCases {
            let accountant = try choice.make(relation: relation)
            #expect(type(of: accountant).name == choice.rawValue)
            #expect(accountant.relation == relation)
        }
    }

    @Test(arguments: PlanAccountant.allCases) func endsEncloseAndFineIsNoWorse(choice: PlanAccountant) throws {
        let accountant = try choice.make(relation: .addOrRemoveOne)
        let ends = try accountant.epsilonEnds(of: event, delta: 1e-5)
        #expect(try ends.upper == accountant.epsilon(of: event, delta: 1e-5))
        #expect(ends.lower.map { $0 <= ends.upper } ?? true)
        let fine = try choice.make(relation: .addOrRemoveOne, isFine: true)
        #expect(try fine.epsilon(of: event, delta: 1e-5) <= ends.upper)
        // The lower end holds for every analysis, also for the others'.
        for other in PlanAccountant.allCases {
            let upper = try other.make(relation: .addOrRemoveOne).epsilon(of: event, delta: 1e-5)
            #expect(ends.lower.map { $0 <= upper } ?? true)
        }
    }
}
