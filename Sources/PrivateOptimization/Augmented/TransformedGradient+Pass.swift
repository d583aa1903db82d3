import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Requirements

extension TransformedGradient {
    /// Takes the transform back and steps: `links` appends what an optimizer does to the gradient, and hands on to the
    /// addition to `parameters`. All of it is one trip through memory where the transform is diagonal or the identity.
    ///
    /// The transform is let go of on return, so that a state that shares it then changes in place.
    ///
    /// Of a gradient that is scattered over ranks, each of them steps with its own columns, and gets the parameters of
    /// all others from them.
    package consuming func step(
        _ parameters: inout ParameterVector,
        links: (_ pass: inout UpdatePass, _ next: (inout UpdatePass) -> Void) -> Void
    ) {
        let ranks = scattered
        let part = ranks.map { UpdatePart($0.share(ofColumns: parameters.count)) }
        let inversion = inversion()
        UpdatePass.step(&inversion.memory.vector, parameters: &parameters, part: part) { pass in
            Self.divide(&pass, by: inversion.divisor) { links(&$0, UpdatePass.addToParameters) }
        }
        ranks.map { parameters.gather(from: $0) }
    }

    /// Takes the transform back and returns the updates that `links` make, without adding them to `parameters`.
    package consuming func updates(
        for parameters: ParameterVector,
        links: (_ pass: inout UpdatePass, _ next: (inout UpdatePass) -> Void) -> Void
    ) -> ParameterVector {
        require(scattered == nil, "Updates of all columns were asked for of a gradient that is scattered over ranks.")
        let inversion = inversion()
        UpdatePass.update(&inversion.memory.vector, parameters: parameters) { pass in
            Self.divide(&pass, by: inversion.divisor) { pass in links(&pass) { $0.finishPending() } }
        }
        return inversion.memory.vector
    }

    private static func divide(
        _ pass: inout UpdatePass, by divisor: GradientDivisor?, _ body: (inout UpdatePass) -> Void
    ) {
        switch divisor {
        case nil: body(&pass)
        case .elements(let divisor): pass.withDivision(by: divisor, body)
        case .rankOne(let map):
            pass.append(RankOneDivision(map: map))
            body(&pass)
        }
    }
}

private struct RankOneDivision: UpdateOperation {
    let map: RankOneTransform

    func apply(to block: UpdateBlock) {
        map.divide(block.updates, block.offset..<block.offset + block.count)
    }
}

extension GradientTransformation {
    /// Takes one step on a gradient that noise made private.
    ///
    /// Traps unless the gradient has the layout of `state` and `parameters`.
    public func step(
        _ gradient: consuming PrivateGradient, state: inout State, parameters: inout ParameterVector
    ) {
        var vector = gradient.vector
        step(&vector, state: &state, parameters: &parameters)
    }

    /// Takes one step on a gradient that noise made private, with parameters that are a tree.
    ///
    /// Traps unless the gradient has the layout of `state` and `parameters`.
    public func step<Tree: PyTree>(
        _ gradient: consuming PrivateGradient, state: inout State, parameters: inout Tree
    ) {
        var vector = parameters.vector()
        step(gradient, state: &state, parameters: &vector)
        parameters.overwriteLeaves(with: vector)
    }
}
