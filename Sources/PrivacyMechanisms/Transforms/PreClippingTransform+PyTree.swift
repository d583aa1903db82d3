import LinearAlgebra
import PyTrees
import Requirements

extension PreClippingTransform {
    /// T(g) of one gradient that is a tree, in the transformed layout. Traps if its leaves are not those that the map
    /// takes.
    public func transformed(_ gradient: some PyTree) -> ParameterVector {
        var result = gradient.vector(as: parameterLayout)
        switch form {
        case .identity: break
        case .diagonal(let scale):
            result.withUnsafeMutableValues { result in
                for index in result.indices { result[index] *= scale.values[index] }
            }
        case .rankOne(let map): result = map.image(of: result)
        case .general(let map): result = map.image(of: result)
        }
        return result
    }

    /// Replaces a gradient by T(g), in the same tree. Traps unless its leaves are those that the map takes and gives.
    public func transform(_ gradient: inout some PyTree) {
        require(
            parameterLayout == transformedLayout,
            """
            A transform from\n\(parameterLayout)\nto\n\(transformedLayout)\nhas no result in a tree of the first \
            kind.
            """)
        gradient.overwriteLeaves(with: transformed(gradient))
    }

    /// T⁻¹(y), in a tree like `parameters`. Traps unless `transformed` has the layout that the map gives, and
    /// `parameters` have that of the gradients that it takes.
    public func inverse<Tree: PyTree>(_ transformed: ParameterVector, like parameters: Tree) -> Tree {
        TransformedGradient(transformed, transform: self).inverted().tree(like: parameters)
    }
}

extension GeneralTransform {
    /// T(g) of one gradient, in the layout that the map takes.
    package func image(of gradient: ParameterVector) -> ParameterVector {
        var result = ParameterVector(zeros: transformedLayout)
        result.withMutableSpan { image in
            // On one thread, as in a pass over a batch: the same gradient has the same image in every bit.
            Threads.withoutTeams { transform(gradient.values.span, into: &image) }
        }
        return result
    }
}

extension DiagonalTransform {
    /// A scale that is a tree like the parameters; throws `invalidScale` unless all of its leaves hold positive, finite
    /// numbers.
    public init(scale: some PyTree) throws(PrivacyMechanismError) {
        try self.init(scale: scale.vector())
    }
}

extension IdentityTransform {
    /// The identity on gradients like `parameters`.
    public init(like parameters: some PyTree) {
        self.init(layout: parameters.requiredLayout)
    }
}

extension LinearProjection {
    /// A projection of gradients like `parameters` onto the columns of `basis`. Traps unless the basis has a row for
    /// each parameter.
    public init(like parameters: some PyTree, basis: Matrix) {
        self.init(parameters.requiredLayout, basis: basis)
    }

    /// A projection of gradients like `parameters` onto random directions. The seed is public.
    ///
    /// Traps unless there are from 1 to as many dimensions as parameters.
    public init(like parameters: some PyTree, dimensions: Int, seed: UInt64) {
        self.init(parameters.requiredLayout, dimensions: dimensions, seed: seed)
    }
}
