import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

@Suite struct ClippedAggregateTests {
    // MARK: The guarantee

    /// The Float64 sums of two neighbouring batches, and how far they are apart in the transformed space.
    private static func distance(
        _ rule: ClippingRule, scale: ParameterVector?, _ first: [[Float]], _ second: [[Float]]
    ) throws -> Double {
        let sums = try [first, second].map { try unnoisedSum(rule, scale: scale, $0) }
        return zip(sums[0], sums[1]).map { $0 - $1 }.norm
    }

    private static func unnoisedSum(
        _ rule: ClippingRule, scale: ParameterVector?, _ rows: [[Float]]
    ) throws -> [Double] {
        if let scale {
            let sum = try unnoisedSum(rule, transform: DiagonalTransform(scale: scale), rows)
            return zip(sum, scale.values).map { $0 * Double($1) }
        }
        return try unnoisedSum(rule, transform: IdentityTransform(layout: .reference), rows)
    }

    private static func unnoisedSum(
        _ rule: ClippingRule, transform: some PreClippingTransform, _ rows: [[Float]]
    ) throws -> [Double] {
        var aggregate = try ClippedAggregate(rule, transform: transform, noiseMultiplier: 0)
        aggregate.add(try denseRows(rows, layout: transform.parameterLayout))
        let factor = 1 / rule.normalizeBy
        return aggregate.sum.values.buffer.map { $0 * factor }
    }

    private static func denseRows(_ rows: [[Float]], layout: TreeLayout) throws -> DenseRows {
        try DenseRows(
            Matrix(rows: rows.count, columns: layout.count, elements: rows.flatMap { $0 }), layout: layout)
    }

    private static func rules() throws -> [ClippingRule] {
        let prefix: PrefixTree<Double> = ["dense": ["bias": 0.5, "kernel": 2], "temperature": 0.1]
        return [
            try .flat(l2ClipNorm: 0.7), try .flat(l2ClipNorm: 3, normalizeBy: 7),
            try .flat(l2ClipNorm: 0.7, rescaleToUnitNorm: true), try .perSubtree(l2ClipNorms: prefix, normalizeBy: 3),
            try .perSubtree(l2ClipNorms: prefix, rescaleToUnitNorm: true), try .automatic(l2ClipNorm: 1.3),
            try .perSampleAdaptive(l2ClipNorm: 0.9, normalizeBy: 5),
        ]
    }

    private static func batches() -> [[[Float]]] {
        var generator = SeededGenerator(seed: 3)
        let count = TreeLayout.reference.count
        let adversarial = AdversarialRows.rows(count: count).map(\.values)
        let withNonFinite = adversarial + [(0..<count).map { $0 == 3 ? .nan : 1 }]
        let random = (0..<40).map { _ in
            let size = Float(sign: .plus, exponent: Int(generator.next() % 40) - 20, significand: 1)
            return (0..<count).map { _ in size * generator.float() }
        }
        // All in one direction: the case in which an example moves the sum most.
        let aligned = [[Float]](repeating: (0..<count).map { _ in 5 }, count: 30)
        return [adversarial, withNonFinite, random, aligned]
    }

    private static func scale() -> ParameterVector {
        var generator = SeededGenerator(seed: 4)
        return try! ParameterVector(
            values: (0..<17).map { _ in exp2OfInteger(Int(generator.next() % 60) - 30) }, layout: .reference)
    }

    private static func exp2OfInteger(_ exponent: Int) -> Float {
        Float(sign: .plus, exponent: exponent, significand: 1.25)
    }

    /// Distances are computed with a rounding error of some 2⁻⁵³ of the sums' norms themselves.
    private static func slack(_ examples: Int) -> Double { 1 + Double(examples) * 8 * 0x1p-52 }

    @Test func neighbouringSumsDifferByNoMoreThanTheSensitivity() throws {
        for rule in try Self.rules() {
            for rows in Self.batches() {
                for scale in [nil, Self.scale()] {
                    let bound = try rule.sensitivity(for: .addOrRemoveOne, layout: .reference)
                    for index in stride(from: 0, to: rows.count, by: 3) {
                        var removed = rows
                        removed.remove(at: index)
                        #expect(
                            try Self.distance(rule, scale: scale, rows, removed) <= bound * Self.slack(rows.count),
                            "\(rule), without example \(index)")
                        var replaced = rows
                        replaced[index] = rows[index].map { -3 * $0 }
                        #expect(
                            try Self.distance(rule, scale: scale, rows, replaced)
                                <= 2 * bound * Self.slack(rows.count), "\(rule), example \(index) replaced")
                    }
                }
            }
        }
    }

    @Test func aSumOverTheDrawnBatchSizeFailsTheSameTest() throws {
        // The control: normalising by the number of examples that happened to be drawn.
        let rows = Self.batches()[3]
        let fewer = Array(rows.dropLast())
        let sums = try [rows, fewer].map { rows in
            try Self.unnoisedSum(.flat(l2ClipNorm: 0.7), scale: nil, rows).map { $0 / Double(rows.count) }
        }
        // Towards a batch of one the mean moves by half a clip norm, however large its promised batch is.
        let pair = try [Array(rows.prefix(1)), []].map { rows in
            try Self.unnoisedSum(.flat(l2ClipNorm: 0.7), scale: nil, rows).map { $0 / Double(max(1, rows.count)) }
        }
        let promised = 0.7 / Double(rows.count)
        #expect(zip(pair[0], pair[1]).map { $0 - $1 }.norm > promised * Self.slack(rows.count))
        #expect(zip(sums[0], sums[1]).map { $0 - $1 }.norm < promised)
    }

    @Test func theBoundIsReached() throws {
        // A rule that clipped to less than it says would pass every test above and waste accuracy.
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        let rows = Self.batches()[3]
        let distance = try Self.distance(rule, scale: nil, rows, Array(rows.dropLast()))
        #expect(distance > 0.7 * (1 - 0x1p-22))
    }

    // MARK: Padding, non-finite examples, empty batches

    @Test func paddingAndNonFiniteExamplesContributeExactlyZero() throws {
        let rule = try ClippingRule.perSubtree(l2ClipNorms: ["dense": 1, "temperature": 2])
        var generator = SeededGenerator(seed: 11)
        let rows = (0..<9).map { _ in (0..<17).map { _ in generator.float(-4...4) } }
        var disturbed = rows
        disturbed[2][16] = .nan
        disturbed[5][0] = .infinity
        disturbed[7] = [Float](repeating: 1e30, count: 17)
        var padding = [Bool](repeating: false, count: 9)
        padding[7] = true

        var aggregate = try ClippedAggregate(rule, transform: IdentityTransform(layout: .reference), noiseMultiplier: 0)
        aggregate.add(try Self.denseRows(disturbed, layout: .reference), padding: padding)
        let kept = rows.indices.filter { ![2, 5, 7].contains($0) }.map { rows[$0] }
        let expected = try Self.unnoisedSum(rule, scale: nil, kept)
        #expect(Array(aggregate.sum.values.buffer) == expected)
    }

    @Test func anEmptyBatchIsZeroAndStillNoised() throws {
        let layout = flatLayout(20_000)
        let rule = try ClippingRule.flat(l2ClipNorm: 2, normalizeBy: 4)
        let transform = IdentityTransform(layout: layout)
        for scheme in [NoiseScheme.discreteGaussian, .floatingPointGaussian] {
            let rows = Matrix(rows: 0, columns: layout.count)
            var noise = Noise(scheme, nonPrivateSeed: 5)
            var silent = try ClippedAggregate(rule, transform: transform, noise: scheme, noiseMultiplier: 0)
            var noised = try ClippedAggregate(rule, transform: transform, noise: scheme, noiseMultiplier: 3)
            if scheme == .discreteGaussian {
                silent.add(try DenseRows(rows, layout: layout))
                noised.add(try DenseRows(rows, layout: layout))
            }
            let zeros = try silent.privatized(noise: &noise).vector
            #expect(zeros.values.allSatisfy { $0 == 0 })
            let values = try noised.privatized(noise: &noise).vector.values
            // σ = 3 · 2/4; the standard error of an empirical σ over n normals is σ/√(2n), and 6 of them are allowed.
            let count = Double(values.count)
            let deviation: Double = values.map(Double.init).norm / count.squareRoot()
            let tolerance: Double = 6 / (2 * count).squareRoot()
            #expect(abs(deviation / 1.5 - 1) < tolerance)
        }
    }

    @Test func noiseIsAddedOnceHoweverManyMicrobatches() throws {
        let layout = flatLayout(20_000)
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 6)
        var aggregate = try ClippedAggregate(
            rule, transform: IdentityTransform(layout: layout), noise: .floatingPointGaussian, noiseMultiplier: 1)
        for _ in 0..<5 { aggregate.add(try DenseRows(Matrix(rows: 3, columns: layout.count), layout: layout)) }
        let values = try aggregate.privatized(noise: &noise).vector.values
        let count = Double(values.count)
        let deviation: Double = values.map(Double.init).norm / count.squareRoot()
        let tolerance: Double = 6 / (2 * count).squareRoot()
        #expect(abs(deviation - 1) < tolerance)
    }

    // MARK: Independence of how the work is cut

    @Test(arguments: [1, 17, 650, 70_001])
    func microbatchesAndThreadsChangeNoBit(parameters: Int) throws {
        let layout = flatLayout(parameters)
        var generator = SeededGenerator(seed: 21)
        let examples = parameters > 10_000 ? 37 : 150
        let elements = (0..<examples * parameters).map { _ in generator.float(-3...3) }
        let rule = try ClippingRule.flat(l2ClipNorm: 1.5)
        let scale = try ParameterVector(
            values: (0..<parameters).map { _ in generator.float(0.1...3) }, layout: layout)
        let transform = try DiagonalTransform(scale: scale)
        let limit = Threads.limit
        Threads.sharesSmallWork = true
        defer {
            Threads.limit = limit
            Threads.sharesSmallWork = false
        }
        var results: [[UInt32]] = []
        for (threads, cuts) in [(1, [examples]), (2, [examples]), (3, [1, 5, 64, 100]), (7, [2, 3, 3, 50, 60])] {
            Threads.limit = threads
            var aggregate = try ClippedAggregate(
                rule, transform: transform, noise: .floatingPointGaussian, noiseMultiplier: 1)
            var begin = 0
            for cut in cuts + [examples] {
                let end = min(begin + cut, examples)
                let part = Array(elements[begin * parameters..<end * parameters])
                aggregate.add(
                    try DenseRows(Matrix(rows: end - begin, columns: parameters, elements: part), layout: layout))
                begin = end
            }
            var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 9)
            results.append(
                try aggregate.privatized(noise: &noise).vector.values.map(\.bitPattern))
        }
        #expect(Set(results).count == 1)
    }

    @Test func moreThreadsThanRowsOrColumns() throws {
        let limit = Threads.limit
        Threads.sharesSmallWork = true
        defer {
            Threads.limit = limit
            Threads.sharesSmallWork = false
        }
        Threads.limit = 16
        let layout = flatLayout(600_000)
        let rows = Matrix(rows: 2, columns: layout.count, elements: [Float](repeating: 1, count: 1_200_000))
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 1)
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1e6), transform: IdentityTransform(layout: layout), noiseMultiplier: 0)
        aggregate.add(try DenseRows(rows, layout: layout))
        let sum = try aggregate.privatized(noise: &noise).vector
        #expect(sum.values.allSatisfy { $0 == 2 })
    }

    @Test func zeroParameters() throws {
        let layout = try TreeLayout([])
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 1)
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noise: .floatingPointGaussian,
            noiseMultiplier: 1)
        let outputs = aggregate.addReturningNonPrivateOutputs(
            try DenseRows(Matrix(rows: 3, columns: 0), layout: layout))
        #expect(outputs.norms == [0, 0, 0])
        #expect(try aggregate.privatized(noise: &noise).vector.values.isEmpty)
    }

    // MARK: Workspaces

    @Test func aWorkspaceHandsTheSameZeroedMemoryOn() throws {
        let workspace = GradientWorkspace()
        let layout = flatLayout(5_000)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 1)
        var addresses: Set<UnsafeMutablePointer<Double>> = []
        var kept: [UnsafeMutablePointer<Double>] = []
        for _ in 0..<4 {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noise: .floatingPointGaussian,
                noiseMultiplier: 1, workspace: workspace)
            #expect(aggregate.sum.values.buffer.allSatisfy { $0 == 0 })
            addresses.insert(aggregate.sum.values.base)
            kept.append(aggregate.sum.values.base)
            aggregate.add(
                try DenseRows(
                    Matrix(rows: 1, columns: 5_000, elements: [Float](repeating: 1, count: 5_000)), layout: layout))
            _ = try aggregate.privatized(noise: &noise).vector
        }
        #expect(addresses.count == 1)
    }

    @Test func anAggregateThatIsDroppedLeavesNothingBehind() throws {
        let workspace = GradientWorkspace()
        let layout = flatLayout(100)
        let ones = Matrix(rows: 1, columns: 100, elements: [Float](repeating: 1, count: 100))
        func dropOne() throws {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noiseMultiplier: 0,
                workspace: workspace)
            aggregate.add(try DenseRows(ones, layout: layout))
        }
        try dropOne()
        let next = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noiseMultiplier: 0, workspace: workspace
        )
        #expect(next.sum.values.buffer.allSatisfy { $0 == 0 })
    }

    // MARK: Non-private outputs

    @Test func normsAndLossesComeOutUnderAnHonestName() throws {
        let rule = try ClippingRule.perSubtree(l2ClipNorms: ["dense": 1, "temperature": 2])
        var rows = [[Float]](repeating: [Float](repeating: 0, count: 17), count: 3)
        rows[0][0] = 3
        rows[0][1] = 4
        rows[1][16] = -2
        rows[2][16] = .nan
        var aggregate = try ClippedAggregate(rule, transform: IdentityTransform(layout: .reference), noiseMultiplier: 0)
        let matrix = Matrix(rows: 3, columns: 17, elements: rows.flatMap { $0 })
        let outputs = aggregate.addReturningNonPrivateOutputs(
            try DenseRows(matrix, layout: .reference, nonPrivateLosses: [0.1, 0.2, 0.3]), padding: [true, false, false])
        #expect(outputs.norms[0] == ["dense": 5, "temperature": 0])
        #expect(outputs.norms[1] == ["dense": 0, "temperature": 2])
        #expect(outputs.norms[2]["temperature"]?.isNaN == true)
        #expect(outputs.losses == [0.1, 0.2, 0.3])
    }

    @Test func reportingNormsChangesNothing() throws {
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        var generator = SeededGenerator(seed: 41)
        let rows = try Self.denseRows((0..<90).map { _ in (0..<17).map { _ in generator.float() } }, layout: .reference)
        let padding = (0..<90).map { $0 % 4 == 1 }
        var silent = try ClippedAggregate(rule, transform: IdentityTransform(layout: .reference), noiseMultiplier: 0)
        silent.add(rows, padding: padding)
        var reporting = try ClippedAggregate(rule, transform: IdentityTransform(layout: .reference), noiseMultiplier: 0)
        let outputs = reporting.addReturningNonPrivateOutputs(rows, padding: padding)
        #expect(Array(silent.sum.values.buffer) == Array(reporting.sum.values.buffer))
        #expect(outputs.norms.count == 90 && outputs.norms.allSatisfy { $0[.root]! > 0 })
    }

    // MARK: The noise of an aggregate

    /// The empirical σ of what comes out of an empty batch, per coordinate divided by what it should be.
    private static func deviation(_ values: [Float], expected: (Int) -> Double) -> Double {
        let square = values.indices.reduce(0.0) { sum, index in
            let z = Double(values[index]) / expected(index)
            return sum + z * z
        }
        return (square / Double(values.count)).squareRoot()
    }

    /// Six standard errors of an empirical σ over n normals: a false alarm in 5·10⁸ runs.
    private static func isOne(_ deviation: Double, count: Int) -> Bool {
        abs(deviation - 1) < 6 / (2 * Double(count)).squareRoot()
    }

    @Test(arguments: [0.01, 0.4, 1, 30])
    func noiseHasTheStandardDeviationThatIsPromised(noiseMultiplier: Double) throws {
        let layout = flatLayout(1_000_000)
        let rule = try ClippingRule.flat(l2ClipNorm: 3, normalizeBy: 8)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 51)
        let aggregate = try ClippedAggregate(
            rule, transform: IdentityTransform(layout: layout), noise: .floatingPointGaussian,
            noiseMultiplier: noiseMultiplier)
        let values = try aggregate.privatized(noise: &noise).vector.values
        let sigma = noiseMultiplier * 3 / 8
        #expect(Self.isOne(Self.deviation(values) { _ in sigma }, count: values.count))
        // The controls: a σ that is off by two percent, by a third, by a half.
        for factor in [0.98, 2.0 / 3, 1.5] {
            #expect(!Self.isOne(Self.deviation(values) { _ in sigma * factor }, count: values.count))
        }
    }

    @Test func noiseUnderADiagonalTransformBelongsToTheTransformedSpace() throws {
        let layout = flatLayout(400_000)
        let scale = try ParameterVector(
            values: (0..<layout.count).map { $0 % 2 == 0 ? 100 : 0.01 }, layout: layout)
        let transform = try DiagonalTransform(scale: scale)
        let rule = try ClippingRule.flat(l2ClipNorm: 2)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 52)
        let transformed = try ClippedAggregate(
            rule, transform: transform, noise: .floatingPointGaussian, noiseMultiplier: 1.5
        )
        .noised(noise: &noise).vector.values
        #expect(Self.isOne(Self.deviation(transformed) { _ in 3 }, count: transformed.count))
        let gradient = try ClippedAggregate(
            rule, transform: transform, noise: .floatingPointGaussian, noiseMultiplier: 1.5
        )
        .privatized(noise: &noise).vector.values
        #expect(
            Self.isOne(Self.deviation(gradient) { 3 / Double(scale.values[$0]) }, count: gradient.count))
        // The control: noise that was not taken back with the rest.
        #expect(!Self.isOne(Self.deviation(gradient) { _ in 3 }, count: gradient.count))
    }

    @Test func aggregatesThatShareAStreamNeverShareNoise() throws {
        let layout = flatLayout(10_001)
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 53)
        let draws = try (0..<3).map { _ in
            try ClippedAggregate(
                rule, transform: IdentityTransform(layout: layout), noise: .floatingPointGaussian, noiseMultiplier: 1
            )
            .privatized(noise: &noise).vector.values.map(\.bitPattern)
        }
        // Two of 30,003 Float32 normals coincide now and then; two pairs in a row do not (2⁻⁴⁰ per pair of places).
        let pairs = draws.flatMap { draw in zip(draw, draw.dropFirst()).map { UInt64($0) << 32 | UInt64($1) } }
        #expect(Set(pairs).count == pairs.count)
    }

    @Test func productsThatLeaveFloat64AreRefused() throws {
        let aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1e-100, normalizeBy: 1e100), transform: IdentityTransform(layout: .reference),
            noise: .floatingPointGaussian, noiseMultiplier: 1e-200)
        var noise = Noise(.floatingPointGaussian)
        do {
            _ = try aggregate.privatized(noise: &noise).vector
            Issue.record("A σ of 1e-400 was taken for noise.")
        } catch {
            #expect(error == .invalidNoiseMultiplier(1e-200))
        }
    }

    @Test func aFailedPrivatizationLeavesNothingInTheWorkspace() throws {
        let workspace = GradientWorkspace()
        let layout = flatLayout(50)
        let ones = try DenseRows(
            Matrix(rows: 1, columns: 50, elements: [Float](repeating: 1, count: 50)), layout: layout)
        var noise = Noise(.floatingPointGaussian)
        do {
            // Never released: its memory, which is not zero, must not come back.
            var abandoned = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noise: .floatingPointGaussian,
                noiseMultiplier: 1, workspace: workspace)
            abandoned.add(ones)
        }
        let next = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noise: .floatingPointGaussian,
            noiseMultiplier: 1, workspace: workspace)
        #expect(next.sum.values.buffer.allSatisfy { $0 == 0 })
        _ = try next.privatized(noise: &noise).vector
        let smaller = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: flatLayout(20)), noise: .floatingPointGaussian,
            noiseMultiplier: 1, workspace: workspace)
        #expect(smaller.sum.values.count == 20)
    }

    // MARK: Bad input

    @Test(arguments: [-1, .nan, .infinity] as [Double], [NoiseScheme.discreteGaussian, .floatingPointGaussian])
    func badNoiseMultipliersAreRefused(value: Double, noise: NoiseScheme) throws {
        let error = #expect(throws: PrivacyMechanismError.self) {
            _ = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: .reference), noise: noise,
                noiseMultiplier: value)
        }
        guard case .invalidNoiseMultiplier = error else { throw error! }
    }

    @Test(arguments: [NoiseScheme.discreteGaussian, .floatingPointGaussian])
    func noNoiseHidesAnUnboundedSum(noise: NoiseScheme) throws {
        #expect(throws: PrivacyMechanismError.unboundedSensitivity(noiseMultiplier: 1)) {
            _ = try ClippedAggregate(
                .flat(l2ClipNorm: .infinity), transform: IdentityTransform(layout: .reference), noise: noise,
                noiseMultiplier: 1)
        }
    }

    @Test func gradientsOfAnotherLayoutTrap() async {
        await #expect(processExitsWith: .failure) {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: try TreeLayout([("a", [3])])),
                noiseMultiplier: 0)
            aggregate.add(try DenseRows(Matrix(rows: 1, columns: 3), layout: try TreeLayout([("b", [3])])))
        }
    }

    @Test func paddingOfAnotherLengthTraps() async {
        await #expect(processExitsWith: .failure) {
            let layout = try TreeLayout([("a", [3])])
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noiseMultiplier: 0)
            aggregate.add(try DenseRows(Matrix(rows: 2, columns: 3), layout: layout), padding: [false])
        }
    }
}
