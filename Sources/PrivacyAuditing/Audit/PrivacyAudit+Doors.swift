import Datasets
import GradientTransformations
import Networks
import PrivacyMechanisms
import PrivateOptimization
import PrivateTraining
import PyTrees

extension PrivacyAudit {
    /// The scores of one run with an ordinary optimizer: gradients are clipped as they are.
    ///
    /// All else is as with an augmented one.
    public func scores<Model: TrainableModel, Base: GradientTransformation>(
        of model: Model, on data: some Dataset, from parameters: Model.Parameters? = nil, optimizer: Base,
        options: TrainingOptions = TrainingOptions(), onStep: (Int) throws -> Void = { _ in }
    ) throws -> CanaryScores {
        try scores(
            of: model, on: data, from: parameters, optimizer: IdentityAugmented(optimizer), options: options,
            onStep: onStep)
    }

    /// The same with gradients from anywhere.
    public func scores<Base: GradientTransformation, Parameters: ParameterStructure, Gradients: PerExampleGradients>(
        optimizer: Base, parameters: Parameters, microbatchSize: Int? = nil,
        onStep: (Int) throws -> Void = { _ in },
        gradients: (_ indices: [Int], _ parameters: Parameters) throws -> Gradients
    ) throws -> CanaryScores {
        try scores(
            optimizer: IdentityAugmented(optimizer), parameters: parameters, microbatchSize: microbatchSize,
            onStep: onStep, gradients: gradients)
    }
}
