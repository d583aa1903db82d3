/// Any of the schedules that configuration can ask for, in one type.
package enum NamedSchedule: Schedule {
    case constant(Double)
    case polynomial(PolynomialSchedule)
    case exponential(ExponentialSchedule)
    case cosine(CosineSchedule)
    case warmupCosine(JoinedSchedule<PolynomialSchedule, CosineSchedule>)

    /// That of the schedule.
    package func value(at step: Int) -> Double {
        switch self {
        case .constant(let value): value
        case .polynomial(let schedule): schedule.value(at: step)
        case .exponential(let schedule): schedule.value(at: step)
        case .cosine(let schedule): schedule.value(at: step)
        case .warmupCosine(let schedule): schedule.value(at: step)
        }
    }

    /// That of the schedule.
    package var smallestValue: Double? {
        switch self {
        case .constant(let value): value
        case .polynomial(let schedule): schedule.smallestValue
        case .exponential(let schedule): schedule.smallestValue
        case .cosine(let schedule): schedule.smallestValue
        case .warmupCosine(let schedule): schedule.smallestValue
        }
    }
}
