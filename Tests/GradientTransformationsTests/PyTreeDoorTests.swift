import GradientTransformations
import PyTrees
import Testing

/// Parameters and gradients that are a struct give what the same numbers give in a vector, bit for bit.
@Suite struct PyTreeDoorTests {
    private func expectTheSame(_ optimizer: some GradientTransformation) throws {
        var model = NestedModel()
        var vector = try model.flattened()
        var states = (try optimizer.initialState(for: model), try optimizer.initialState(for: vector))
        for step in 0..<4 {
            let gradient = NestedModel(seed: UInt64(10 + step))
            var updates = (gradient, try gradient.flattened())
            var copies = states
            optimizer.update(&updates.0, state: &copies.0, parameters: model)
            optimizer.update(&updates.1, state: &copies.1, parameters: vector)
            #expect(try updates.0.flattened() == updates.1)
            var flat = try gradient.flattened()
            optimizer.step(gradient, state: &states.0, parameters: &model)
            optimizer.step(&flat, state: &states.1, parameters: &vector)
            #expect(try model.flattened() == vector)
        }
        #expect(model != NestedModel())
        let saved = OptimizerCheckpoint(of: optimizer, state: states.0, parameters: model)
        _ = try saved.state(for: vector)
        _ = try saved.state(for: model)
        #expect(throws: GradientTransformationError.self) { try saved.state(for: NestedModel(width: 5)) }
    }

    @Test func everyKindOfTransformation() throws {
        try expectTheSame(sgd(learningRate: 0.1, momentum: 0.9))
        try expectTheSame(adamw(learningRate: 0.01, weightDecay: 0.1))
        try expectTheSame(lamb(learningRate: 0.01))
        let mask = try TreeMask(["blocks": true, "heads": false, "offset": true], of: NestedModel())
        try expectTheSame(
            chain {
                try ClipByGlobalNorm(0.5)
                try Masked(ScaleByAdam(), mask: mask)
                try ScaleByLearningRate(0.1)
            })
    }

    @Test func leavesKeepTheirMemory() throws {
        let optimizer = try adam(learningRate: 0.1)
        var model = NestedModel()
        var state = try optimizer.initialState(for: model)
        func place(_ model: borrowing NestedModel) -> UnsafeRawPointer? {
            model.blocks[0].kernel.values.withUnsafeBufferPointer { $0.baseAddress.map { UnsafeRawPointer($0) } }
        }
        optimizer.step(NestedModel(seed: 2), state: &state, parameters: &model)
        let before = place(model)
        optimizer.step(NestedModel(seed: 3), state: &state, parameters: &model)
        #expect(place(model) == before)
    }

    @Test func aGradientOfAnotherModelTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let optimizer = try adam(learningRate: 0.1)
            var model = NestedModel()
            var state = try optimizer.initialState(for: model)
            optimizer.step(NestedModel(width: 4), state: &state, parameters: &model)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("blocks/0/kernel") && text.contains("[2, 3]") && text.contains("[2, 4]"))
    }
}
