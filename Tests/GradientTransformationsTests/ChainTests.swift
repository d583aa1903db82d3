import GradientTransformations
import PyTrees
import Testing

@Suite struct ChainTests {
    @Test func sketch() throws {
        let optimizer = try chain {
            try Scale(2)
            try ScaleByAdam()
            try Scale(-0.1)
        }
        let layout = try TreeLayout([("a", [3]), ("b", [2, 2])])
        var parameters = ParameterVector(repeating: 1, layout: layout)
        var state = try optimizer.initialState(for: parameters)
        var gradient = ParameterVector(repeating: 0.5, layout: layout)
        optimizer.step(&gradient, state: &state, parameters: &parameters)
        #expect(parameters.values.allSatisfy { abs($0 - 0.9) < 1e-6 })
        needsMoment(state)
    }
    func needsMoment(_ state: some SecondMomentState) {}
}
