import Foundation
import Requirements
import Synchronization

/// Ranks that are threads of one process: for tests, with the same protocol.
package struct LocalRanks: Collective {
    package let rank: Int
    private let meeting: Meeting

    package var count: Int { meeting.count }

    /// Runs `body` on `count` threads at once, each a rank, and returns what they returned, by rank.
    ///
    /// Traps if a rank throws, as the others would wait for it.
    package static func run<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Ranks) throws -> Value
    ) -> [Value] {
        let meeting = Meeting(count: count)
        let results = Mutex([Value?](repeating: nil, count: count))
        let group = DispatchGroup()
        for rank in 0..<count {
            group.enter()
            let thread = Thread {
                do {
                    let value = try body(Ranks(LocalRanks(rank: rank, meeting: meeting)))
                    results.withLock { $0[rank] = value }
                } catch {
                    fail("Rank \(rank) of \(count) threw, and the others would wait for it: \(error)")
                }
                group.leave()
            }
            thread.stackSize = 16 << 20
            thread.start()
        }
        group.wait()
        return results.withLock { $0.map { $0! } }
    }

    package func reduceScatter(_ numbers: UnsafeMutableBufferPointer<Int64>, shares: [Range<Int>]) {
        meeting.exchange(UnsafeMutableRawBufferPointer(numbers), rank) { all in
            let share = shares[rank]
            return share.map { place in
                all.reduce(Int64(0)) { $0 + $1.bindMemory(to: Int64.self)[place] }
            }
        } then: { (sums: [Int64]) in
            for (place, sum) in sums.enumerated() { numbers[place] = sum }
        }
    }

    package func allGather(_ bytes: UnsafeMutableRawBufferPointer, shares: [Range<Int>]) {
        meeting.exchange(bytes, rank) { all in
            shares.indices.flatMap { root in all[root][shares[root]] }
        } then: { (gathered: [UInt8]) in
            bytes.copyBytes(from: gathered)
        }
    }

    package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
        meeting.exchange(bytes, rank) { all in
            Array(all[root])
        } then: { (sent: [UInt8]) in
            bytes.copyBytes(from: sent)
        }
    }

    package func abort() -> Never { fail("Rank \(rank) ended all \(count) ranks.") }
}

/// Where threads meet, and see each other's memory.
private final class Meeting: Sendable {
    let count: Int
    private let condition = NSCondition()
    private let state = Mutex((arrived: 0, round: 0))
    private let memory: Mutex<[UInt]>
    private let sizes: Mutex<[Int]>

    init(count: Int) {
        self.count = count
        memory = Mutex(Array(repeating: 0, count: count))
        sizes = Mutex(Array(repeating: 0, count: count))
    }

    /// Waits for all; each then reads what it needs of all memory, and, once all have read, writes its own.
    func exchange<Value>(
        _ own: UnsafeMutableRawBufferPointer, _ rank: Int, _ read: ([UnsafeRawBufferPointer]) -> Value,
        then write: (Value) -> Void
    ) {
        memory.withLock { $0[rank] = UInt(bitPattern: own.baseAddress) }
        sizes.withLock { $0[rank] = own.count }
        wait()
        let all = zip(memory.withLock { $0 }, sizes.withLock { $0 }).map {
            UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: $0), count: $1)
        }
        require(
            Set(all.map(\.count)).count == 1, "Ranks exchange \(all.map(\.count)) bytes, but must exchange as many.")
        let value = read(all)
        wait()
        write(value)
    }

    private func wait() {
        condition.lock()
        defer { condition.unlock() }
        let round = state.withLock { state in
            state.arrived += 1
            if state.arrived == count { state = (0, state.round + 1) }
            return state.arrived == 0 ? state.round - 1 : state.round
        }
        if state.withLock({ $0.round }) != round { return condition.broadcast() }
        while state.withLock({ $0.round }) == round { condition.wait() }
    }
}
