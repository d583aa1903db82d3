import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

/// Scale-then-privatize over a factored second moment.
@Suite(.serialized) struct FactoredScaleTests {
    static let layout = try! TreeLayout([("bias", [3]), ("kernel", [4, 3]), ("stack", [2, 4, 3]), ("wide", [2, 9])])

    static func gradient(_ seed: UInt64) -> ParameterVector {
        var generator = SeededGenerator(seed: seed)
        return try! ParameterVector(
            values: (0..<layout.count).map { _ in generator.float(-1...1) }, layout: layout)
    }

    static func base(minimumFactoredSide: Int = 3) throws -> Adafactor<Double> {
        try adafactor(learningRate: 0.1, minimumFactoredSide: minimumFactoredSide)
    }

    static func stepped<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, steps: Int = 2
    ) throws -> Optimizer.State {
        var parameters = ParameterVector(repeating: 0.5, layout: layout)
        var state = try optimizer.initialState(for: parameters)
        for step in 0..<steps {
            try optimizer.step(onTransformed: gradient(UInt64(step)), state: &state, parameters: &parameters)
        }
        return state
    }

    private typealias Scaled = ScaleThenPrivatize<Adafactor<Double>, KnownSecondMoment<Adafactor<Double>.State>>

    private static func moments(_ state: Scaled.State) -> ParameterVector {
        var result: ParameterVector?
        state.base.readSecondMoments { result = $0 }
        return result!
    }

    /// The scale of the elements of a leaf, multiplied out.
    private static func written(_ scale: ParameterVector, _ path: TreePath, columns: Int) -> [Float] {
        guard let rows = scale.layout[path.appending("rows")], let side = scale.layout[path.appending("columns")] else {
            return Array(scale.values[scale.layout[path]!.range])
        }
        return scale.values[rows.range].flatMap { row in scale.values[side.range].map { row * $0 } }
    }

    /// 1 / ((√a + √ε)(√b + √ε)) in Float64, for v = a·b of the means of rows and columns; within 32 roundings.
    private static func expected(
        _ rows: [Double], _ columns: [Double], _ epsilon: Double, floor: Double = 0
    ) -> [Double] {
        let mean = rows.reduce(0, +) / Double(rows.count)
        func factor(_ value: Double) -> Double {
            1 / (max(value / mean.squareRoot(), floor.squareRoot()).squareRoot() + epsilon.squareRoot())
        }
        return rows.flatMap { row in columns.map { factor(row) * factor($0) } }
    }

    private static func agree(_ found: [Float], _ expected: [Double]) -> Bool {
        found.count == expected.count
            && zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 32 * 0x1p-24 * abs($1) }
    }

    @Test func scaleFollowsTheFormulas() throws {
        for floor in [0, 0.2] {
            let optimizer = try ScaleThenPrivatize(Self.base(), epsilon: 1e-2, floor: floor)
            let state = try Self.stepped(optimizer)
            let moments = Self.moments(state)
            func values(_ path: TreePath) -> [Double] { moments.values[moments.layout[path]!.range].map(Double.init) }
            // A vector, element by element.
            let bias = values("bias").map { 1 / (max($0, floor).squareRoot() + 1e-2) }
            #expect(Self.agree(Self.written(state.scale, "bias", columns: 3), bias))
            // A factored matrix.
            let kernel = Self.expected(values("kernel/rows"), values("kernel/columns"), 1e-2, floor: floor)
            #expect(Self.agree(Self.written(state.scale, "kernel", columns: 3), kernel))
            // A factored leaf with another axis: each slice by itself, written out.
            let (rows, columns) = (values("stack/rows"), values("stack/columns"))
            let stack =
                Self.expected(Array(rows[..<4]), Array(columns[..<3]), 1e-2, floor: floor)
                + Self.expected(Array(rows[4...]), Array(columns[3...]), 1e-2, floor: floor)
            #expect(Self.agree(Self.written(state.scale, "stack", columns: 3), stack))
            // A matrix that is too small to be factored: of its own rows and columns.
            let wide = values("wide")
            let wideRows: [Double] = [wide[..<9].reduce(0, +) / 9, wide[9...].reduce(0, +) / 9]
            let wideColumns = zip(wide[..<9], wide[9...]).map { (upper: Double, lower: Double) in (upper + lower) / 2 }
            let found = Self.written(state.scale, "wide", columns: 9)
            #expect(Self.agree(found, Self.expected(wideRows, wideColumns, 1e-2, floor: floor)))
            // The control: another ε is told apart.
            #expect(!Self.agree(found, Self.expected(wideRows, wideColumns, 0.0101, floor: floor)))
        }
    }

    @Test func firstScaleIsOneOverEpsilon() throws {
        for epsilon in [ScaleEpsilon.paper, ScaleEpsilon.usual, 0.25] {
            let optimizer = try ScaleThenPrivatize(Self.base(), epsilon: epsilon)
            let state = try optimizer.initialState(for: ParameterVector(zeros: Self.layout))
            let kernel = Self.written(state.scale, "kernel", columns: 3)
            #expect(kernel.allSatisfy { abs(Double($0) * epsilon - 1) <= 8 * 0x1p-24 })
            #expect(Self.written(state.scale, "bias", columns: 3).allSatisfy { $0 == 1 / Float(epsilon) })
        }
    }

    @Test func warmUpFloorAndInitialMomentActOnFactors() throws {
        let zeros = ParameterVector(zeros: Self.layout)
        let warm = try ScaleThenPrivatize(Self.base(), warmUpSteps: 1)
        #expect(try Self.stepped(warm, steps: 0).scale.values.allSatisfy { $0 == 1 })
        #expect(try Self.stepped(warm, steps: 1).scale.values.allSatisfy { $0 != 1 })
        let floored = try ScaleThenPrivatize(Self.base(), epsilon: 1e-12, floor: 0.0625).initialState(for: zeros)
        let begun = try ScaleThenPrivatize(Self.base(), epsilon: 1e-12, initialSecondMoment: 0.0625)
            .initialState(for: zeros)
        for state in [floored, begun] {
            for path: TreePath in ["bias", "kernel", "stack", "wide"] {
                // 1/√0.0625, but for √ε and roundings.
                #expect(Self.written(state.scale, path, columns: 3).allSatisfy { abs($0 - 4) <= 1e-4 })
            }
        }
        #expect(Self.moments(floored).values.allSatisfy { $0 == 0 })
        #expect(Self.moments(begun).values.allSatisfy { $0 == 0.0625 })
    }

    /// A matrix whose moment is of rank one, and large against ε, is scaled as a diagonal transform would.
    @Test func momentsOfRankOneAreScaledAsElements() throws {
        let layout = try TreeLayout([("kernel", [4, 3])])
        let gradient = try ParameterVector(
            values: [1, 2, -3, 0.5].flatMap { row in [1, -0.25, 2].map { Float(row * $0) } }, layout: layout)
        let optimizer = try ScaleThenPrivatize(Self.base(), epsilon: 1e-12)
        var parameters = ParameterVector(zeros: layout)
        var state = try optimizer.initialState(for: parameters)
        let transform = try optimizer.preClippingTransform(for: state, layout: layout)
        var image = ParameterVector(zeros: layout)
        image.withMutableSpan { transform.transform(gradient.values.span, into: &$0) }
        try optimizer.step(onTransformed: image, state: &state, parameters: &parameters)
        for (scale, value) in zip(Self.written(state.scale, "kernel", columns: 3), gradient.values) {
            #expect(abs(scale * abs(value) - 1) <= 1e-4)
        }
    }

    @Test func partsWithoutMomentsHaveScaleOne() throws {
        let mask = try TreeMask(["bias": false, "kernel": true, "stack": false, "wide": true], layout: Self.layout)
        let parted = try ScaleThenPrivatize(
            partition {
                Masked(try Self.base(), mask: mask)
                Masked(try sgd(learningRate: 0.1), mask: mask.complement)
            })
        let state = try Self.stepped(parted)
        for path: TreePath in ["bias", "stack"] {
            #expect(Self.written(state.scale, path, columns: 3).allSatisfy { $0 == 1 })
        }
        for path: TreePath in ["kernel", "wide"] {
            #expect(Self.written(state.scale, path, columns: 3).allSatisfy { $0 != 1 })
        }
        let both = try ScaleThenPrivatize(
            partition {
                Masked(try Self.base(), mask: mask)
                Masked(try Self.base(minimumFactoredSide: 9), mask: mask.complement)
            })
        #expect(try Self.stepped(both).scale.values.allSatisfy { $0 != 1 })
    }

    @Test(arguments: [Float.nan, .infinity]) func momentsThatCannotBeInvertedAreRefused(_ value: Float) throws {
        for path: TreePath in ["bias", "kernel/rows", "kernel/columns", "stack/columns", "wide"] {
            let optimizer = try ScaleThenPrivatize(Self.base(), epsilon: 1)
            var state = try Self.stepped(optimizer)
            state.base.changeSecondMoments { moments in
                let range = moments.layout[path]!.range
                moments.withUnsafeMutableValues { $0[range.lowerBound + 1] = value }
            }
            var parameters = ParameterVector(zeros: Self.layout)
            let zeros = parameters
            try optimizer.step(onTransformed: zeros, state: &state, parameters: &parameters)
            let error = #expect(throws: PrivacyMechanismError.self) {
                try optimizer.preClippingTransform(for: state, layout: Self.layout)
            }
            guard case .invalidScale = error else {
                Issue.record("\(path): \(String(describing: error)) is of something else.")
                continue
            }
        }
    }

    @Test func aScaleOfAnotherLayoutTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let optimizer = try ScaleThenPrivatize(FactoredScaleTests.base())
            let state = try optimizer.initialState(for: ParameterVector(zeros: FactoredScaleTests.layout))
            _ = try optimizer.preClippingTransform(for: state, layout: try TreeLayout([("other", [2])]))
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("does not fit parameters of layout"))
    }

    // MARK: Steps

    private static func trained<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, _ noise: NoiseScheme, steps: Int = 6, noiseMultiplier: Double = 0.5,
        clipNorm: Double = 2, isDense: Bool = false, stoppingAt stop: Int? = nil
    ) throws -> ParameterVector {
        let layout = FactoredTransformTests.layout
        var parameters = ParameterVector(repeating: 0.5, layout: layout)
        var state = try optimizer.initialState(for: parameters)
        var noise = Noise(noise, nonPrivateSeed: 3)
        var workspace = StepWorkspace()
        for step in 0..<steps {
            if step == stop {
                state = try JSONDecoder().decode(Optimizer.State.self, from: JSONEncoder().encode(state))
            }
            let gradients = try FactoredTransformTests.gradients(12, seed: UInt64(step))
            let rule = try ClippingRule.flat(l2ClipNorm: clipNorm, normalizeBy: 12)
            if isDense {
                try optimizer.privateStep(
                    on: FactoredTransformTests.dense(gradients), state: &state, parameters: &parameters, clipping: rule,
                    noiseMultiplier: noiseMultiplier, noise: &noise, workspace: &workspace)
            } else {
                try optimizer.privateStep(
                    on: gradients, state: &state, parameters: &parameters, clipping: rule,
                    noiseMultiplier: noiseMultiplier, noise: &noise, workspace: &workspace)
            }
        }
        return parameters
    }

    private static func distance(_ left: ParameterVector, _ right: ParameterVector) -> Float {
        zip(left.values, right.values).map { abs($0 - $1) }.max()!
    }

    /// Without clipping and noise the scale cancels: 3 roundings there and back of each gradient, in six steps of 0.1
    /// times parameters of at most 1.
    @Test func withoutClippingAndNoiseTrainingIsTheBases() throws {
        let base = try Self.base()
        for isDense in [false, true] {
            let plain = try Self.trained(
                IdentityAugmented(base), .discreteGaussian, noiseMultiplier: 0, clipNorm: .infinity, isDense: isDense)
            let scaled = try Self.trained(
                ScaleThenPrivatize(base), .discreteGaussian, noiseMultiplier: 0, clipNorm: .infinity, isDense: isDense)
            #expect(Self.distance(plain, scaled) <= 6 * 0.1 * 0x1p-18)
            let clipped = try Self.trained(
                ScaleThenPrivatize(base), .discreteGaussian, noiseMultiplier: 0, isDense: isDense)
            #expect(Self.distance(plain, clipped) > 1e-3)
        }
    }

    /// A state that went through a file goes on as if it had not, bit for bit, in exact and in floating-point sums.
    @Test(arguments: [NoiseScheme.discreteGaussian, .floatingPointGaussian])
    func aResumedRunEndsAsOneThatWasNotStopped(_ noise: NoiseScheme) throws {
        let optimizer = try ScaleThenPrivatize(Self.base(), epsilon: 1e-2)
        let whole = try Self.trained(optimizer, noise)
        #expect(try Self.trained(optimizer, noise, stoppingAt: 3) == whole)
        // The scale takes part: another ε ends elsewhere.
        #expect(try Self.trained(ScaleThenPrivatize(Self.base(), epsilon: 2e-2), noise) != whole)
    }

    /// `step` and `update` divide by the same scale.
    @Test func stepIsUpdate() throws {
        let optimizer = try ScaleThenPrivatize(Self.base())
        var parameters = ParameterVector(repeating: 0.5, layout: Self.layout)
        var state = try Self.stepped(optimizer)
        var other = state
        let transform = try optimizer.preClippingTransform(for: state, layout: Self.layout)
        let updates = optimizer.update(
            TransformedGradient(Self.gradient(9), transform: transform), state: &other, parameters: parameters)
        let expected = zip(parameters.values, updates.values).map { $0 + $1 }
        optimizer.step(
            TransformedGradient(Self.gradient(9), transform: transform), state: &state, parameters: &parameters)
        #expect(parameters.values == expected && state == other)
    }
}
