/// Layers that couple examples, and what to use in their place: no one example's gradient is a function of that
/// example alone with them, so that clipping bounds nothing.
enum CoupledLayer: String, CaseIterable {
    case batchNorm, batchNormalization, syncBatchNorm, contrastive, mixtureOfExperts

    /// Why there is no such layer, and what to use.
    var remedy: String {
        switch self {
        case .batchNorm, .batchNormalization, .syncBatchNorm:
            "A layer '\(rawValue)' normalises over the examples of a batch, so that an example's gradient depends on "
                + "the others and cannot be clipped by itself: use layerNorm, rmsNorm or groupNorm."
        case .contrastive:
            "A contrastive loss compares the examples of a batch, so that an example's gradient depends on the others: "
                + "compare within one example, and use softmaxCrossEntropy or squaredError."
        case .mixtureOfExperts:
            "A mixture of experts balances its load over the examples of a batch, so that an example's gradient "
                + "depends on the others: use dense layers."
        }
    }
}
