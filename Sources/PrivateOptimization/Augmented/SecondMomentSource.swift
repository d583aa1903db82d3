import GradientTransformations
import PyTrees

/// Where in a state the second moment lies that a scale is made from.
public protocol SecondMomentSource<State>: Sendable {
    /// The base optimizer's state.
    associatedtype State

    /// How the moments are kept.
    associatedtype Form: ScalableMoments

    /// Calls `body` with each vector of second moments; no leaf occurs twice.
    func read(_ state: State, _ body: (ParameterVector) -> Void)

    /// Calls `body` with each vector of second moments, to change it in place.
    func change(_ state: inout State, _ body: (inout ParameterVector) -> Void)
}

/// The second moment that the state itself knows of: found by the compiler, wherever it lies.
public struct KnownSecondMoment<State: SecondMomentState>: SecondMomentSource, Codable, Hashable
where State.Form: ScalableMoments {
    /// That of the state.
    public typealias Form = State.Form

    init() {}

    /// Calls `body` with what the state says.
    public func read(_ state: State, _ body: (ParameterVector) -> Void) {
        state.readSecondMoments(body)
    }

    /// Calls `body` with what the state says, to change it in place.
    public func change(_ state: inout State, _ body: (inout ParameterVector) -> Void) {
        state.changeSecondMoments(body)
    }
}

/// The second moment at a key path of the state.
public struct SecondMomentAtKeyPath<State>: SecondMomentSource, Equatable {
    /// One number for each parameter.
    public typealias Form = ParameterwiseMoments

    let path: any WritableKeyPath<State, ParameterVector> & Sendable

    /// Calls `body` with the vector at the path.
    public func read(_ state: State, _ body: (ParameterVector) -> Void) {
        body(state[keyPath: path])
    }

    /// Calls `body` with the vector at the path, to change it in place.
    public func change(_ state: inout State, _ body: (inout ParameterVector) -> Void) {
        body(&state[keyPath: path])
    }

    /// Whether the paths are equal.
    public static func == (left: Self, right: Self) -> Bool {
        left.path as AnyKeyPath == right.path as AnyKeyPath
    }
}
