/// What `dp compare` compares at some work.
enum ComparedNoise: String, CaseIterable, OptionValue {
    /// Samplers, under independent noise.
    case independent
    /// Strategies of correlated noise.
    case correlated
}
