import PyTrees

/// A state that holds second moments of the gradients, without bias correction. Scale-then-privatize takes its scale
/// from them.
///
/// Conform to ``SingleSecondMomentState`` where there is one vector. A chain, a mask or a partition passes on those
/// of its parts.
public protocol SecondMomentState {
    /// How the moments are kept: ``ParameterwiseMoments`` unless said otherwise.
    associatedtype Form: SecondMomentForm = ParameterwiseMoments

    /// Calls `body` with each vector of second moments. Its layout is that of the parameters, as the form keeps them,
    /// or, under a mask, has some of their leaves; no leaf occurs twice.
    func readSecondMoments(_ body: (ParameterVector) -> Void)

    /// Calls `body` with each vector of second moments, to change it in place.
    mutating func changeSecondMoments(_ body: (inout ParameterVector) -> Void)
}

/// How second moments are kept. Known to the compiler: the types have no values.
public protocol SecondMomentForm {}

/// One number for each parameter.
public enum ParameterwiseMoments: SecondMomentForm {}

/// For some leaves, a mean for each row and a mean for each column only: see ``FactoredMomentState``.
public enum FactoredMoments: SecondMomentForm {}

/// A state with one vector of second moments.
public protocol SingleSecondMomentState: SecondMomentState {
    /// The second moment v: a running average or sum of squared gradients, without bias correction.
    var secondMoment: ParameterVector { get set }
}

extension SingleSecondMomentState {
    /// Calls `body` with the one vector.
    public func readSecondMoments(_ body: (ParameterVector) -> Void) { body(secondMoment) }
    /// Calls `body` with the one vector, to change it in place.
    public mutating func changeSecondMoments(_ body: (inout ParameterVector) -> Void) { body(&secondMoment) }
}

/// A transformation whose state holds second moments, known to the compiler, one for each parameter.
package protocol SecondMomentTransformation: GradientTransformation
where State: SecondMomentState, State.Form == ParameterwiseMoments {}

extension Chain: SecondMomentTransformation where Location: SecondMomentPath, Location.Form == ParameterwiseMoments {}

/// A transformation whose state holds factored second moments, known to the compiler.
package protocol FactoredMomentTransformation: GradientTransformation
where State: SecondMomentState, State.Form == FactoredMoments {}

extension Chain: FactoredMomentTransformation where Location: SecondMomentPath, Location.Form == FactoredMoments {}

/// Which of two parts holds the second moment. Known to the compiler: the type has no values.
public protocol SecondMomentLocation<First, Second>: Sendable {
    /// The first part's state.
    associatedtype First: Codable & Sendable
    /// The second part's state.
    associatedtype Second: Codable & Sendable
}

/// A location that names a part.
public protocol SecondMomentPath: SecondMomentLocation {
    /// How the part keeps its moments.
    associatedtype Form: SecondMomentForm

    /// Calls `body` with the second moments of the part.
    static func read(_ first: First, _ second: Second, _ body: (ParameterVector) -> Void)
    /// Calls `body` with the second moments of the part, to change them in place.
    static func change(_ first: inout First, _ second: inout Second, _ body: (inout ParameterVector) -> Void)
}

/// Neither part has a second moment, or both have one and the compiler chooses neither.
public enum NoSecondMoment<First: Codable & Sendable, Second: Codable & Sendable>: SecondMomentLocation {}

/// The first part has the second moment.
public enum SecondMomentInFirst<First: SecondMomentState & Codable & Sendable, Second: Codable & Sendable>:
    SecondMomentPath
{
    /// That of the first part.
    public typealias Form = First.Form

    /// Calls `body` with the second moments of the part.
    public static func read(_ first: First, _ second: Second, _ body: (ParameterVector) -> Void) {
        first.readSecondMoments(body)
    }
    /// Calls `body` with the second moments of the part, to change them in place.
    public static func change(_ first: inout First, _ second: inout Second, _ body: (inout ParameterVector) -> Void) {
        first.changeSecondMoments(body)
    }
}

/// The second part has the second moment.
public enum SecondMomentInSecond<First: Codable & Sendable, Second: SecondMomentState & Codable & Sendable>:
    SecondMomentPath
{
    /// That of the second part.
    public typealias Form = Second.Form

    /// Calls `body` with the second moments of the part.
    public static func read(_ first: First, _ second: Second, _ body: (ParameterVector) -> Void) {
        second.readSecondMoments(body)
    }
    /// Calls `body` with the second moments of the part, to change them in place.
    public static func change(_ first: inout First, _ second: inout Second, _ body: (inout ParameterVector) -> Void) {
        second.changeSecondMoments(body)
    }
}
