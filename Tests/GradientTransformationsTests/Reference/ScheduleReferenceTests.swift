import Foundation
import GradientTransformations
import Testing

/// Values of optax's schedules, which it computes in Float32; ours are in Float64.
///
/// optax rounds every operation of at most eight, and its cosine and powers are accurate to a few ulps: 16 roundings
/// relative to the largest value that is added up, which is the schedule's largest.
@Suite struct ScheduleReferenceTests {
    struct File: Decodable {
        let steps: [Int]
        let values: [String: [Double]]
    }

    static func schedule(_ name: String) throws -> any Schedule {
        switch name {
        case "constant": return 0.3
        case "linear(1.0,0.1,100)": return try linearSchedule(from: 1, to: 0.1, steps: 100)
        case "polynomial(1.0,0.1,2,100)": return try PolynomialSchedule(from: 1, to: 0.1, power: 2, steps: 100)
        case "cosine_decay(1.0,100,alpha=0.05)": return try CosineSchedule(from: 1, steps: 100, finalShare: 0.05)
        case "exponential_decay(1.0,10,0.5)": return try ExponentialSchedule(from: 1, rate: 0.5, steps: 10)
        case "exponential_decay(1.0,10,0.5,staircase)":
            return try ExponentialSchedule(from: 1, rate: 0.5, steps: 10, staircase: true)
        case "piecewise_constant(1.0,{10:0.1,50:0.5})":
            return try PiecewiseConstantSchedule(from: 1, factors: [10: 0.1, 50: 0.5])
        case "warmup_cosine_decay(0.0,1.0,10,100,0.01)":
            return try warmupCosineSchedule(from: 0, peak: 1, warmupSteps: 10, steps: 100, to: 0.01)
        default:
            Issue.record("The reference has a schedule that is not tested: \(name)")
            return 0.0
        }
    }

    @Test func values() throws {
        let file = try ReferenceValues.load("schedules.json", as: File.self)
        #expect(!file.values.isEmpty)
        for (name, values) in file.values {
            let schedule = try Self.schedule(name)
            let largest = values.map(abs).max() ?? 0
            for (step, value) in zip(file.steps, values) {
                let ours = schedule.value(at: step)
                #expect(abs(ours - value) <= 16 * 0x1p-24 * largest, "\(name) at \(step): \(ours), not \(value)")
                #expect(schedule.smallestValue.map { $0 <= ours } ?? true)
            }
        }
    }
}
