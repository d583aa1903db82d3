import Synchronization

/// A collective that counts what passes it: for measurements and tests.
package final class CountingCollective: Collective {
    /// What one rank has exchanged.
    package struct Traffic: Equatable, Sendable {
        /// Bytes of others' shares that were handed over to be summed, and bytes of others that came back. What the
        /// algorithms of a collective send beyond that is not in it.
        package var bytes = 0
        /// Seconds inside the collective, those included that were spent waiting for other ranks.
        package var seconds = 0.0
    }

    private let base: any Collective
    private let counted = Mutex(Traffic())

    package init(_ base: any Collective) {
        self.base = base
    }

    package var rank: Int { base.rank }
    package var count: Int { base.count }

    /// What was exchanged since the last call.
    package func takeTraffic() -> Traffic {
        counted.withLock { traffic in
            defer { traffic = Traffic() }
            return traffic
        }
    }

    private func count(_ bytes: Int, _ body: () -> Void) {
        let begin = ContinuousClock.now
        body()
        let seconds = begin.duration(to: .now) / .seconds(1)
        counted.withLock {
            $0.bytes += bytes
            $0.seconds += seconds
        }
    }

    package func reduceScatter(_ numbers: UnsafeMutableBufferPointer<Int64>, shares: [Range<Int>]) {
        count(MemoryLayout<Int64>.size * (numbers.count - shares[rank].count)) {
            base.reduceScatter(numbers, shares: shares)
        }
    }

    package func allGather(_ bytes: UnsafeMutableRawBufferPointer, shares: [Range<Int>]) {
        count(bytes.count - shares[rank].count) { base.allGather(bytes, shares: shares) }
    }

    package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
        count(rank == root ? 0 : bytes.count) { base.broadcast(bytes, from: root) }
    }

    package func abort() -> Never { base.abort() }
}
