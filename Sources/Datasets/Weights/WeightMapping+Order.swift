extension WeightMapping.Rule.Order {
    /// The shape of the tensor that lays out a leaf of `leaf`; nil if this order cannot.
    func tensorShape(ofLeaf leaf: [Int]) -> [Int]? {
        if self == .same { return leaf }
        guard leaf.count == 2 else { return nil }
        let (inputs, outputs) = (leaf[0], leaf[1])
        guard let size else { return [outputs, inputs] }
        let (pixels, overflow) = size[0].multipliedReportingOverflow(by: size[1])
        guard !overflow, inputs % pixels == 0 else { return nil }
        if case .flattened = self { return [outputs, inputs] }
        return [outputs, inputs / pixels, size[0], size[1]]
    }

    /// Writes a kernel [inputs, outputs] in the order of this package for a weight of [outputs, inputs] in the order of
    /// the tensor.
    func makeKernel(
        _ kernel: UnsafeMutableBufferPointer<Float>, ofWeight weight: UnsafeBufferPointer<Float>, outputs: Int
    ) {
        forEachElement(count: kernel.count, outputs: outputs) { kernel[$0] = weight[$1] }
    }

    /// The inverse: writes a weight for a kernel.
    func makeWeight(
        _ weight: UnsafeMutableBufferPointer<Float>, ofKernel kernel: UnsafeBufferPointer<Float>, outputs: Int
    ) {
        forEachElement(count: weight.count, outputs: outputs) { weight[$1] = kernel[$0] }
    }

    /// Calls `body` with the place of each element in a kernel, and its place in the weight.
    ///
    /// With n = pixels, input i of a kernel is channel i mod channels of pixel i / channels; of a weight, it is input
    /// channel · n + pixel. Without an image n is 1, and both are i.
    private func forEachElement(count: Int, outputs: Int, _ body: (_ kernel: Int, _ weight: Int) -> Void) {
        guard count > 0 else { return }
        let inputs = count / outputs
        let pixels = size.map { $0[0] * $0[1] } ?? 1
        let channels = inputs / pixels
        // A cache line of the kernel holds 16 outputs, which so are written while it is there.
        for first in stride(from: 0, to: outputs, by: 16) {
            for input in 0..<inputs {
                let place = input % channels * pixels + input / channels
                for output in first..<min(first + 16, outputs) {
                    body(input * outputs + output, output * inputs + place)
                }
            }
        }
    }
}
