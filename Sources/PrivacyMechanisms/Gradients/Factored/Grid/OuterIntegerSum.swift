import LinearAlgebra

/// Σ_i a_i e_iᵀ of rows of whole numbers: an integer matrix product, added to a sum in 64 bits.
struct OuterIntegerSum {
    /// The examples that are added.
    let examples: [Int]
    /// A row of `inputs` whole numbers for each example, at most 32,767 in magnitude, and one of `outputs`.
    let activations: UnsafePointer<Float>
    let inputs: Int
    let gradients: UnsafePointer<Float>
    let outputs: Int
    /// For each of `examples`, a whole number that no product of its elements exceeds in magnitude; below 2³⁰.
    let largestProducts: [Int]

    private var pairs: Int { (examples.count + 1) / 2 }

    /// Runs of pairs whose products add up in 32 bits. Where they end decides nothing about the sum.
    private var chains: [Range<Int>] {
        var chains: [Range<Int>] = []
        var (begin, bound) = (0, 0)
        for pair in 0..<pairs {
            let next = largestProducts[2 * pair..<min(2 * pair + 2, examples.count)].reduce(0, +)
            if bound + next > Int(Int32.max) {
                chains.append(begin..<pair)
                (begin, bound) = (pair, 0)
            }
            bound += next
        }
        return chains + [begin..<pairs]
    }

    /// Adds the product to `inputs` × `outputs` sums. O(examples · inputs · outputs).
    func add(to sum: UnsafeMutablePointer<Int64>) {
        let kernels = Kernels.active
        let (height, width) = (kernels.outer_rows, kernels.outer_columns)
        let (rowPanels, columnPanels) = (
            TaskTeam.pieces(of: inputs, length: height), TaskTeam.pieces(of: outputs, length: width)
        )
        let left = FloatScratch(count: rowPanels * pairs * height)
        let right = FloatScratch(count: columnPanels * pairs * width)
        let (leftPanels, rightPanels) = (left.integers, right.integers)
        TaskTeam.run(tasks: pairs, work: examples.count * (inputs + outputs) * 2) { pair, _ in
            pack(pair, activations, inputs, width: height, into: leftPanels)
            pack(pair, gradients, outputs, width: width, into: rightPanels)
        }
        // A task is a panel of columns and a run of rows: the panel stays in a core's cache.
        let run = 32
        let chains = chains
        let runs = TaskTeam.pieces(of: rowPanels, length: run)
        TaskTeam.run(tasks: columnPanels * runs, work: inputs * outputs * (2 + pairs / 8)) { task, _ in
            let panel = task / runs
            let columns = TaskTeam.piece(panel, of: outputs, length: width)
            for rowPanel in TaskTeam.piece(task % runs, of: rowPanels, length: run) {
                let rows = TaskTeam.piece(rowPanel, of: inputs, length: height)
                for chain in chains {
                    kernels.add_outer_products(
                        leftPanels + (rowPanel * pairs + chain.lowerBound) * height,
                        rightPanels + (panel * pairs + chain.lowerBound) * width, chain.count, chain.count,
                        rows.count, columns.count, sum + rows.lowerBound * outputs + columns.lowerBound, outputs)
                }
            }
        }
    }

    private func pack(
        _ pair: Int, _ rows: UnsafePointer<Float>, _ count: Int, width: Int, into panels: UnsafeMutablePointer<Int32>
    ) {
        let second = 2 * pair + 1 < examples.count ? rows + examples[2 * pair + 1] * count : nil
        Kernels.active.pack_pairs(
            rows + examples[2 * pair] * count, second, count, width, pairs * width, panels + pair * width)
    }
}

extension FloatScratch {
    /// The same memory, as integers.
    fileprivate var integers: UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(base).assumingMemoryBound(to: Int32.self)
    }
}
