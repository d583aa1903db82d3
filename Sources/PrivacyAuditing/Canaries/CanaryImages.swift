import PrivacyMechanisms
import PyTrees

/// What a transform makes of canaries' directions.
struct CanaryImages {
    private enum Map {
        case identity
        case scale(ParameterVector)
        case general(any GeneralTransform)
    }

    private let map: Map
    private let layout: TreeLayout

    init(of transform: some PreClippingTransform) {
        layout = transform.parameterLayout
        switch transform.form {
        case .identity: map = .identity
        case .diagonal(let scale): map = .scale(scale)
        case .rankOne(let rankOne):
            // Element by element: what it makes of ones is its scale.
            map = .scale(rankOne.image(of: ParameterVector(repeating: 1, layout: layout)))
        case .general(let general): map = .general(general)
        }
    }

    /// T(d): its columns, and their values.
    func image(of direction: PlacedDirections.Direction) -> (columns: [Int], values: [Double]) {
        switch map {
        case .identity: return (direction.columns, direction.values.map(Double.init))
        case .scale(let scale):
            return (
                direction.columns,
                zip(direction.columns, direction.values).map { Double(scale.values[$0]) * Double($1) }
            )
        case .general(let general):
            var gradient = ParameterVector(zeros: layout)
            gradient.withMutableSpan { direction.write(to: &$0) }
            let image = general.image(of: gradient)
            return (Array(0..<image.count), image.values.map(Double.init))
        }
    }
}
