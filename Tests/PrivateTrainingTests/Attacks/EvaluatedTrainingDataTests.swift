import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateTraining
import Testing

/// Attack: have the training examples evaluated without noise, by giving them as the other examples.
@Suite struct EvaluatedTrainingDataTests {
    private static func fit(_ training: some Dataset, evaluatingOn evaluation: any Dataset) throws {
        let plan = try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: training.count, samplingProbability: 0.1)), iterations: 1,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1), delta: 1e-5)
        let trainer = try Trainer(
            plan: plan, model: Network(.softmaxRegression(features: 2, classes: 2)),
            optimizer: IdentityAugmented(sgd(learningRate: 0.1)))
        _ = try trainer.fit(training, evaluatingOn: evaluation)
    }

    /// More examples than are compared at once, so that the last one is in another block than the first.
    @Test func aTrainerRefusesItsTrainingData() throws {
        let data = try twoClouds(1500, seed: 1)
        let copy = InMemoryDataset(inputs: data.inputs, targets: .classes(data.classes, classCount: 2))
        for evaluation in [data, copy] as [any Dataset] {
            #expect(throws: TrainingError.evaluatesOnTrainingData(exampleCount: 1500)) {
                try Self.fit(data, evaluatingOn: evaluation)
            }
        }
        let message = TrainingError.evaluatesOnTrainingData(exampleCount: 1500).description
        #expect(message.contains("1500") && message.contains("Evaluate on other data"))
        // Controls: one number of the last example is another; its class is; other data of the same size.
        var inputs = data.inputs
        inputs[1499, 1] += 1
        var classes = data.classes
        classes[1499] = 1 - classes[1499]
        let others = [
            ListedDataset(inputs: inputs, classes: data.classes, classCount: 2),
            ListedDataset(inputs: data.inputs, classes: classes, classCount: 2), try twoClouds(1500, seed: 2),
        ]
        for other in others { try Self.fit(data, evaluatingOn: other) }
    }

    /// What is compared are examples in their order: a part is not the whole, and is not found out.
    @Test func sizesAreCompared() throws {
        let data = try twoClouds(100, seed: 1)
        let memory = InMemoryDataset(inputs: data.inputs, targets: .classes(data.classes, classCount: 2))
        #expect(try memory.hasSameExamples(as: data) && data.hasSameExamples(as: memory))
        #expect(try !memory.hasSameExamples(as: memory.prefix(99)))
        let wide = InMemoryDataset(
            inputs: Matrix(rows: 100, columns: 3), targets: .classes(data.classes, classCount: 2))
        #expect(try !memory.hasSameExamples(as: wide))
    }

    /// The library's own reader of folders refuses them, too, and names both files.
    @Test func aFolderWithTheSameImagesTwiceIsRefused() throws {
        let folder = try TemporaryFolder()
        func bigEndian(_ number: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(number >> $0 & 255) } }
        let header: [UInt8] = [0, 0, 8, 3] + bigEndian(3) + bigEndian(2) + bigEndian(2)
        let images = header + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        let labels: [UInt8] = [0, 0, 8, 1] + bigEndian(3) + [1, 2, 3]
        _ = try folder.write(labels, "train-labels-idx1-ubyte")
        _ = try folder.write(labels, "t10k-labels-idx1-ubyte")
        let train = try folder.write(images, "train-images-idx3-ubyte")
        let test = try folder.write(gzipped(images), "t10k-images-idx3-ubyte.gz")
        let expected = DatasetError.testsOnTrainingExamples(train: train, test: test)
        #expect(throws: expected) { try IdxFolder(folder.path) }
        #expect(expected.description.contains(train) && expected.description.contains(test))
        // Control: one pixel is another.
        _ = try folder.write(gzipped(images.dropLast() + [13]), "t10k-images-idx3-ubyte.gz")
        #expect(try IdxFolder(folder.path).test.count == 3)
    }
}
