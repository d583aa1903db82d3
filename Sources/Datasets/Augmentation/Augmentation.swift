import LinearAlgebra
import Requirements

/// Random changes of an example that leave its target as it is.
///
/// Where training is augmented, the gradients of ``count`` changed copies of one example are averaged, and the mean is
/// clipped: an example's share of the sum is bounded as without augmentation. Source: De et al., arXiv 2204.13650,
/// section 3.2.
///
/// **Guarantee:** what privacy asks of a conforming type: the features that it writes depend on the features that it is
/// given and on the generator alone. The generator depends on the example and the step alone.
public protocol Augmentation: Sendable {
    /// K, the number of changed copies of each example, at least 1.
    var count: Int { get }

    /// Changes one example's features in place.
    func change(_ features: inout MutableSpan<Float>, drawing generator: inout ExampleGenerator)

    /// Throws unless it can change examples of so many features.
    func check(featureCount: Int) throws(DatasetError)
}

/// Public random numbers of one example in one step: the same whenever the step is taken again.
public struct ExampleGenerator: RandomNumberGenerator {
    private var generator: SplitMix64

    init(key: UInt64) { generator = SplitMix64(seed: key) }

    /// 64 random bits.
    public mutating func next() -> UInt64 { generator.next() }
}

extension Examples {
    /// K changed copies of each example, beside each other.
    ///
    /// Traps unless K is at least 1.
    package func augmented(by augmentation: some Augmentation) -> Examples {
        let copies = augmentation.count
        require(copies >= 1, "\(copies) copies of each example were asked for; 1 is the least.")
        let keys = keys
        let order = (0..<count * copies).map { $0 / copies }
        var changed = inputs.gatheringRows(order)
        let columns = inputs.columns
        changed.withUnsafeMutableElements { elements in
            nonisolated(unsafe) let elements = elements
            Threads.withTeam(of: elements.count / Threads.workPerThread(1 << 14)) { member in
                for row in member.share(of: 0..<order.count) {
                    // Copies of one example draw from different places of one stream of keys.
                    var generator = ExampleGenerator(key: keys[order[row]] &+ UInt64(row % copies) << 32)
                    var span = UnsafeMutableBufferPointer(rebasing: elements[row * columns..<(row + 1) * columns])
                        .mutableSpan
                    augmentation.change(&span, drawing: &generator)
                }
            }
        }
        var result = Examples(
            inputs: changed, targets: targets.gathering(order),
            lengths: lengths.map { lengths in order.map { lengths[$0] } })
        result.drawKey = drawKey
        return result
    }
}
