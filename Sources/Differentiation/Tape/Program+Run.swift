import LinearAlgebra
import Requirements

extension Program {
    /// Which part of a program is run.
    package enum Extent {
        /// Up to the outputs: without targets.
        case outputs
        /// Up to the losses.
        case losses
    }

    /// Runs the operations in their order. Outputs and losses are then in `memory`.
    ///
    /// Traps unless the examples have the features and the targets that the program asks for.
    package func forward<S: Real>(
        _ inputs: ProgramInputs<S>, at parameters: UnsafePointer<S>, extent: Extent,
        memory: inout ProgramMemory<S>
    ) {
        require(
            inputs.features.columns == featureCount,
            "Examples of \(inputs.features.columns) features do not fit a model of \(featureCount).")
        prepare(&memory)
        for (index, node) in nodes.enumerated() where extent == .losses || isBeforeOutputs[index] {
            guard case .operation(let operation) = node.source else {
                fill(&memory.values[index], node, inputs)
                continue
            }
            memory.values[index].reshape(rows: inputs.exampleCount, columns: node.count)
            memory.saved[index].reshape(rows: inputs.exampleCount, columns: node.savedCount)
            operation.forward(pass(index, operation, inputs, parameters, memory))
        }
    }

    /// The gradients of all uses of each leaf, after ``forward(_:at:extent:memory:)`` up to the losses.
    package func backward<S: Real>(
        _ inputs: ProgramInputs<S>, at parameters: UnsafePointer<S>, memory: inout ProgramMemory<S>
    ) -> [[ParameterGradient<S>]] {
        var uses = [[ParameterGradient<S>]](repeating: [], count: layout.leaves.count)
        guard needsGradient[loss] else { return uses }
        let count = inputs.exampleCount
        var isWritten = [Bool](repeating: false, count: nodes.count)
        memory.gradients[loss].reshape(rows: count, columns: 1)
        memory.gradients[loss].base.update(repeating: 1, count: count)
        isWritten[loss] = true
        for index in nodes.indices.reversed() where needsGradient[index] && isWritten[index] {
            let node = nodes[index]
            guard let operation = node.operation else { continue }
            var targets: [UnsafeMutablePointer<S>?] = []
            var sums: [(place: Int, input: Int)] = []
            for (place, input) in node.inputs.enumerated() {
                guard needsGradient[input], operation.isDifferentiable(input: place) else {
                    targets.append(nil)
                    continue
                }
                if isWritten[input] {
                    while memory.scratch.count <= place { memory.scratch.append(NumberBlock()) }
                    memory.scratch[place].reshape(rows: count, columns: nodes[input].count)
                    targets.append(memory.scratch[place].base)
                    sums.append((place, input))
                } else {
                    memory.gradients[input].reshape(rows: count, columns: nodes[input].count)
                    targets.append(memory.gradients[input].base)
                    isWritten[input] = true
                }
            }
            let pass = BackwardPass(
                forward: pass(index, operation, inputs, parameters, memory), outputGradients: memory.gradients[index],
                inputGradients: targets, inputBlocks: node.inputs.map { memory.values[$0] },
                savedBlock: memory.saved[index])
            operation.backward(pass)
            for (place, input) in sums { memory.scratch[place].add(to: memory.gradients[input]) }
            if !node.leaves.contains(where: { isTrained[$0] }) { continue }
            let gradients = operation.parameterGradients(pass)
            require(
                gradients.count == node.parameters.count,
                "\(type(of: operation)) gives \(gradients.count) parameter gradients for \(node.parameters.count) "
                    + "parameters: give one for each, every place where a parameter enters.")
            for (parameter, gradient) in zip(node.parameters, gradients) {
                if case .leaf(let leaf) = parameter, isTrained[leaf] { uses[leaf].append(gradient) }
            }
        }
        return uses
    }

    /// Each example's loss, after a run up to the losses.
    package func losses(in memory: ProgramMemory<Float>, exampleCount: Int) -> [Float] {
        Array(UnsafeBufferPointer(start: memory.values[loss].base, count: exampleCount))
    }

    /// examples × outputs, after a run.
    package func outputs(in memory: ProgramMemory<Float>) -> Matrix { memory.values[outputs].matrix }

    private func prepare<S: Real>(_ memory: inout ProgramMemory<S>) {
        if memory.recording === recording { return }
        memory.recording = recording
        let empty = nodes.map { _ in NumberBlock<S>() }
        (memory.values, memory.gradients, memory.saved) = (empty, empty, empty)
        memory.constants = constants.map { NumberBlock($0.values.map(S.init)) }
    }

    private func fill<S: Real>(_ block: inout NumberBlock<S>, _ node: Node, _ inputs: ProgramInputs<S>) {
        let count = inputs.exampleCount
        switch node.source {
        case .features: block = inputs.features
        case .target:
            guard let targets = inputs.targets, targets.columns == node.count else {
                fail("Examples have to have \(node.count) numbers as their targets.")
            }
            block = targets
        case .label:
            guard let classes = inputs.classes else { fail("Examples have to have classes as their targets.") }
            block.reshape(rows: count, columns: 1)
            for (example, number) in classes.enumerated() { block.base[example] = S(number) }
        case .positions:
            block.reshape(rows: count, columns: node.count)
            for example in 0..<count {
                let length = inputs.lengths?[example] ?? node.count
                let row = block.base + example * node.count
                for position in 0..<node.count { row[position] = position < length ? 1 : 0 }
            }
        case .operation: break
        }
    }

    private func pass<S: Real>(
        _ index: Int, _ operation: any Operation, _ inputs: ProgramInputs<S>, _ parameters: UnsafePointer<S>,
        _ memory: ProgramMemory<S>
    ) -> ForwardPass<S> {
        let node = nodes[index]
        return ForwardPass(
            exampleCount: inputs.exampleCount, inputShapes: node.inputShapes, parameterShapes: node.parameterShapes,
            outputShape: node.shape, isTraining: !inputs.keys.isEmpty, exampleKeys: inputs.keys, place: index,
            inputs: node.inputs.map { memory.values[$0].base }, inputCounts: node.inputs.map { nodes[$0].count },
            parameters: node.parameters.map { place in
                switch place {
                case .leaf(let leaf): parameters + layout.leaves[leaf].range.lowerBound
                case .constant(let index): UnsafePointer(memory.constants[index].base)
                }
            }, parameterCounts: node.parameterShapes.map { $0.reduce(1, *) },
            outputs: memory.values[index].base, outputCount: node.count, savedNumbers: memory.saved[index].base,
            savedCount: node.savedCount,
            scratchCount: operation.scratchCount(inputs: node.inputShapes, parameters: node.parameterShapes))
    }
}

extension NumberBlock {
    /// Adds the numbers to those of `other`, on several threads.
    func add(to other: NumberBlock) {
        let (source, target, count) = (base, other.base, rows * columns)
        Threads.withTeam(of: count / Threads.workPerThread(1 << 16)) { member in
            let share = member.share(of: 0..<count)
            Scalar.add(UnsafePointer(source + share.lowerBound), to: target + share.lowerBound, count: share.count)
        }
    }
}
