import Foundation
import GradientTransformations
import PyTrees

/// An optimizer and its state, whatever their types: what tables of tests hold.
protocol OptimizerUnderTest: AnyObject {
    func update(_ updates: inout ParameterVector, parameters: ParameterVector)
    func step(_ gradient: inout ParameterVector, parameters: inout ParameterVector)
    func checkpoint(parameters: ParameterVector) throws -> Data
    func restore(_ data: Data, parameters: ParameterVector) throws
    /// Where the elements of the state's vectors lie.
    var storage: [UnsafeRawPointer] { get }
    /// The second moments, if the state has some.
    var secondMoments: [ParameterVector] { get }
}

extension OptimizerUnderTest {
    func step(_ gradient: ParameterVector, parameters: inout ParameterVector) {
        var gradient = gradient
        step(&gradient, parameters: &parameters)
    }

    func updated(_ gradient: ParameterVector, parameters: ParameterVector) -> ParameterVector {
        var updates = gradient
        update(&updates, parameters: parameters)
        return updates
    }
}

final class Running<Optimizer: GradientTransformation>: OptimizerUnderTest {
    let optimizer: Optimizer
    var state: Optimizer.State

    init(_ optimizer: Optimizer, _ parameters: ParameterVector) throws {
        self.optimizer = optimizer
        state = try optimizer.initialState(for: parameters)
    }

    func update(_ updates: inout ParameterVector, parameters: ParameterVector) {
        optimizer.update(&updates, state: &state, parameters: parameters)
    }

    func step(_ gradient: inout ParameterVector, parameters: inout ParameterVector) {
        optimizer.step(&gradient, state: &state, parameters: &parameters)
    }

    func checkpoint(parameters: ParameterVector) throws -> Data {
        try JSONEncoder().encode(OptimizerCheckpoint(of: optimizer, state: state, parameters: parameters))
    }

    func restore(_ data: Data, parameters: ParameterVector) throws {
        state = try JSONDecoder().decode(OptimizerCheckpoint<Optimizer>.self, from: data).state(for: parameters)
    }

    var storage: [UnsafeRawPointer] { addresses(in: state) }

    var secondMoments: [ParameterVector] {
        var result: [ParameterVector] = []
        (state as? any SecondMomentState)?.readSecondMoments { result.append($0) }
        return result
    }
}

private func addresses(in value: Any) -> [UnsafeRawPointer] {
    if let vector = value as? ParameterVector {
        return vector.withUnsafeValues { $0.baseAddress.map { [UnsafeRawPointer($0)] } ?? [] }
    }
    return Mirror(reflecting: value).children.flatMap { addresses(in: $0.value) }
}
