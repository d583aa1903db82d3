import Foundation
import LinearAlgebra

/// Runs of several competitors, taken in turn: A B C A B C …
struct Measurement {
    /// Seconds per run, by competitor.
    private(set) var seconds: [[Double]]

    /// Runs each competitor once unmeasured, then `runs` times in turn.
    ///
    /// - Parameter inLoop: Each measured run follows an unmeasured one of the same competitor, so that it finds the
    ///   caches as its own last run left them, not as another's.
    init(
        runs: Int, inLoop: Bool = false, of competitors: [() throws -> Void],
        progress: (_ run: Int) -> Void = { _ in }
    ) throws {
        seconds = Array(repeating: [], count: competitors.count)
        for run in 0...runs {
            progress(run)
            for (index, competitor) in competitors.enumerated() {
                if inLoop { try competitor() }
                let begin = ContinuousClock.now
                try competitor()
                let elapsed = begin.duration(to: .now)
                if run > 0 { seconds[index].append(elapsed / .seconds(1)) }
            }
        }
    }

    func median(of competitor: Int) -> Double { Self.median(seconds[competitor]) }

    /// The median of the quotients of runs that were taken beside each other.
    func medianRatio(of competitor: Int, to other: Int) -> Double {
        Self.median(zip(seconds[competitor], seconds[other]).map { $0 / $1 })
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

/// The most memory that the process held at once since the last reset.
enum PeakMemory {
    /// Forgets the peak so far, where the system allows it (Linux).
    static func reset() {
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    }

    /// Bytes, or nil where the system does not say.
    static var bytes: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").compactMap { Int($0) }.first.map { $0 << 10 }
    }
}

/// One read of a matrix on all threads: the yardstick that no pass over it can beat.
enum MemoryRead {
    static func run(_ elements: UnsafeBufferPointer<Float>) -> Float {
        let threads = Threads.limit
        let sums = UnsafeMutableBufferPointer<Float>.allocate(capacity: threads)
        sums.initialize(repeating: 0)
        defer { sums.deallocate() }
        Threads.withTeam(of: threads) { member in
            sums[member.index] = sum(UnsafeBufferPointer(rebasing: elements[member.share(of: 0..<elements.count)]))
        }
        return sums.reduce(0, +)
    }

    /// Four independent sums of sixteen lanes, which keep more loads under way than memory can answer.
    private static func sum(_ elements: UnsafeBufferPointer<Float>) -> Float {
        guard let base = elements.baseAddress else { return 0 }
        let raw = UnsafeRawPointer(base)
        var (a, b, c, d) = (SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero)
        let whole = elements.count / 64 * 64
        for index in stride(from: 0, to: whole * 4, by: 256) {
            a += raw.loadUnaligned(fromByteOffset: index, as: SIMD16<Float>.self)
            b += raw.loadUnaligned(fromByteOffset: index + 64, as: SIMD16<Float>.self)
            c += raw.loadUnaligned(fromByteOffset: index + 128, as: SIMD16<Float>.self)
            d += raw.loadUnaligned(fromByteOffset: index + 192, as: SIMD16<Float>.self)
        }
        return elements[whole...].reduce((a + b + (c + d)).sum(), +)
    }
}
