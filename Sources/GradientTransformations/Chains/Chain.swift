import PyTrees

/// One transformation after another: the updates of the first are the gradients of the second.
///
/// Made by ``chain(_:)``. `Location` says which of the two holds a second moment.
public struct Chain<
    First: GradientTransformation, Second: GradientTransformation,
    Location: SecondMomentLocation<First.State, Second.State>
>: GradientTransformation {
    /// `chain(…,…)`.
    public static var identifier: String { "chain(\(First.identifier),\(Second.identifier))" }

    /// What comes first.
    public let first: First

    /// What comes after it.
    public let second: Second

    package init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }

    /// Whether both parts are.
    public static var isElementwise: Bool { First.isElementwise && Second.isElementwise }

    /// The states of both parts.
    public func initialState(
        for parameters: ParameterVector
    ) throws(GradientTransformationError) -> ChainState<Location> {
        ChainState(
            first: try first.initialState(for: parameters), second: try second.initialState(for: parameters))
    }

    /// Updates by the first part, then by the second.
    public func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Lets the first part join, then the second.
    public func join(
        _ pass: inout UpdatePass, state: inout ChainState<Location>, then next: (inout UpdatePass) -> Void
    ) {
        first.join(&pass, state: &state.first) { pass in
            second.join(&pass, state: &state.second, then: next)
        }
    }
}

/// The states of a chain's parts.
public struct ChainState<Location: SecondMomentLocation>: Codable, Sendable {
    /// The state of what comes first.
    public var first: Location.First

    /// The state of what comes after it.
    public var second: Location.Second
}

extension ChainState: Equatable where Location.First: Equatable, Location.Second: Equatable {}

extension ChainState: SecondMomentState where Location: SecondMomentPath {
    /// That of the part that has them.
    public typealias Form = Location.Form

    /// Calls `body` with the second moments of the part that has them.
    public func readSecondMoments(_ body: (ParameterVector) -> Void) { Location.read(first, second, body) }
    /// Calls `body` with the second moments of the part that has them, to change them in place.
    public mutating func changeSecondMoments(_ body: (inout ParameterVector) -> Void) {
        Location.change(&first, &second, body)
    }
}

extension Chain: Equatable where First: Equatable, Second: Equatable {}
extension Chain: Decodable where First: Decodable, Second: Decodable {}
extension Chain: Encodable where First: Encodable, Second: Encodable {}

/// A chain in which neither part holds a second moment.
public typealias PlainChain<First: GradientTransformation, Second: GradientTransformation> = Chain<
    First, Second, NoSecondMoment<First.State, Second.State>
>

/// A chain whose first part holds the second moment.
public typealias LeadingMomentChain<First: GradientTransformation, Second: GradientTransformation> = Chain<
    First, Second, SecondMomentInFirst<First.State, Second.State>
> where First.State: SecondMomentState

/// A chain whose second part holds the second moment.
public typealias TrailingMomentChain<First: GradientTransformation, Second: GradientTransformation> = Chain<
    First, Second, SecondMomentInSecond<First.State, Second.State>
> where Second.State: SecondMomentState
