import PyTrees

/// Multiplies the elements of each leaf by a number of its own.
struct LeafScaleOperation: UpdateOperation {
    let factors: [Float]
    let ends: [Int]

    init(factors: [Float], layout: TreeLayout) {
        self.factors = factors
        ends = layout.leaves.map(\.range.upperBound)
    }

    func apply(to block: UpdateBlock) {
        // The first leaf that ends after the block begins, by bisection.
        var (leaf, high) = (0, ends.count)
        while leaf < high {
            let middle = (leaf + high) / 2
            if ends[middle] <= block.offset { leaf = middle + 1 } else { high = middle }
        }
        var begin = 0
        while begin < block.count {
            let end = min(block.count, ends[leaf] - block.offset)
            if end > begin { Kernels.active.scale(factors[leaf], end - begin, block.updates + begin) }
            begin = max(begin, end)
            leaf += 1
        }
    }
}
