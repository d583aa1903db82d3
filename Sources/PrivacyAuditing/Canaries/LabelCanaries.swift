import Datasets
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PrivateTraining
import PyTrees

/// The canaries of one run, in the space of inputs: examples with wrong labels.
///
/// The last examples of the plan are canaries: those of the data, or, where the data have that many less, copies of the
/// first. A canary that is in has a label that is drawn from the wrong ones; one that is not is not there, or has its
/// right label where the promise is to replacements. Everything else is the run's.
struct LabelCanaries: CanaryInsertion {
    let plan: PrivacyPlan
    let coins: CanaryCoins
    private let data: any Dataset
    private let firstCanary: Int
    private let wrong: [Int]

    /// - Throws: ``AuditingError`` for data without classes, what the data throw when they are read.
    init(
        _ plan: PrivacyPlan, count: Int, data: any Dataset, using generator: inout some RandomNumberGenerator
    ) throws {
        coins = CanaryCoins(count: count, using: &generator)
        self.plan = plan
        self.data = data
        firstCanary = plan.sampling.exampleCount - count
        let places = (0..<count).map { [firstCanary] in ($0 + firstCanary) % data.count }
        guard case .classes(let labels, let classCount) = try data.examples(at: places).targets, classCount > 1 else {
            throw AuditingError.noClasses
        }
        wrong = labels.map { ($0 + .random(in: 1..<classCount, using: &generator)) % classCount }
    }

    /// Whether an index is of a canary, and not of an ordinary example.
    private func isCanary(_ index: Int) -> Bool { index >= firstCanary }

    /// The canaries that are not there among `indices`.
    private func absent(_ indices: [Int]) -> [Int] {
        if plan.relation == .replaceOne { return [] }
        return indices.indices.filter { isCanary(indices[$0]) && !coins.isIncluded[indices[$0] - firstCanary] }
    }

    /// The examples of a block, canaries with the labels that they have in this run.
    func examples(at indices: [Int]) throws -> Examples {
        try labelled(indices) { isCanary($0) && coins.isIncluded[$0 - firstCanary] }
    }

    /// Canaries with their wrong labels, whether they are in or not.
    private func wrongExamples(_ canaries: Range<Int>) throws -> Examples {
        try labelled(canaries.map { firstCanary + $0 }) { _ in true }
    }

    private func labelled(_ indices: [Int], isWrong: (Int) -> Bool) throws -> Examples {
        let examples = try data.examples(at: indices.map { $0 % data.count })
        guard case .classes(var labels, let classCount) = examples.targets else { throw AuditingError.noClasses }
        for (place, index) in indices.enumerated() where isWrong(index) { labels[place] = wrong[index - firstCanary] }
        return Examples(
            inputs: examples.inputs, targets: .classes(labels, classCount: classCount), lengths: examples.lengths)
    }

    var keepsFactors: Bool { true }

    func asked(for index: Int) -> Int { index }

    /// The gradients of a block without those of canaries that are not there.
    func inserted(into base: FactoredGradients, at indices: [Int]) -> FactoredGradients {
        base.replacing(absent(indices).map { CanaryRow(example: $0, column: nil, value: 0) })
    }

    /// The same as rows.
    func inserted(into base: some PerExampleGradients, at indices: [Int]) -> DenseRows {
        let absent = Set(absent(indices))
        var rows = Matrix(rows: indices.count, columns: base.layout.count)
        for place in indices.indices where !absent.contains(place) {
            rows.withMutableRow(place) { base.copyGradient(of: place, into: &$0) }
        }
        return DenseRows(canaries: rows, layout: base.layout)
    }

    /// By how much the loss of each canary's wrong label fell in training.
    func scores<Model: TrainableModel>(
        _ model: Model, from initial: Model.Parameters, to final: Model.Parameters
    ) throws -> CanaryScores {
        var workspace = model.makeWorkspace()
        var (included, excluded) = ([Double](), [Double]())
        for begin in stride(from: 0, to: wrong.count, by: 512) {
            let canaries = begin..<min(begin + 512, wrong.count)
            let examples = try wrongExamples(canaries)
            let before = model.outputsAndLosses(of: examples, at: initial, workspace: &workspace).losses
            let after = model.outputsAndLosses(of: examples, at: final, workspace: &workspace).losses
            for canary in canaries {
                let fall = Double(before[canary - begin]) - Double(after[canary - begin])
                let score = fall.isNaN ? -Double.infinity : fall
                if coins.isIncluded[canary] { included.append(score) } else { excluded.append(score) }
            }
        }
        return try CanaryScores(included: included, excluded: excluded)
    }
}
