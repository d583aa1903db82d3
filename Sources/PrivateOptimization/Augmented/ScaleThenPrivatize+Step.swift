import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Requirements

extension ScaleThenPrivatize {
    /// The base's state, and the scale for the first step.
    public func initialState(
        for parameters: ParameterVector
    ) throws(GradientTransformationError) -> ScaleThenPrivatizeState<Base.State> {
        var state = ScaleThenPrivatizeState(
            base: try base.initialState(for: parameters),
            scale: ParameterVector(repeating: 1, layout: Moment.Form.scaleLayout(of: parameters.layout)))
        if initialSecondMoment > 0 {
            moment.change(&state.base) {
                $0 = ParameterVector(repeating: Float(initialSecondMoment), layout: $0.layout)
            }
        }
        refreshScale(&state, for: parameters.layout)
        return state
    }

    /// The scale for the next step. Throws `invalidScale` if it is not positive and finite everywhere, as after a
    /// second moment that became infinite or NaN.
    public func preClippingTransform(
        for state: ScaleThenPrivatizeState<Base.State>, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> Moment.Form.Transform {
        let scaleLayout = Moment.Form.scaleLayout(of: layout)
        require(
            state.scale.layout == scaleLayout,
            "A scale of layout\n\(state.scale.layout)\ndoes not fit parameters of layout\n\(layout)")
        return try Moment.Form.transform(state.scale, of: layout, isChecked: state.isScaleChecked)
    }

    /// Divides the noisy, scaled gradient by the scale, updates by the base, and makes the next step's scale.
    public func update(
        _ gradient: consuming TransformedGradient<Moment.Form.Transform>,
        state: inout ScaleThenPrivatizeState<Base.State>, parameters: ParameterVector
    ) -> ParameterVector {
        let updates = gradient.updates(for: parameters) { base.join(&$0, state: &state.base, then: $1) }
        state.steps += 1
        refreshScale(&state, for: parameters.layout)
        return updates
    }

    /// The same, and adds the updates to the parameters in one trip through memory.
    public func step(
        _ gradient: consuming TransformedGradient<Moment.Form.Transform>,
        state: inout ScaleThenPrivatizeState<Base.State>, parameters: inout ParameterVector
    ) {
        gradient.step(&parameters) { base.join(&$0, state: &state.base, then: $1) }
        state.steps += 1
        refreshScale(&state, for: parameters.layout)
    }

    private func refreshScale(_ state: inout ScaleThenPrivatizeState<Base.State>, for parameters: TreeLayout) {
        guard state.steps >= warmUpSteps, state.steps.isMultiple(of: refreshEvery) else { return }
        let formula = PreconditionerScale(
            // Below the normal range 1/ε would be infinite.
            epsilon: max(Float(epsilon), .leastNormalMagnitude), epsilonRoot: Float(epsilonRoot), floor: Float(floor))
        var isValid = true
        moment.read(state.base) { moment in
            let isPartValid = Moment.Form.writeScale(formula, of: moment, for: parameters, to: &state.scale)
            isValid = isValid && isPartValid
        }
        state.isScaleChecked = isValid
    }
}

/// The state of scale-then-privatize: the base's, and the scale that the next step's gradients are transformed with.
///
/// Transform and inverse both read this one scale, so that they cannot disagree.
public struct ScaleThenPrivatizeState<Base: Codable & Sendable>: Codable, Sendable {
    /// The base's state. A second moment that is changed by hand shows in the scale one step later.
    public var base: Base

    /// The number of steps taken.
    public internal(set) var steps = 0

    /// The scale s for the next step: in the layout of the parameters or, over a factored moment, in that of
    /// ``/PrivacyMechanisms/RankOneTransform/scaleLayout(of:)``.
    public internal(set) var scale: ParameterVector

    /// Whether the scale was found to be positive and finite when it was made; a decoded one is looked at again.
    var isScaleChecked = false

    init(base: Base, scale: ParameterVector) {
        self.base = base
        self.scale = scale
    }

    private enum CodingKeys: CodingKey {
        case base, steps, scale
    }
}

extension ScaleThenPrivatizeState: Equatable where Base: Equatable {
    /// Whether base, steps and scale agree.
    public static func == (left: Self, right: Self) -> Bool {
        left.steps == right.steps && left.scale == right.scale && left.base == right.base
    }
}
