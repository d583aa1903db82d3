import Datasets
import PrivacyMechanisms
import PyTrees
import Requirements

extension TrainableModel {
    /// Compares each example's gradient with central differences of its loss.
    ///
    /// For each chosen parameter θ, with h = 2⁻⁵·max(1, |θ|), r = 2⁻¹⁷·max(1, |L|)/h, and D and B the mean and the
    /// difference of the slopes on the two sides of θ:
    ///
    ///     D(h) = (L(θ + h) − L(θ − h)) / 2h,  B(h) = (L(θ + h) − 2 L(θ) + L(θ − h)) / h
    ///     |gradient − D(h/2)| ≤ 2·|D(h) − D(h/2)| + 4r,  unless |B(h/2)| > ⅔·|B(h)| + r
    ///
    /// - Truncation: D(h/2) is off by h²·L‴/24 + …, a third of |D(h) − D(h/2)|.
    /// - Rounding: losses are Float32, and taken to be right within 16 roundings, 2⁻²⁰·max(1, |L|), as sums of some 250
    ///   terms are. This moves D(h/2) by at most r/4, and B(h/2) by r.
    /// - Kinks of ReLUs and maxima: where the loss is smooth, B is h·L″ + … and halves with h; at a kink at a distance
    ///   of d < h/4 it shrinks to (1 − 2d/h)/(1 − d/h) > ⅔. Such elements are passed over and counted. A kink further
    ///   away moves D(h/2) by less than 2·|D(h) − D(h/2)|, and one that rounding hides, of a jump of at most 7r, by
    ///   3.5r.
    /// - Losses that are infinite or not numbers: nothing can be compared with them. Such elements are counted, and a
    ///   leaf of which nothing was compared does not pass.
    ///
    /// It finds what trains badly (a factor, a sign, a term that is missing), not errors below the tolerance,
    /// which is 10⁻³ for parameters and losses of up to 1. Choose parameters and examples at which gradients are
    /// larger: random ones, not zeros.
    ///
    /// **Not private**: for examples that are public or made up.
    ///
    /// - `elementsPerLeaf`: how many elements of each leaf are compared, chosen by `seed`; nil for all.
    /// - Complexity: four times the gradients of all examples for each compared parameter.
    ///
    /// Traps unless examples and parameters fit the model, and for a model that says no losses.
    public func checkGradients(
        of examples: Examples, at parameters: Parameters, elementsPerLeaf: Int? = 16, seed: UInt64 = 0
    ) -> GradientCheck {
        require(
            elementsPerLeaf ?? 1 >= 1, "\(elementsPerLeaf ?? 0) elements of each leaf were asked for; 1 is the least.")
        let vector: ParameterVector
        do throws(PyTreeError) {
            vector = try parameters.flattened()
        } catch {
            fail(error.description)
        }
        var workspace = makeWorkspace()
        let gradients = gradients(of: examples, at: parameters, workspace: &workspace)
        let rows = (0..<examples.count).map { example in
            var row = [Float](repeating: 0, count: layout.count)
            var span = row.mutableSpan
            gradients.copyGradient(of: example, into: &span)
            return row
        }
        func losses(_ changed: ParameterVector) -> [Double] {
            let found = self.gradients(of: examples, at: parameters.holding(changed), workspace: &workspace)
            guard let losses = found.nonPrivateLosses else {
                fail("The model says no losses, and its gradients have nothing to be compared with.")
            }
            return losses.map(Double.init)
        }
        let center = losses(vector)
        var elements: [GradientCheck.Element] = []
        var (kinkCount, nonFiniteCount) = (0, 0)
        var generator = SplitMix64(seed: seed)
        for leaf in layout.leaves {
            for column in leaf.range.chosen(elementsPerLeaf, &generator) {
                let step = 0x1p-5 * max(1, abs(vector.values[column]))
                let wide = Slopes(center, column, step, vector, losses)
                let narrow = Slopes(center, column, step / 2, vector, losses)
                for example in 0..<examples.count {
                    let rounding = 0x1p-17 * max(1, abs(center[example])) / Double(step)
                    guard wide.isFinite(example), narrow.isFinite(example) else {
                        nonFiniteCount += 1
                        continue
                    }
                    let (bend, wideBend) = (abs(narrow.bend(example)), abs(wide.bend(example)))
                    if bend > wideBend * 2 / 3 + rounding {
                        kinkCount += 1
                        continue
                    }
                    let difference = narrow.central(example)
                    elements.append(
                        GradientCheck.Element(
                            example: example, path: leaf.path, index: column - leaf.range.lowerBound,
                            gradient: Double(rows[example][column]), difference: difference,
                            tolerance: 2 * abs(wide.central(example) - difference) + 4 * rounding))
                }
            }
        }
        return GradientCheck(elements, kinkCount: kinkCount, nonFiniteCount: nonFiniteCount, layout: layout)
    }
}

/// The slopes of each example's loss on the two sides of a parameter.
private struct Slopes {
    let below: [Double]
    let above: [Double]

    init(
        _ center: [Double], _ column: Int, _ step: Float, _ vector: ParameterVector,
        _ losses: (ParameterVector) -> [Double]
    ) {
        func slopes(_ step: Float) -> [Double] {
            var changed = vector
            changed.withUnsafeMutableValues { $0[column] += step }
            // The step that was taken, which rounding makes another one.
            let taken = Double(changed.values[column]) - Double(vector.values[column])
            return zip(losses(changed), center).map { ($0 - $1) / taken }
        }
        below = slopes(-step)
        above = slopes(step)
    }

    func central(_ example: Int) -> Double { (below[example] + above[example]) / 2 }

    func isFinite(_ example: Int) -> Bool { below[example].isFinite && above[example].isFinite }

    func bend(_ example: Int) -> Double { above[example] - below[example] }
}

extension Range<Int> {
    /// Up to `count` of its numbers, or all, ascending.
    fileprivate func chosen(_ count: Int?, _ generator: inout SplitMix64) -> [Int] {
        guard let count, count < self.count else { return Array(self) }
        var numbers = Array(self)
        for index in 0..<count {
            numbers.swapAt(index, index + Int(generator.next() % UInt64(numbers.count - index)))
        }
        return numbers[..<count].sorted()
    }
}
