import Differentiation

extension NetworkArchitecture {
    /// Throws unless the loss takes such outputs, and none of the layers gives away what it asks for.
    func checkLoss(of outputs: LayerShape) throws(ModelError) {
        if loss == .logistic && outputs.count != 1 { throw .logisticNeedsOneOutput(outputs: outputs.count) }
        guard loss == .nextToken else { return }
        guard case .tokens(let length, let vocabulary) = input else { throw .nextTokenNeedsTokens }
        if outputs.dimensions != [length, vocabulary] {
            throw .nextTokenNeedsScores(outputs: outputs.dimensions, positions: length, vocabulary: vocabulary)
        }
        for (index, layer) in layers.enumerated() where layer.blueprint.seesLaterPositions {
            throw .nextTokenIsSeen(kind: type(of: layer.blueprint).kind, layer: index)
        }
    }
}
