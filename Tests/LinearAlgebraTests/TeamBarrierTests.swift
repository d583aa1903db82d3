import LinearAlgebra
import Testing

/// Memory that threads share without locks; what they see of it is up to the barrier under test.
private struct Shared: @unchecked Sendable {
    let slots: UnsafeMutablePointer<Int>
    let misses: UnsafeMutablePointer<Int>
}

struct TeamBarrierTests {
    private static let phases = 300

    /// Each member writes its slot and, past the barrier, reads all of them. Returns how many were not as new as the
    /// phase.
    private static func misses(team: Int, atOnce: Bool, barrier: TeamBarrier) -> Int {
        let shared = Shared(slots: .allocate(capacity: team), misses: .allocate(capacity: team))
        shared.slots.initialize(repeating: 0, count: team)
        shared.misses.initialize(repeating: 0, count: team)
        defer {
            shared.slots.deallocate()
            shared.misses.deallocate()
        }
        let run: @Sendable (Int) -> Void = { member in
            for phase in 1...phases {
                shared.slots[member] = phase
                barrier.wait()
                for other in 0..<team where shared.slots[other] != phase { shared.misses[member] += 1 }
                barrier.wait()
            }
        }
        if atOnce {
            onThreads(team, run)
        } else {
            for member in 0..<team { onThreads(1) { _ in run(member) } }
        }
        return (0..<team).reduce(0) { $0 + shared.misses[$1] }
    }

    @Test(arguments: [1, 2, 3, 4, 7])
    func whatWasWrittenBeforeIsVisibleAfter(team: Int) {
        #expect(Self.misses(team: team, atOnce: true, barrier: TeamBarrier(count: team)) == 0)
    }

    @Test func theCheckSeesABarrierThatDoesNotWait() {
        // Control: a barrier for one lets each pass at once. The threads run one after the other, so that what they
        // miss is certain: of three members, each sees in every phase the other two, at 0 or at the last phase.
        let misses = Self.misses(team: 3, atOnce: false, barrier: TeamBarrier(count: 1))
        #expect(misses == 3 * (Self.phases * 2) - 3)
    }

    @Test func aBarrierForNobodyTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = TeamBarrier(count: 0)
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("A barrier needs at least one thread, and 0 were announced."))
        await #expect(processExitsWith: .success) { _ = TeamBarrier(count: 1) }
    }
}
