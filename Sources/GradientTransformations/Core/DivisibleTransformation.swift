import PyTrees

/// A transformation of which any part of the columns can be stepped with by itself, by the same part of its state: see
/// ``UpdatePart``.
///
/// Only this package says so of a transformation. One that is element-wise by its own word may still look for a leaf in
/// the layout, or have a number for each column, and would find those of the part.
package protocol DivisibleTransformation: GradientTransformation where State: ElementwiseState {}

/// A state whose vectors all have the layout of the parameters, and whose other numbers do not depend on gradients.
package protocol ElementwiseState {
    /// Calls `body` with every vector, to change it or to put another in its place; in the same order each time.
    mutating func changeVectors(_ body: (inout ParameterVector) -> Void)
}

extension Identity: DivisibleTransformation {}
extension SetToZero: DivisibleTransformation {}
extension Scale: DivisibleTransformation {}
extension Clip: DivisibleTransformation {}
extension AddDecayedWeights: DivisibleTransformation {}
extension ScaleByLearningRate: DivisibleTransformation {}
extension ScaleBySchedule: DivisibleTransformation {}
extension Trace: DivisibleTransformation {}
extension EMA: DivisibleTransformation {}
extension ScaleByAdam: DivisibleTransformation {}
extension ScaleByAMSGrad: DivisibleTransformation {}
extension ScaleByYogi: DivisibleTransformation {}
extension ScaleByBelief: DivisibleTransformation {}
extension ScaleByLion: DivisibleTransformation {}
extension ScaleBySumOfSquares: DivisibleTransformation {}
extension ScaleByAdaDelta: DivisibleTransformation {}
extension ScaleByRootMeanSquare: DivisibleTransformation where State: ElementwiseState {}
extension Accumulate: DivisibleTransformation where Inner: DivisibleTransformation {}
extension Chain: DivisibleTransformation where First: DivisibleTransformation, Second: DivisibleTransformation {}

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
