import GradientTransformations
import PyTrees

/// Gradient descent with one flaw, which the check of the same name must find.
struct BrokenOptimizer: GradientTransformation {
    static var identifier: String { "broken" }

    let flaw: ConformanceKit.Check?

    struct State: Codable, Sendable {
        var steps = 0
        var momentum: ParameterVector

        private enum CodingKeys: CodingKey {
            case steps, momentum
        }

        init(momentum: ParameterVector) {
            self.momentum = momentum
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            steps = try container.decode(Int.self, forKey: .steps)
            momentum = try container.decode(ParameterVector.self, forKey: .momentum)
            // A state that forgets its momentum on the way through a file.
            if steps < 0 {
                steps = -steps
                momentum = ParameterVector(zeros: momentum.layout)
            }
        }
    }

    func initialState(for parameters: ParameterVector) -> State {
        State(momentum: ParameterVector(zeros: parameters.layout))
    }

    func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector) {
        switch flaw {
        case .checkpoint: state.steps = -abs(state.steps) - 1
        case .allocations: state.momentum = state.momentum.map { $0 }
        default: state.steps += 1
        }
        let rate: Float = flaw == .parabola ? 1e-6 : flaw == .rosenbrock ? 0.05 : 0.0005
        let offset: Float = flaw == .zeroGradient ? 1e-3 : 0
        let jitter = flaw == .determinism ? Float.random(in: 0..<1e-3) : 0
        updates.withUnsafeMutableValues { updates in
            state.momentum.withUnsafeMutableValues { momentum in
                for index in updates.indices {
                    momentum[index] = 0.9 * momentum[index] + updates[index]
                    let place = flaw == .leafOrder ? 1 + 1e-4 * Float(index) : 1
                    updates[index] = -rate * place * momentum[index] + offset + jitter
                }
            }
        }
    }

    func join(_ pass: inout UpdatePass, state: inout State, then next: (inout UpdatePass) -> Void) {
        // A step that takes another road than an update.
        if flaw == .stepEqualsUpdate { pass.append(Doubling()) }
        pass.withVectors { update(&$0, state: &state, parameters: $1) }
        next(&pass)
    }

    private struct Doubling: UpdateOperation {
        func apply(to block: UpdateBlock) {
            for index in 0..<block.count { block.updates[index] *= 2 }
        }
    }

    static func entry(_ flaw: ConformanceKit.Check?) -> OptimizerEntry {
        OptimizerEntry(name: "broken: \(flaw?.rawValue ?? "nothing")") { parameters, _ in
            try Running(BrokenOptimizer(flaw: flaw), parameters)
        }
    }
}
