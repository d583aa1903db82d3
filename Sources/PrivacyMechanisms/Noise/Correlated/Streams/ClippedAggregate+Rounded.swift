import CPrivacyKernels
import LinearAlgebra
import Requirements

extension ClippedAggregate {
    /// The grid of the exact sum; traps for a sum in floating point.
    var exactGrid: SumGrid {
        guard case .exact(_, let grid) = sum else {
            fail(
                "Correlated noise was asked for a floating-point sum: the aggregate was made for another kind of noise."
            )
        }
        return grid
    }

    /// How many numbers a sum has.
    var columns: Int { bounds.layout.count }

    /// Hands the exact sum out with noise that `add` adds to zeros in Float64, chunk by chunk and on several threads,
    /// and that is then rounded to integers.
    ///
    /// - Parameter add: gets a range of columns and where the noise of its first one goes.
    consuming func releasedRounded(
        _ add: @Sendable (_ columns: Range<Int>, _ noise: UnsafeMutablePointer<Double>) -> Void
    ) -> TransformedGradient<Transform> {
        releasedExactly { release in
            NormalChunks.forEach(in: release.columns) { columns in
                withUnsafeTemporaryAllocation(of: Double.self, capacity: columns.count) { noise in
                    withUnsafeTemporaryAllocation(of: Int32.self, capacity: columns.count) { integers in
                        noise.initialize(repeating: 0)
                        add(columns, noise.baseAddress!)
                        Kernels.active.round_to_integers(noise.baseAddress!, columns.count, integers.baseAddress!)
                        release.finish(columns, noise: integers.baseAddress!)
                    }
                }
            }
        }
    }
}
