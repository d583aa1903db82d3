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
            let accountant = choice.make(relation: relation)
            #expect(type(of: accountant).name == choice.rawValue)
            #expect(accountant.relation == relation)
        }
    }

    @Test(arguments: PlanAccountant.allCases) func endsEncloseTheAnswer(choice: PlanAccountant) throws {
        let accountant = choice.make(relation: .addOrRemoveOne)
        let ends = try accountant.epsilonEnds(of: event, delta: 1e-5)
        #expect(try ends.upper == accountant.epsilon(of: event, delta: 1e-5))
        #expect(ends.lower.map { $0 <= ends.upper } ?? true)
        let deltaEnds = try accountant.deltaEnds(of: event, epsilon: 0.01)
        #expect(try deltaEnds.upper == accountant.delta(of: event, epsilon: 0.01))
        #expect(deltaEnds.lower.map { $0 <= deltaEnds.upper } ?? true)
        // The lower end holds for every analysis, also for the others'.
        for other in PlanAccountant.allCases {
            let upper = try other.make(relation: .addOrRemoveOne).epsilon(of: event, delta: 1e-5)
            #expect(ends.lower.map { $0 <= upper } ?? true)
            let upperDelta = try other.make(relation: .addOrRemoveOne).delta(of: event, epsilon: 0.01)
            #expect(deltaEnds.lower.map { $0 <= upperDelta } ?? true)
        }
    }
}
