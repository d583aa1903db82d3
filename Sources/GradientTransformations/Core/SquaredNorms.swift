import CPrivacyKernels
import LinearAlgebra

/// Sums of squares in Float64, which neither overflow nor lose small elements, shared among threads.
enum SquaredNorms {
    private struct Chunk {
        let columns: Range<Int>
        let leaf: Int
    }

    /// Vectors are summed in chunks of this size, whatever the number of threads, so that the sum does not depend on
    /// it.
    private static let chunkSize = 1 << 14

    private static let kernels = dpk_active_kernels().pointee

    /// The squared norm of each leaf of `domain` in the whole vector `values`.
    static func ofLeaves(of domain: UpdateDomain, in values: UnsafeBufferPointer<Float>) -> [Double] {
        var chunks: [Chunk] = []
        for (leaf, ranges) in domain.leafColumns.enumerated() {
            for range in ranges {
                for begin in stride(from: range.lowerBound, to: range.upperBound, by: chunkSize) {
                    chunks.append(Chunk(columns: begin..<min(begin + chunkSize, range.upperBound), leaf: leaf))
                }
            }
        }
        var partial = [Double](repeating: 0, count: chunks.count)
        partial.withUnsafeMutableBufferPointer { partial in
            nonisolated(unsafe) let partial = partial
            Threads.withTeam(of: max(1, chunks.count / 4)) { member in
                for index in member.share(of: 0..<chunks.count) {
                    let columns = chunks[index].columns
                    withUnsafePointer(to: values.baseAddress! + columns.lowerBound) { row in
                        row.withMemoryRebound(to: UnsafePointer<Float>.self, capacity: 1) {
                            kernels.squared_norms($0, 1, 0, columns.count, nil, &partial[index])
                        }
                    }
                }
            }
        }
        var norms = [Double](repeating: 0, count: domain.layout.leaves.count)
        for (chunk, sum) in zip(chunks, partial) { norms[chunk.leaf] += sum }
        return norms
    }
}
