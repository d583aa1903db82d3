import Foundation
import GradientTransformations
import PyTrees

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What every optimizer must do; each check says whether one does.
enum ConformanceKit {
    enum Check: String, CaseIterable, Sendable {
        case zeroGradient, determinism, checkpoint, leafOrder, stepEqualsUpdate, allocations, parabola, rosenbrock

        /// Those that do not need a process of their own.
        static let inProcess = allCases.filter { $0 != .allocations }
    }

    static func passes(_ check: Check, _ entry: OptimizerEntry) throws -> Bool {
        switch check {
        case .zeroGradient: try zeroGradient(entry)
        case .determinism: try determinism(entry)
        case .checkpoint: try checkpoint(entry)
        case .leafOrder: try leafOrder(entry)
        case .stepEqualsUpdate: try stepEqualsUpdate(entry)
        case .allocations: try allocations(entry)
        case .parabola: try parabola(entry)
        case .rosenbrock: try rosenbrock(entry)
        }
    }

    /// A gradient of zero moves nothing on the first step, and gives finite updates later.
    private static func zeroGradient(_ entry: OptimizerEntry) throws -> Bool {
        var generator = SeededGenerator(seed: 1)
        let parameters = ParameterVector.random(using: &generator)
        let optimizer = try entry.make(parameters, 100)
        let zeros = ParameterVector(zeros: parameters.layout)
        guard optimizer.updated(zeros, parameters: parameters).values.allSatisfy({ abs($0) <= entry.zeroGradientBound })
        else { return false }
        _ = optimizer.updated(.random(using: &generator), parameters: parameters)
        return optimizer.updated(zeros, parameters: parameters).values.allSatisfy(\.isFinite)
    }

    /// Two runs give the same bits.
    private static func determinism(_ entry: OptimizerEntry) throws -> Bool {
        try trajectory(entry, steps: 8) == trajectory(entry, steps: 8)
    }

    /// A run that goes on from a checkpoint ends as one without.
    private static func checkpoint(_ entry: OptimizerEntry) throws -> Bool {
        try trajectory(entry, steps: 9, restartAt: 5) == trajectory(entry, steps: 9)
    }

    private static func trajectory(
        _ entry: OptimizerEntry, steps: Int, restartAt restart: Int? = nil
    ) throws -> [UInt32] {
        var generator = SeededGenerator(seed: 2)
        var parameters = ParameterVector.random(using: &generator)
        var optimizer = try entry.make(parameters, 100)
        for step in 0..<steps {
            if step == restart {
                let data = try optimizer.checkpoint(parameters: parameters)
                optimizer = try entry.make(parameters, 100)
                try optimizer.restore(data, parameters: parameters)
            }
            optimizer.step(.random(using: &generator), parameters: &parameters)
        }
        return parameters.values.map(\.bitPattern)
    }

    /// Leaves in another order give the same leaves, but for the rounding of norms over all of them: 4 ulps per step.
    private static func leafOrder(_ entry: OptimizerEntry) throws -> Bool {
        let shuffled = try TreeLayout([("c", [2, 2]), ("b", [2, 3]), ("a", [5])])
        func reordered(_ vector: ParameterVector) throws -> ParameterVector {
            var result = ParameterVector(zeros: shuffled)
            for leaf in shuffled.leaves { result[leaf.path] = vector[leaf.path] }
            return result
        }
        var generator = SeededGenerator(seed: 3)
        var parameters = ParameterVector.random(using: &generator)
        var others = try reordered(parameters)
        let optimizer = try entry.make(parameters, 100)
        let other = try entry.make(others, 100)
        var updated = ParameterVector(zeros: parameters.layout)
        var otherUpdated = ParameterVector(zeros: shuffled)
        for _ in 0..<6 {
            let gradient = ParameterVector.random(using: &generator)
            updated = optimizer.updated(gradient, parameters: parameters)
            otherUpdated = other.updated(try reordered(gradient), parameters: others)
            parameters = parameters.adding(updated)
            others = others.adding(otherUpdated)
        }
        return zip(try reordered(parameters).values, others.values).allSatisfy {
            abs($0 - $1) <= 6 * 4 * max($0.ulp, $1.ulp)
        }
    }

    /// `step` moves the parameters by what `update` gives.
    private static func stepEqualsUpdate(_ entry: OptimizerEntry) throws -> Bool {
        var generator = SeededGenerator(seed: 4)
        var parameters = ParameterVector.random(using: &generator)
        let stepping = try entry.make(parameters, 100)
        let updating = try entry.make(parameters, 100)
        for _ in 0..<5 {
            let gradient = ParameterVector.random(using: &generator)
            let expected = parameters.adding(updating.updated(gradient, parameters: parameters))
            stepping.step(gradient, parameters: &parameters)
            if parameters != expected { return false }
        }
        return true
    }

    /// After the first step vectors stay where they are, and no memory of their size is touched anew.
    ///
    /// A step that allocated a vector and freed it again would show as page faults: blocks of these 36 MB always come
    /// fresh from the system, 9216 small pages or 18 huge ones. Faults are counted for the whole process, so this runs
    /// in one of its own.
    private static func allocations(_ entry: OptimizerEntry) throws -> Bool {
        let layout = try TreeLayout([("a", [9, 1 << 19]), ("b", [9, 1 << 18]), ("c", [9, 1 << 18])])
        var parameters = ParameterVector(repeating: 1, layout: layout)
        var gradient = ParameterVector(repeating: 0.5, layout: layout)
        let optimizer = try entry.make(parameters, 100)
        for _ in 0..<2 { optimizer.step(&gradient, parameters: &parameters) }
        let before = (optimizer.storage, parameters.address, gradient.address)
        let faults = pageFaults
        for _ in 0..<4 { optimizer.step(&gradient, parameters: &parameters) }
        let newPages = pageFaults - faults
        return newPages < 36 && (optimizer.storage, parameters.address, gradient.address) == before
    }

    private static var pageFaults: Int {
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        return usage.ru_minflt
    }

    /// f(x) = ½ Σ x² from a random start sinks to a thousandth in 4000 steps.
    private static func parabola(_ entry: OptimizerEntry) throws -> Bool {
        var generator = SeededGenerator(seed: 5)
        var parameters = ParameterVector.random(using: &generator)
        let optimizer = try entry.make(parameters, 4000)
        let start = parameters.values.reduce(0) { $0 + $1 * $1 }
        for _ in 0..<4000 { optimizer.step(parameters, parameters: &parameters) }
        return parameters.values.reduce(0) { $0 + $1 * $1 } <= 1e-3 * start
    }

    /// Rosenbrock's valley, (1 − a)² + 100 (b − a²)², from 19.7 at (0.4, 0.6) to 0.05 in 10,000 steps. The way to the
    /// minimum at (1, 1) crosses no zero, which optimizers with a trust ratio cannot do.
    private static func rosenbrock(_ entry: OptimizerEntry) throws -> Bool {
        let layout = try TreeLayout([("a", []), ("b", [])])
        var parameters = try ParameterVector(values: [0.4, 0.6], layout: layout)
        let optimizer = try entry.make(parameters, 10_000)
        for _ in 0..<10_000 {
            let (a, b) = (parameters.values[0], parameters.values[1])
            let slope = b - a * a
            let gradient = try ParameterVector(values: [-2 * (1 - a) - 400 * a * slope, 200 * slope], layout: layout)
            optimizer.step(gradient, parameters: &parameters)
        }
        let (a, b) = (parameters.values[0], parameters.values[1])
        return (1 - a) * (1 - a) + 100 * (b - a * a) * (b - a * a) <= 0.05
    }
}
