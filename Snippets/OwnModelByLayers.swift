// A model of your own as a struct of layers, and the loss of one example as a function of it: the README's second
// example.
//
// The function is recorded once, and runs on blocks of examples as matrix products. Per-example gradients stay
// factored: the examples × parameters matrix is never formed.

import PrivateTraining

struct Reader: PyTree {
    var rows, head: Dense
    var block: TransformerBlock

    init() {
        var weights = InitialWeights(seed: 1)
        rows = Dense(inputs: 8, outputs: 16, weights: &weights)
        block = TransformerBlock(width: 16, heads: 2, hiddenWidth: 32, weights: &weights)
        head = Dense(inputs: 16, outputs: 10, weights: &weights)
    }

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("rows", &rows)
        try visitor.visit("block", &block)
        try visitor.visit("head", &head)
    }
}

func readDigits(_ data: InMemoryDataset, _ plan: PrivacyPlan, seed: UInt64? = nil) throws -> Evaluation {
    let model = FunctionModel(parameters: Reader(), featureCount: 64) { model, example in
        let rows = model.block(model.rows(example.sequence(positions: 8)))
        return softmaxCrossEntropy(model.head(rows.mean(over: .positions)), example.label)
    }
    let trainer = try Trainer(
        plan: plan, model: model, optimizer: adam(learningRate: 0.02), options: TrainingOptions(nonPrivateSeed: seed))
    let outcome = try trainer.fit(data)
    return try model.evaluate(on: Digits.split.test, at: outcome.parameters)
}

// snippet.hide
let training = Digits.split.train
let plan = try PrivacyPlan(
    exampleCount: training.count, expectedBatchSize: 50, epochs: 3, clipping: .flat(l2ClipNorm: 1),
    budget: .epsilon(8), delta: 1e-5)
let evaluation = try readDigits(training, plan)
print(evaluation)
// A model that learned nothing is right in a tenth of the cases.
precondition(evaluation.accuracy! > 0.3)
