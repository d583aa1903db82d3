import GradientTransformations
import PyTrees
import Testing

/// Where a chain's second moment lies, that nesting does not matter, and links of one's own.
@Suite struct ChainTests {
    let layout = ParameterVector.smallLayout

    private func updates<Optimizer: GradientTransformation>(_ optimizer: Optimizer) throws -> [ParameterVector] {
        var generator = SeededGenerator(seed: 1)
        let parameters = ParameterVector.random(using: &generator)
        let running = try Running(optimizer, parameters)
        return (0..<4).map { _ in running.updated(.random(using: &generator), parameters: parameters) }
    }

    /// Compiles only for states with a second moment.
    private func moments<Optimizer: GradientTransformation>(_ optimizer: Optimizer) throws -> [ParameterVector]
    where Optimizer.State: SecondMomentState {
        var state = try optimizer.initialState(for: ParameterVector(zeros: layout))
        state.changeSecondMoments { $0 = $0.map { _ in 7 } }
        var result: [ParameterVector] = []
        state.readSecondMoments { result.append($0) }
        return result
    }

    @Test func theCompilerFindsTheSecondMoment() throws {
        let seven = [ParameterVector(repeating: 7, layout: layout)]
        #expect(try moments(adam(learningRate: 0.1)) == seven)
        #expect(try moments(lamb(learningRate: 0.1)) == seven)
        #expect(try moments(adadelta(learningRate: 0.1)) == seven)
        #expect(
            try moments(
                chain {
                    try Scale(2)
                    try ScaleByAdam()
                    try Scale(-0.1)
                }) == seven)
        #expect(
            try moments(
                chain {
                    try ClipByGlobalNorm(1)
                    try Trace(decay: 0.9)
                    try chain {
                        try Scale(2)
                        try ScaleByAMSGrad()
                    }
                    try Accumulate(try ApplyIfFinite(Identity(), maximumErrors: 1), steps: 2)
                }) == seven)
        let mask = TreeMask(layout: layout) { $0.path == "b" }
        #expect(try moments(Masked(try rmsprop(learningRate: 0.1), mask: mask)).first?.count == 6)
        #expect(try moments(try ApplyIfFinite(adagrad(learningRate: 0.1), maximumErrors: 1)) == seven)
        #expect(try moments(try Accumulate(yogi(learningRate: 0.1), steps: 2)) == seven)
    }

    @Test func withoutOneOrWithTwoThereIsNone() throws {
        let parameters = ParameterVector(zeros: layout)
        let two = try chain {
            try ScaleByAdam()
            try ScaleByRMS()
        }.initialState(for: parameters)
        #expect(!(two as Any is any SecondMomentState))
        let none = try sgd(learningRate: 0.1, momentum: 0.9).initialState(for: parameters)
        #expect(!(none as Any is any SecondMomentState))
        let belief = try adabelief(learningRate: 0.1).initialState(for: parameters)
        #expect(!(belief as Any is any SecondMomentState))
    }

    @Test func nestingDoesNotChangeResults() throws {
        let flat = try chain {
            try ScaleByAdam()
            try ClipByGlobalNorm(1)
            try Trace(decay: 0.9)
            try Scale(-0.1)
        }
        let nested = try chain {
            try chain {
                try ScaleByAdam()
                try chain {
                    try ClipByGlobalNorm(1)
                    try Trace(decay: 0.9)
                }
            }
            try Scale(-0.1)
        }
        #expect(try updates(flat) == updates(nested))
    }

    @Test func chainsKnowWhetherTheyAreElementwise() throws {
        #expect(Adam<Double>.isElementwise && AdamW<CosineSchedule>.isElementwise)
        #expect(!LAMB<Double>.isElementwise)
    }

    @Test func elementwiseLinksOfOneselfJoinTheBlocks() throws {
        let halved = try updates(
            try chain {
                try ScaleByAdam()
                Halving()
                try Scale(-0.1)
            })
        let expected = try updates(
            try chain {
                try ScaleByAdam()
                try Scale(0.5)
                try Scale(-0.1)
            })
        #expect(halved == expected)
    }

    @Test func emptyVectorsAreFine() throws {
        var parameters = ParameterVector(zeros: try TreeLayout([("a", [0])]))
        for entry in OptimizerEntry.table {
            let optimizer = try entry.make(parameters, 10)
            optimizer.step(parameters, parameters: &parameters)
            #expect(parameters.count == 0)
        }
    }

    @Test func constantSchedulesAreNumbers() throws {
        let plain = try adam(learningRate: 0.1)
        let joined = try adam(learningRate: try JoinedSchedule(0.1, until: 2, then: 0.1))
        #expect(try updates(plain) == updates(joined))
    }

    @Test func schedulesAtTheirEdges() throws {
        let late = try linearSchedule(from: 1, to: 0, steps: 10, begin: 5)
        #expect([0, 5, 10, 15, 99].map(late.value(at:)) == [1, 1, 0.5, 0, 0])
        let bounded = try ExponentialSchedule(from: 1, rate: 0.5, steps: 1, bound: 0.2)
        #expect([0, 1, 2, 3, 9].map(bounded.value(at:)) == [1, 0.5, 0.25, 0.2, 0.2])
        let growing = try ExponentialSchedule(from: 1, rate: 2, steps: 1, bound: 5)
        #expect([0, 2, 3].map(growing.value(at:)) == [1, 4, 5] && growing.smallestValue == 1)
        let three = try JoinedSchedule(try JoinedSchedule(1.0, until: 2, then: 2.0), until: 4, then: 3.0)
        #expect((0..<6).map(three.value(at:)) == [1, 1, 2, 2, 3, 3])
    }
}

/// An element-wise link of one's own.
private struct Halving: ElementwiseTransformation {
    static var identifier: String { "halving" }

    struct Operation: UpdateOperation {
        func apply(to block: UpdateBlock) {
            for index in 0..<block.count { block.updates[index] *= 0.5 }
        }
    }

    func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    func withOperation(state: inout EmptyState, layout: TreeLayout, _ body: (Operation) -> Void) {
        body(Operation())
    }
}
