import LinearAlgebra
import Testing

struct TaskClaimsTests {
    private static let (threads, tasks, lots, rounds) = (4, 37, 3, 200)

    /// In every round, each thread takes tasks of each lot until there are none, from `makeNext`'s function of its own.
    /// Returns how many tasks were not handed out exactly once.
    private static func wrong(
        _ makeNext: @escaping @Sendable (_ claims: TaskClaims, _ thread: Int, _ lot: Int) -> Int?
    ) -> Int {
        var wrong = 0
        for _ in 0..<rounds {
            let claims = TaskClaims(lots: lots)
            let taken = (0..<threads).map { _ in Taken() }
            onThreads(threads) { thread in
                for lot in 0..<lots {
                    while let task = makeNext(claims, thread, lot) { taken[thread].tasks.append(lot * tasks + task) }
                }
            }
            var times = [Int](repeating: 0, count: lots * tasks)
            for task in taken.flatMap(\.tasks) { times[task] += 1 }
            wrong += times.count { $0 != 1 }
        }
        return wrong
    }

    /// The next task of each lot, for one thread.
    private final class Counters: @unchecked Sendable {
        var next = [Int](repeating: 0, count: TaskClaimsTests.lots)
    }

    /// What one thread took.
    private final class Taken: @unchecked Sendable {
        var tasks: [Int] = []
    }

    @Test func everyTaskIsClaimedOnce() {
        #expect(Self.wrong { claims, _, lot in claims.next(of: Self.tasks, lot: lot) } == 0)
    }

    @Test func theCheckSeesTasksLeftOutAndTakenTwice() {
        // Control: one task fewer than there are, in every round and lot.
        #expect(Self.wrong { claims, _, lot in claims.next(of: Self.tasks - 1, lot: lot) } == Self.rounds * Self.lots)
        // Control: counters that are not shared hand every task to every thread.
        let own = (0..<Self.threads).map { _ in Counters() }
        let misses = Self.wrong { claims, thread, lot in
            let next = own[thread].next[lot]
            own[thread].next[lot] = next < Self.tasks ? next + 1 : 0
            return next < Self.tasks ? next : nil
        }
        #expect(misses == Self.rounds * Self.lots * Self.tasks)
    }

    @Test func tasksComeInOrderAndNoMoreThanThereAre() {
        let claims = TaskClaims(lots: 2)
        #expect((0..<5).map { _ in claims.next(of: 3, lot: 1) } == [0, 1, 2, nil, nil])
        #expect(claims.next(of: 0) == nil)
        #expect(TaskClaims().next(of: 1) == 0)
    }

    @Test func aLotThatIsNotThereTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = TaskClaims(lots: 2).next(of: 1, lot: 2)
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("There is no lot 2 among 2."))
        let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = TaskClaims(lots: -1)
        }
        let sentence = String(decoding: negative?.standardErrorContent ?? [], as: UTF8.self)
        #expect(sentence.contains("There cannot be -1 lots of tasks."))
        await #expect(processExitsWith: .success) { _ = TaskClaims(lots: 2).next(of: 1, lot: 1) }
    }
}
