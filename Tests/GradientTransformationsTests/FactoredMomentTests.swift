import Foundation
import GradientTransformations
import LinearAlgebra
import PyTrees
import Testing

/// Second moments of rows and columns.
@Suite struct FactoredMomentTests {
    /// Which axes are factored, as optax chooses them: the longest two, of equally long ones the last.
    @Test func axes() throws {
        #expect(FactoredAxes(shape: [], minimumSide: 1) == nil)
        #expect(FactoredAxes(shape: [9], minimumSide: 1) == nil)
        #expect(FactoredAxes(shape: [9, 0], minimumSide: 1) == nil)
        #expect(FactoredAxes(shape: [9, 3], minimumSide: 4) == nil)
        let matrix = try #require(FactoredAxes(shape: [9, 3], minimumSide: 3))
        #expect((matrix.rows, matrix.columns, matrix.slices) == (9, 3, 1))
        #expect((matrix.rowShape, matrix.columnShape) == ([9], [3]))
        let apart = try #require(FactoredAxes(shape: [4, 3, 5, 2], minimumSide: 4))
        #expect((apart.outer, apart.rows, apart.middle, apart.columns, apart.inner) == (1, 4, 3, 5, 2))
        #expect((apart.rowShape, apart.columnShape) == ([4, 3, 2], [3, 5, 2]))
        let equal = try #require(FactoredAxes(shape: [2, 2, 2], minimumSide: 2))
        #expect((equal.outer, equal.rows, equal.columns) == (2, 2, 2))
    }

    /// Elements and means find each other by the subscripts of the shapes.
    @Test(arguments: [[4, 3], [2, 5, 3, 4], [4, 3, 5], [5, 4, 2]]) func indices(_ shape: [Int]) throws {
        let axes = try #require(FactoredAxes(shape: shape, minimumSide: 1))
        func index(_ subscripts: [Int], _ shape: [Int]) -> Int {
            zip(subscripts, shape).reduce(0) { $0 * $1.1 + $1.0 }
        }
        let longest = shape.indices.sorted { (shape[$0], $0) < (shape[$1], $1) }.suffix(2).sorted()
        func without(_ axis: Int, _ values: [Int]) -> [Int] { Array(values[..<axis] + values[(axis + 1)...]) }
        axes.forEachElement { element, row, column in
            var (rest, subscripts) = (element, [Int](repeating: 0, count: shape.count))
            for axis in shape.indices.reversed() {
                subscripts[axis] = rest % shape[axis]
                rest /= shape[axis]
            }
            #expect(row == index(without(longest[1], subscripts), axes.rowShape))
            #expect(column == index(without(longest[0], subscripts), axes.columnShape))
            #expect(axes.slice(ofRow: row) == axes.slice(ofColumn: column))
        }
    }

    /// A gradient of rank one has a moment of rank one: every element becomes its sign.
    @Test func gradientsOfRankOneBecomeSigns() throws {
        var generator = SeededGenerator(seed: 1)
        let layout = try TreeLayout([("a", [130, 140])])
        let rows = (0..<130).map { _ in generator.float(-2...2) }
        let columns = (0..<140).map { _ in generator.float(-2...2) }
        let gradient = try ParameterVector(values: rows.flatMap { row in columns.map { row * $0 } }, layout: layout)
        let link = try ScaleByFactoredRMS()
        var state = link.initialState(for: gradient)
        #expect(state.secondMoment.layout == (try TreeLayout([("a/rows", [130]), ("a/columns", [140])])))
        var updates = gradient
        link.update(&updates, state: &state, parameters: gradient)
        for (update, value) in zip(updates.values, gradient.values) {
            // Roundings: of the gradient, of two factors, of a product and a quotient.
            #expect(abs(update - (value < 0 ? -1 : 1)) <= 8 * 0x1p-24)
        }
        // The control: another gradient's are no signs.
        updates = gradient.map { $0 + 1 }
        link.update(&updates, state: &state, parameters: gradient)
        #expect(updates.values.contains { abs(abs($0) - 1) > 0.1 })
    }

    /// The same bits on one thread and on many, in tiles and pieces of every kind.
    @Test func threadsDoNotShow() async {
        await #expect(processExitsWith: .success) {
            Threads.sharesSmallWork = true
            for shape in [[300, 5000], [20, 128], [3, 130, 140], [130, 3, 140], [130, 140, 3]] {
                var generator = SeededGenerator(seed: 3)
                let layout = try TreeLayout([("first", [7]), ("a", shape)])
                let gradient = ParameterVector.random(layout: layout, using: &generator)
                let link = try adafactor(learningRate: 0.1, minimumFactoredSide: 20)
                func run(_ threads: Int) throws -> ParameterVector {
                    Threads.limit = threads
                    var (state, updates) = (try link.initialState(for: gradient), gradient)
                    for _ in 0..<2 { link.update(&updates, state: &state, parameters: gradient) }
                    return updates
                }
                let (one, many) = (try run(1), try run(4))
                precondition(one.values.map(\.bitPattern) == many.values.map(\.bitPattern))
            }
        }
    }

    /// A gradient of zero where others were, and where none was, divides by no zero.
    @Test func zerosStay() throws {
        let layout = try TreeLayout([("a", [3, 2]), ("b", [2])])
        let link = try ScaleByFactoredRMS(minimumFactoredSide: 2)
        let zeros = ParameterVector(zeros: layout)
        var (state, updates) = (link.initialState(for: zeros), zeros)
        link.update(&updates, state: &state, parameters: zeros)
        #expect(updates == zeros)
        updates = try ParameterVector(values: [1e19, 0, 0, 0, 0, 0, 0, 1], layout: layout)
        link.update(&updates, state: &state, parameters: zeros)
        #expect(updates.values.allSatisfy(\.isFinite) && updates.values[0] > 0)
        #expect(updates.values[1...6].allSatisfy { $0 == 0 })
    }

    @Test func updatesAreClippedByLeaf() throws {
        let layout = try TreeLayout([("a", [2]), ("b", [2]), ("none", [0])])
        let updates = try ParameterVector(values: [3, 4, 0.3, 0.4], layout: layout)
        let link = try ClipByBlockRMS(1)
        var (clipped, state) = (updates, EmptyState())
        link.update(&clipped, state: &state, parameters: updates)
        let factor = Float(1 / 12.5.squareRoot())
        #expect(clipped.values == [3 * factor, 4 * factor, 0.3, 0.4])
    }

    @Test func updatesAreAsLargeAsParameters() throws {
        let layout = try TreeLayout([("a", [2]), ("b", [2])])
        let parameters = try ParameterVector(values: [3, 4, 0, 1e-9], layout: layout)
        let ones = ParameterVector(repeating: 1, layout: layout)
        var (scaled, state) = (ones, EmptyState())
        try ScaleByParameterBlockRMS().update(&scaled, state: &state, parameters: parameters)
        let size = Float(12.5.squareRoot())
        #expect(scaled.values == [size, size, 1e-3, 1e-3])
        try ScaleByParameterBlockRMS(isOn: false).update(&scaled, state: &state, parameters: parameters)
        #expect(scaled.values == [size, size, 1e-3, 1e-3])
    }

    @Test func invalidNumbersAreNamed() throws {
        let error = GradientTransformationError.self
        for side in [0, -1] {
            #expect(
                throws: error.invalidHyperparameter(
                    name: "minimumFactoredSide", value: Double(side), allowed: "at least 1")
            ) { try adafactor(learningRate: 0.1, minimumFactoredSide: side) }
        }
        for exponent in [-0.1, 1, .nan] {
            #expect(throws: error) { try adafactor(learningRate: 0.1, decayExponent: exponent) }
        }
        for threshold in [0, -1, .nan, .infinity] {
            #expect(throws: error) { try adafactor(learningRate: 0.1, clippingThreshold: threshold) }
            #expect(throws: error) { try adafactor(learningRate: 0.1, epsilon: threshold) }
        }
        #expect(throws: error) { try adafactor(learningRate: -0.1) }
        #expect(throws: error) { try adafactor(learningRate: 0.1, momentum: 1) }
        #expect(throws: error) { try adafactor(learningRate: 0.1, weightDecay: -1) }
        #expect(throws: error) { try ScaleByParameterBlockRMS(minimum: -1) }
    }

    /// A state for other leaves is refused with both layouts.
    @Test func aStateOfOtherLeavesTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let link = try ScaleByFactoredRMS(minimumFactoredSide: 2)
            var state = link.initialState(for: ParameterVector(zeros: try TreeLayout([("a", [2, 3])])))
            var updates = ParameterVector(zeros: try TreeLayout([("a", [3, 2])]))
            link.update(&updates, state: &state, parameters: updates)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("does not fit updates of layout"))
    }
}
