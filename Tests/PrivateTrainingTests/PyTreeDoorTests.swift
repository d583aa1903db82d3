import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

/// A struct of nested trees, trained end to end by each door: runs, steps, trainer, checkpoints and files.
@Suite struct PyTreeDoorTests {
    private static func plan(_ iterations: Int = 30, clipping: PlannedClipping = .flat(l2ClipNorm: 1)) throws
        -> PrivacyPlan
    {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: 400, samplingProbability: 0.2)), iterations: iterations,
            clipping: clipping, budget: .noiseMultiplier(1), delta: 1e-5)
    }

    private static func accuracy(_ model: NestedModel, _ data: ListedDataset) -> Double {
        let right = (0..<data.count).count { index in
            data.inputs.withRow(index) { (model.score($0) > 0) == (data.classes[index] == 1) }
        }
        return Double(right) / Double(data.count)
    }

    private static func model(of start: NestedModel = NestedModel()) -> ClosureModel<NestedModel> {
        ClosureModel(
            parameters: start, featureCount: 2, outputCount: 1,
            evaluation: .init(loss: .logistic) { inputs, model, outputs in outputs[0] = model.score(inputs) }
        ) { inputs, target, model, gradient in
            guard case .class(let target) = target else { fatalError("Classes were expected.") }
            return model.addGradient(inputs, target: target, to: &gradient)
        }
    }

    /// A flat vector through the closures of the struct: what the numbers have to be.
    private static func flatModel() throws -> ClosureModel<ParameterVector> {
        let start = try NestedModel().flattened()
        return ClosureModel(
            layout: start.layout, featureCount: 2, outputCount: 1, initialParameters: { _ in start },
            evaluation: .init(loss: .logistic) { inputs, vector, outputs in
                outputs[0] = NestedModel().holding(vector).score(inputs)
            }
        ) { inputs, target, vector, row in
            guard case .class(let target) = target else { fatalError("Classes were expected.") }
            var gradient = NestedModel().holding(ParameterVector(zeros: vector.layout))
            let loss = NestedModel().holding(vector).addGradient(inputs, target: target, to: &gradient)
            row.withUnsafeMutableBufferPointer { gradient.copyLeaves(to: $0, as: vector.layout) }
            return loss
        }
    }

    private static func optimizer() throws -> some AugmentedGradientTransformation {
        try ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: 1e-2)
    }

    @Test func aRunFillsOneStructForEachExample() throws {
        let (training, test) = (try twoClouds(400, seed: 1), try twoClouds(200, seed: 2))
        var run = try PrivateRun(
            try Self.plan(), optimizer: Self.optimizer(), parameters: NestedModel(), nonPrivateSeed: 3)
        while !run.isFinished {
            try run.step(microbatchSize: 32) { index, model, gradient in
                _ = training.inputs.withRow(index) {
                    model.addGradient($0, target: training.classes[index], to: &gradient)
                }
            }
        }
        // Clouds 2√2 apart with deviation ½; where it began, the model is right in about half of the cases.
        #expect(Self.accuracy(run.parameters, test) > 0.95)
        #expect(Self.accuracy(NestedModel(), test) < 0.9)

        // The same run through blocks of rows, and through a flat vector: bit for bit.
        var blocks = try PrivateRun(
            try Self.plan(), optimizer: Self.optimizer(), parameters: NestedModel(), nonPrivateSeed: 3)
        while !blocks.isFinished {
            try blocks.step { indices, model in
                try DenseRows(
                    indices.map { index in
                        var gradient = model.holding(ParameterVector(zeros: try model.treeLayout()))
                        _ = training.inputs.withRow(index) {
                            model.addGradient($0, target: training.classes[index], to: &gradient)
                        }
                        return gradient
                    }, like: model)
            }
        }
        #expect(blocks.vector == run.vector)
        let flat = try Self.flatModel()
        var workspace = flat.makeWorkspace()
        var vectors = try PrivateRun(
            try Self.plan(), optimizer: Self.optimizer(), parameters: NestedModel().flattened(), nonPrivateSeed: 3)
        while !vectors.isFinished {
            try vectors.step { try flat.gradients(of: training.examples(at: $0), at: $1, workspace: &workspace) }
        }
        #expect(vectors.parameters == run.vector)
    }

    @Test func anOrdinaryOptimizerStepsPrivatelyOnAStruct() throws {
        let training = try twoClouds(40, seed: 1)
        let optimizer = try adam(learningRate: 0.1)
        var (model, vector) = (NestedModel(), try NestedModel().flattened())
        var states = (try optimizer.initialState(for: model), try optimizer.initialState(for: vector))
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 1)
        var sameNoise = Noise(.discreteGaussian, nonPrivateSeed: 1)
        var workspace = StepWorkspace()
        var other = StepWorkspace()
        let clipping = try ClippingRule.flat(l2ClipNorm: 1, normalizeBy: 40)
        for _ in 0..<3 {
            let rows = try DenseRows(
                (0..<40).map { index in
                    var gradient = model.holding(ParameterVector(zeros: vector.layout))
                    _ = training.inputs.withRow(index) {
                        model.addGradient($0, target: training.classes[index], to: &gradient)
                    }
                    return gradient
                }, like: model)
            try optimizer.privateStep(
                on: rows, state: &states.0, parameters: &model, clipping: clipping, noiseMultiplier: 1, noise: &noise,
                workspace: &workspace)
            try optimizer.privateStep(
                state: &states.1, parameters: &vector, clipping: clipping, noiseMultiplier: 1, noise: &sameNoise,
                workspace: &other
            ) { $1.add(rows) }
            #expect(try model.flattened() == vector)
        }
        #expect(model != NestedModel())
        // Microbatches with a struct: the closure sees the parameters of before the step.
        let before = model
        try optimizer.privateStep(
            state: &states.0, parameters: &model, clipping: clipping, noiseMultiplier: 1, noise: &noise,
            workspace: &workspace
        ) { current, batch in
            #expect(current == before)
            batch.add(try DenseRows([current], like: current))
        }
        #expect(model != before)
    }

    @Test func aTrainerTakesAStructAndGivesOneBack() throws {
        let (training, test) = (try twoClouds(400, seed: 1), try twoClouds(200, seed: 2))
        let options = TrainingOptions(microbatchSize: 64, averaging: .tail(fraction: 0.5), nonPrivateSeed: 3)
        let outcome = try Trainer(
            plan: Self.plan(), model: Self.model(), optimizer: Self.optimizer(), options: options
        ).fit(training, evaluatingOn: test)
        let parameters: NestedModel = outcome.parameters
        #expect(Self.accuracy(parameters, test) == outcome.evaluation?.accuracy)
        #expect(try #require(outcome.evaluation?.accuracy) > 0.95)
        let flat = try Trainer(
            plan: Self.plan(), model: Self.flatModel(), optimizer: Self.optimizer(), options: options
        ).fit(training, evaluatingOn: test)
        #expect(try parameters.flattened() == flat.parameters)
    }

    private func checkpoints<Model: TrainableModel, Optimizer: AugmentedGradientTransformation>(
        of trainer: Trainer<Model, Optimizer>, in folder: URL
    ) throws -> CheckpointFolder<Optimizer> {
        try CheckpointFolder(folder, interval: 4)
    }

    @Test func aTrainerGoesOnFromACheckpointOfAStruct() throws {
        try withTemporaryFolder { folder in
            let training = try twoClouds(400, seed: 1)
            let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: 1e-2)
            let trainer = try Trainer(
                plan: Self.plan(), model: Self.model(), optimizer: optimizer,
                options: TrainingOptions(nonPrivateSeed: 3))
            let checkpoints = try checkpoints(of: trainer, in: folder)
            let whole = try trainer.fit(training)
            let stopped = try trainer.fit(training, checkpoints: checkpoints) { $0.step == 10 ? .stop : .proceed }
            #expect(stopped.stepsTaken == 10 && stopped.parameters != whole.parameters)
            let saved = folder.appending(path: "step-000000010/parameters.safetensors").path
            #expect(try SafeTensors.read(saved, like: NestedModel()) == stopped.parameters)
            let names = try SafeTensors.read(saved).parameters.layout.leaves.map(\.path.description)
            #expect(names == NestedModel.paths)
            // The initial values are another model's: what counts is what the checkpoint holds.
            let resumed = try Trainer(
                plan: Self.plan(), model: Self.model(of: NestedModel(seed: 99)), optimizer: optimizer,
                options: TrainingOptions(nonPrivateSeed: 3)
            ).fit(training, checkpoints: checkpoints)
            #expect(resumed.parameters == whole.parameters)
            // Another struct is another model.
            let other = try Trainer(
                plan: Self.plan(), model: Self.model(of: NestedModel(width: 4)), optimizer: optimizer)
            #expect(throws: CheckpointError.self) { try other.fit(training, checkpoints: checkpoints) }
        }
    }

    @Test func clipNormsThatDoNotFitTheStructAreFoundBeforeTheFirstStep() throws {
        let norms: PrefixTree<Double> = ["blocks": 1, "heads": ["score": 1]]
        let plan = try Self.plan(clipping: .perSubtree(l2ClipNorms: norms))
        #expect(throws: PrivacyMechanismError.clipNormsDoNotFitLayout(.uncoveredLeaf("offset"))) {
            _ = try PrivateRun(plan, optimizer: Self.optimizer(), parameters: NestedModel()).isFinished
        }
        let whole: PrefixTree<Double> = ["blocks": 1, "heads": ["score": 1], "offset": 0.1]
        let fitting = try Self.plan(clipping: .perSubtree(l2ClipNorms: whole))
        #expect(try !PrivateRun(fitting, optimizer: Self.optimizer(), parameters: NestedModel()).isFinished)
    }

    /// A public scale and a projection of one's own, made from the struct, are those that are made from the vector.
    @Test func transformsAreMadeFromTheStruct() throws {
        let training = try twoClouds(400, seed: 1)
        func trained<Transform>(
            _ optimizer: PreClipping<ScaleByLearningRate<Double>, Transform>
        ) throws -> NestedModel {
            try Trainer(
                plan: Self.plan(), model: Self.model(), optimizer: optimizer,
                options: TrainingOptions(nonPrivateSeed: 3)
            ).fit(training).parameters
        }
        var scale = NestedModel()
        try scale.unflatten(from: ParameterVector(repeating: 2, layout: scale.treeLayout()))
        scale.offset = 0.25
        let rate = try sgd(learningRate: 0.5)
        let scaled = try trained(PreClipping(rate, scale: scale))
        #expect(scaled == (try trained(PreClipping(rate, scale: scale.flattened()))))
        scale.offset = 4
        #expect(scaled != (try trained(PreClipping(rate, scale: scale))))

        let projection = LinearProjection(like: NestedModel(), dimensions: 5, seed: 1)
        let projected = try trained(PreClipping(rate, transform: projection))
        let layout = try NestedModel().treeLayout()
        let same = LinearProjection(layout, dimensions: 5, seed: 1)
        #expect(projected == (try trained(PreClipping(rate, transform: same))))
        #expect(
            projected
                == (try trained(
                    PreClipping(rate, transform: LinearProjection(like: NestedModel(), basis: same.basis)))))
        let other = LinearProjection(like: NestedModel(), dimensions: 5, seed: 2)
        #expect(projected != (try trained(PreClipping(rate, transform: other))))
    }

    @Test func anOrdinaryOptimizerStepsAStructOnAPrivateGradient() throws {
        let optimizer = try adam(learningRate: 0.1)
        var (model, vector) = (NestedModel(), try NestedModel().flattened())
        var states = (try optimizer.initialState(for: model), try optimizer.initialState(for: vector))
        for seed in 1...3 {
            func gradient() throws -> PrivateGradient {
                var aggregate = try ClippedAggregate(
                    .flat(l2ClipNorm: 1), transform: IdentityTransform(like: NestedModel()), noise: .discreteGaussian,
                    noiseMultiplier: 1)
                aggregate.add(try DenseRows([NestedModel(seed: 8)], like: NestedModel()))
                var noise = Noise(.discreteGaussian, nonPrivateSeed: UInt64(seed))
                return try aggregate.privatized(noise: &noise)
            }
            optimizer.step(try gradient(), state: &states.0, parameters: &model)
            optimizer.step(try gradient(), state: &states.1, parameters: &vector)
            #expect(try model.flattened() == vector)
        }
        #expect(model != NestedModel())
    }

    /// What is written for one example would be seen by the next.
    @Test func aClassIsRefusedWhereExamplesWriteToIt() async {
        let model = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ClosureModel(parameters: SharedWeights(), featureCount: 2, outputCount: 1) { _, _, _, _ in 0 }
        }
        let run = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var run = try PrivateRun(
                Self.plan(), optimizer: sgd(learningRate: 0.1), parameters: SharedWeights(), nonPrivateSeed: 1)
            try run.step { _, _, _ in }
        }
        for result in [model, run] {
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("SharedWeights shares its leaves with its copies"), "\(text)")
        }
    }

    private final class SharedWeights: PyTree, @unchecked Sendable {
        private var weights = Tensor(zeros: [3])

        func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
            try visitor.visit("weights", &weights)
        }
    }

    /// **Guarantee** of a step that fills structs: exactly the drawn examples, each once, whatever a closure keeps in
    /// the struct beside its leaves.
    @Test func everyDrawnExampleIsAskedForOnce() throws {
        let seen = Counter(400)
        var run = try PrivateRun(
            try Self.plan(2), optimizer: Self.optimizer(), parameters: NestedModel(), nonPrivateSeed: 5)
        var drawn: [Int] = []
        var other = try PrivateRun(
            try Self.plan(2), optimizer: Self.optimizer(), parameters: NestedModel(), nonPrivateSeed: 5)
        try other.step { indices, model in
            drawn += indices
            return try DenseRows(indices.map { _ in model }, like: model)
        }
        try run.step(microbatchSize: 7) { index, _, gradient in
            seen.add(index, isFresh: gradient.note == 0 && gradient.offset == 0)
            gradient.note = 1
            gradient.offset = 1
        }
        #expect(seen.counts == (0..<400).map { drawn.contains($0) ? 1 : 0 })
        #expect(seen.allFresh)
    }

    private final class Counter: @unchecked Sendable {
        private let lock = NSLock()
        private(set) var counts: [Int]
        private(set) var allFresh = true

        init(_ count: Int) { counts = [Int](repeating: 0, count: count) }

        func add(_ index: Int, isFresh: Bool) {
            lock.withLock {
                counts[index] += 1
                allFresh = allFresh && isFresh
            }
        }
    }
}
