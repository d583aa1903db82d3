import Foundation
import GradientTransformations
import PrivateOptimization
import PyTrees
import Testing

/// The names by which checkpoints tell whose state they hold. They are written in files: one that changes here makes
/// files unreadable.
@Suite struct OptimizerIdentifierTests {
    private static func identifier(_ optimizer: some GradientTransformation) -> String {
        type(of: optimizer).identifier
    }

    private static func augmented(_ optimizer: some AugmentedGradientTransformation) -> String {
        type(of: optimizer).identifier
    }

    @Test func namedOptimizers() throws {
        let expected = [
            "sgd": "scale_by_learning_rate",
            "adam": "chain(scale_by_adam,scale_by_learning_rate)",
            "adamw": "chain(chain(scale_by_adam,add_decayed_weights),scale_by_learning_rate)",
            "nadam": "chain(scale_by_adam,scale_by_learning_rate)",
            "amsgrad": "chain(scale_by_amsgrad,scale_by_learning_rate)",
            "rmsprop": "chain(scale_by_rms,scale_by_learning_rate)",
            "adagrad": "chain(scale_by_rss,scale_by_learning_rate)",
            "yogi": "chain(scale_by_yogi,scale_by_learning_rate)",
            "adadelta": "chain(chain(add_decayed_weights,scale_by_adadelta),scale_by_learning_rate)",
            "adabelief": "chain(scale_by_belief,scale_by_learning_rate)",
            "lion": "chain(chain(scale_by_lion,add_decayed_weights),scale_by_learning_rate)",
            "lamb":
                "chain(chain(chain(scale_by_adam,add_decayed_weights),scale_by_trust_ratio),scale_by_learning_rate)",
            "adafactor":
                "chain(chain(chain(chain(chain(scale_by_factored_rms,clip_by_block_rms),scale_by_schedule),"
                + "scale_by_param_block_rms),add_decayed_weights),scale)",
        ]
        #expect(Set(expected.keys) == Set(NamedOptimizer.table.map(\.name)))
        for named in NamedOptimizer.table {
            let optimizer = try named.optimizer(rate: .constant(0.1))
            #expect(Self.identifier(optimizer) == expected[named.name], "\(named.name)")
        }
    }

    @Test func everythingElse() throws {
        let model = NestedModel()
        let mask = try TreeMask(["blocks": true, "heads": false, "offset": false], of: model)
        #expect(try Self.identifier(sgd(learningRate: 1, momentum: 0.9)) == "chain(trace,scale_by_learning_rate)")
        #expect(
            try Self.identifier(centeredRmsprop(learningRate: 1)) == "chain(scale_by_stddev,scale_by_learning_rate)")
        #expect(try Self.identifier(ScaleBySchedule(CosineSchedule(from: 1, steps: 9))) == "scale_by_schedule")
        #expect(Self.identifier(Masked(try EMA(decay: 0.5), mask: mask)) == "masked(ema)")
        #expect(Self.identifier(try Accumulate(Identity(), steps: 2)) == "multi_steps(identity)")
        #expect(Self.identifier(try ApplyIfFinite(SetToZero(), maximumErrors: 1)) == "apply_if_finite(set_to_zero)")
        #expect(
            Self.identifier(
                try chain {
                    try Clip(1); try Scale(2)
                }) == "chain(clip,scale)")
        #expect(Self.identifier(try ClipByGlobalNorm(1)) == "clip_by_global_norm")
        #expect(Self.identifier(try KalmanFilter()) == "kalman_filter")
        #expect(Self.identifier(try LowPassFilter(b: [1], a: [])) == "low_pass_filter")
        #expect(
            Self.identifier(try adamBC(learningRate: 1, noiseStandardDeviation: 1))
                == "chain(scale_by_adam_bc,scale_by_learning_rate)")
        let adam = try adam(learningRate: 1)
        #expect(Self.augmented(IdentityAugmented(adam)) == Self.identifier(adam))
        #expect(Self.augmented(try ScaleThenPrivatize(adam)) == "scale_then_privatize(\(Self.identifier(adam)))")
        #expect(
            Self.augmented(try PreClipping(adam, scale: ParameterVector(repeating: 1, layout: model.treeLayout())))
                == "pre_clipping(\(Self.identifier(adam)))")
    }

    /// A state can be gone on with under another schedule, and under another type of the same name; not by another
    /// optimizer, and not by one whose state would be read as something else.
    @Test func aCheckpointIsOfItsOptimizer() throws {
        let model = NestedModel()
        let before = try adam(learningRate: 0.1)
        var state = try before.initialState(for: model)
        var parameters = model
        before.step(NestedModel(seed: 2), state: &state, parameters: &parameters)
        let data = try JSONEncoder().encode(OptimizerCheckpoint(of: before, state: state, parameters: model))

        func restored<Optimizer: GradientTransformation>(_ optimizer: Optimizer) throws -> Optimizer.State {
            try JSONDecoder().decode(OptimizerCheckpoint<Optimizer>.self, from: data).state(for: model)
        }
        let scheduled = try adam(learningRate: CosineSchedule(from: 0.3, steps: 10), beta1: 0.5)
        #expect(try restored(scheduled).first == state.first)
        #expect(throws: GradientTransformationError.self) { try restored(amsgrad(learningRate: 0.1)) }
        // Yogi's state has the same fields, and means something else by them.
        let other = GradientTransformationError.checkpointOfAnotherOptimizer(
            found: "chain(scale_by_adam,scale_by_learning_rate)",
            expected: "chain(scale_by_yogi,scale_by_learning_rate)")
        #expect(throws: other) { try restored(yogi(learningRate: 0.1)) }
    }

    @Test func theModulesPageNamesAllOfThem() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var sources: [String] = []
        for module in ["GradientTransformations", "PrivateOptimization"] {
            let folder = root.appending(path: "Sources/\(module)")
            let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            for case let file as URL in files where file.pathExtension == "swift" {
                sources.append(try String(contentsOf: file, encoding: .utf8))
            }
        }
        let pattern = /static var identifier: String \{ "([a-z_]+)/
        let names = Set(sources.flatMap { $0.matches(of: pattern).map { String($0.1) } })
        #expect(names.count > 25)
        let catalog = root.appending(path: "Sources/GradientTransformations/GradientTransformations.docc")
        let page = try String(contentsOf: catalog.appending(path: "GradientTransformations.md"), encoding: .utf8)
        for name in names { #expect(page.contains("`\(name)"), "\(name)") }
    }
}
