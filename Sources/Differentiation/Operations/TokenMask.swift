/// Which positions hold a token: those of an example's length whose id is not negative.
struct TokenMask: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }

    func isDifferentiable(input index: Int) -> Bool { false }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let (ids, positions) = (pass.input(0, of: example), pass.input(1, of: example))
            let mask = pass.output(of: example)
            for index in mask.indices { mask[index] = ids[index] >= 0 && positions[index] > 0 ? 1 : 0 }
        }
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {}
}
