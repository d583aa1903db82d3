import LinearAlgebra
import PrivateTraining
import Testing

@Suite struct ExamplesTests {
    @Test func targetsSayHowManyOutputsTheyNeed() {
        #expect(Targets.classes([0, 2, 1], classCount: 4).outputCount == 4)
        #expect(Targets.values(Matrix(rows: 3, columns: 2)).outputCount == 2)
        #expect(Targets.values(Matrix(rows: 3, columns: 2)).count == 3)
    }

    @Test func inputsWithoutATargetTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = Examples(inputs: Matrix(rows: 2, columns: 1), targets: .classes([0], classCount: 2))
        }
    }

    @Test func eachExampleHasItsTarget() {
        #expect(Targets.classes([0, 2], classCount: 3)[1] == .class(2))
        #expect(Targets.values(Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4]))[1] == .values([3, 4]))
    }
}
