import Requirements

/// x ∘ m in training, with elements of m 0 or 1/(1 − rate); x otherwise.
///
/// m is not kept: the way back draws it again. Element j of an example is one half of the mixed 64-bit number at
/// counter ⌊j/2⌋ of a sequence that the example's key and the operation's place begin, and is dropped where these 32
/// bits are below rate · 2³². The mixing is SplitMix64's: Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014, where the generator passes BigCrush.
///
/// **Guarantee:** an example's m is a function of its key, of the operation's place and of nothing else.
struct DropoutOperation: RandomOperation {
    let rate: Double

    /// Rounded to a multiple of 2⁻³², which is less than the mean of any data can tell.
    private var threshold: UInt32 { UInt32(min(rate * 0x1p32, 0x1p32 - 1)) }

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample(work: 4 * pass.outputCount) { example in
            write(
                pass.input(0, of: example), to: pass.output(of: example),
                start: Self.start(pass, example))
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample(work: 4 * pass.forward.outputCount) { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            write(
                UnsafeBufferPointer(pass.outputGradient(of: example)), to: gradient,
                start: Self.start(pass.forward, example))
        }
    }

    /// Where an example's sequence begins; nil outside of training.
    private static func start<S: Real>(_ pass: ForwardPass<S>, _ example: Int) -> UInt64? {
        pass.isTraining ? mixed(pass.exampleKeys[example] ^ mixed(UInt64(pass.place) &* increment)) : nil
    }

    @_specialize(where S == Float)
    private func write<S: Real>(
        _ source: UnsafeBufferPointer<S>, to target: UnsafeMutableBufferPointer<S>, start: UInt64?
    ) {
        guard let start else {
            _ = target.update(fromContentsOf: source)
            return
        }
        let (scale, threshold) = (1 / S(1 - rate), threshold)
        // Products come first, and are chosen from: half of all branches would be foretold wrongly.
        for pair in 0..<source.count / 2 {
            let bits = Self.mixed(start &+ UInt64(pair) &* Self.increment)
            let (first, second) = (scale * source[2 * pair], scale * source[2 * pair + 1])
            target[2 * pair] = UInt32(truncatingIfNeeded: bits) < threshold ? 0 : first
            target[2 * pair + 1] = UInt32(truncatingIfNeeded: bits >> 32) < threshold ? 0 : second
        }
        if !source.count.isMultiple(of: 2) {
            let last = source.count - 1
            let bits = Self.mixed(start &+ UInt64(last / 2) &* Self.increment)
            target[last] = UInt32(truncatingIfNeeded: bits) < threshold ? 0 : scale * source[last]
        }
    }

    /// 2⁶⁴ over the golden ratio, made odd.
    private static var increment: UInt64 { 0x9e37_79b9_7f4a_7c15 }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var bits = value &+ increment
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}

extension Value {
    /// In training, every number is dropped, made zero, with the probability `rate`, and multiplied by 1/(1 − rate)
    /// otherwise; in evaluation it stays as it is. Source: Srivastava et al., JMLR 15, 2014.
    ///
    /// What an example drops depends on its numbers, on the step and on the place in the model's function, so that its
    /// gradient stays a function of the example: not of the batch, the microbatch, or of where a run was resumed.
    ///
    /// Traps unless `rate` lies in [0, 1).
    public func dropout(rate: Double) -> Value {
        require(rate >= 0 && rate < 1, "A rate of dropout has to lie in [0, 1), and \(rate) does not.")
        return rate == 0 ? self : applying(DropoutOperation(rate: rate), mask: mask)
    }
}
