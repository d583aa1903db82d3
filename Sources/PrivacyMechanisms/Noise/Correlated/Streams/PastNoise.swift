import CPrivacyKernels
import LinearAlgebra

/// The independent noise of a step.
enum PastNoise: Sendable {
    /// In the stream, from this place on.
    case drawn(at: UInt64)
    /// In memory.
    case kept(AlignedStorage<Double>)
}

extension NormalSource {
    /// sum[j] += factor · (number j of `noise`), for the `numbers` of a chunk.
    func add(
        _ noise: PastNoise, _ numbers: Range<Int>, factor: Double, to sum: UnsafeMutablePointer<Double>
    ) {
        switch noise {
        case .drawn(let place): add(numbers, from: place, factor: factor, to: sum)
        case .kept(let values):
            Kernels.active.add_wide_multiple(values.base + numbers.lowerBound, numbers.count, factor, sum)
        }
    }

    /// The first `count` numbers of `noise`, in memory: what is given, if it is long enough and nobody else has it.
    func kept(
        _ noise: PastNoise, count: Int, in memory: AlignedStorage<Double>? = nil
    ) -> AlignedStorage<Double> {
        guard case .drawn(let place) = noise else {
            if case .kept(let values) = noise { return values }
            return AlignedStorage(zeros: count)
        }
        let values = memory.flatMap { $0.count == count ? $0 : nil } ?? AlignedStorage<Double>(zeros: count)
        NormalChunks.forEach(in: 0..<count) { numbers in
            let begin = values.base + numbers.lowerBound
            begin.update(repeating: 0, count: numbers.count)
            add(numbers, from: place, factor: 1, to: begin)
        }
        return values
    }
}

/// Chunks of numbers that threads share.
enum NormalChunks {
    /// Even: chunks begin with a block of their own.
    static let length = 4096

    /// Calls `body` for chunks of `numbers`, on several threads if there are some 2¹⁶ numbers for each.
    static func forEach(in numbers: Range<Int>, _ body: @Sendable (Range<Int>) -> Void) {
        let (first, count) = (numbers.lowerBound, numbers.count)
        TaskTeam.run(tasks: TaskTeam.pieces(of: count, length: length), work: 4 * count) { chunk, _ in
            let piece = TaskTeam.piece(chunk, of: count, length: length)
            body(first + piece.lowerBound..<first + piece.upperBound)
        }
    }
}
