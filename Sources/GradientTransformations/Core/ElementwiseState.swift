import PyTrees

/// A state whose vectors all have the layout of the parameters, and whose other numbers do not depend on gradients.
///
/// Of such a state of an element-wise transformation, any part of the columns can be kept by itself: see
/// ``UpdatePart``.
package protocol ElementwiseState {
    /// Calls `body` with every vector, to change it or to put another in its place; in the same order each time.
    mutating func changeVectors(_ body: (inout ParameterVector) -> Void)
}

extension EmptyState: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {}
}

extension StepCount: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {}
}

extension FirstMomentState: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) { body(&firstMoment) }
}

extension SecondMomentOnlyState: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) { body(&secondMoment) }
}

extension MomentsState: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {
        body(&firstMoment)
        body(&secondMoment)
    }
}

extension ScaleByBelief.State: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {
        body(&firstMoment)
        body(&variance)
    }
}

extension ScaleByAMSGrad.State: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {
        body(&firstMoment)
        body(&meanSquare)
        body(&secondMoment)
    }
}

extension ScaleByAdaDelta.State: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {
        body(&secondMoment)
        body(&updateMeanSquare)
    }
}

extension Accumulate.State: ElementwiseState where Inner.State: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {
        inner.changeVectors(body)
        body(&mean)
    }
}

extension ChainState: ElementwiseState where Location.First: ElementwiseState, Location.Second: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {
        first.changeVectors(body)
        second.changeVectors(body)
    }
}
