import Foundation
import Synchronization
import Testing

@testable import LinearAlgebra

/// Memory that the members of a team write to in places of their own.
private struct Slots: @unchecked Sendable {
    let values: UnsafeMutableBufferPointer<Int>

    init(_ count: Int) {
        values = .allocate(capacity: count)
        values.initialize(repeating: 0)
    }

    func deallocate() { values.deallocate() }
}

/// The limit is one for the process, and other tests may set it at any time. What depends on its value therefore runs
/// in a process of its own.
struct ThreadsTests {
    @Test func teamsAreAsLargeAsAskedForWithinTheLimit() async {
        await #expect(processExitsWith: .success) {
            for limit in [1, 2, 3, 8] {
                Threads.limit = limit
                guard Threads.limit == limit else { exit(2) }
                for size in [-1, 0, 1, 2, 3, 5, 9] {
                    let expected = max(1, min(size, limit))
                    let indices = Mutex([Int]())
                    let wrongCounts = Atomic(0)
                    Threads.withTeam(of: size) { member in
                        indices.withLock { $0.append(member.index) }
                        if member.count != expected { wrongCounts.add(1, ordering: .relaxed) }
                    }
                    let found = indices.withLock { $0.sorted() }
                    if found != Array(0..<expected) || wrongCounts.load(ordering: .relaxed) > 0 { exit(3) }
                }
            }
            exit(EXIT_SUCCESS)
        }
        // Control: the same test of a team of another size fails.
        await #expect(processExitsWith: .exitCode(3)) {
            Threads.limit = 2
            let indices = Mutex([Int]())
            Threads.withTeam(of: 3) { member in indices.withLock { $0.append(member.index) } }
            exit(indices.withLock { $0.sorted() } == [0, 1, 2] ? EXIT_SUCCESS : 3)
        }
    }

    @Test func aLimitBelowOneTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Threads.limit = 0
        }
        #if DEBUG
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains("The thread limit must be at least 1, and 0 was asked for."))
        #endif
        await #expect(processExitsWith: .success) { Threads.limit = 1 }
    }

    @Test func theLimitIsAtFirstTheNumberOfProcessorsThatAreAllowed() async {
        await #expect(processExitsWith: .success) {
            exit(Threads.limit == ProcessorAllowance.current ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test func sharesCoverTheRangeOnce() async {
        await #expect(processExitsWith: .success) {
            Threads.limit = 7
            for size in 1...7 {
                for range in [0..<0, 5..<5, 0..<1, 3..<9, -4..<3, 0..<7, 0..<8, 10..<1010] {
                    let shares = Mutex([(Int, Range<Int>)]())
                    Threads.withTeam(of: size) { member in
                        let share = member.share(of: range)
                        shares.withLock { $0.append((member.index, share)) }
                    }
                    let sorted = shares.withLock { $0.sorted { $0.0 < $1.0 }.map(\.1) }
                    let sizes = sorted.map(\.count)
                    // In order, without a gap or an overlap, and none longer than another by more than one.
                    if sorted.count != size || sorted.flatMap(Array.init) != Array(range) { exit(2) }
                    if sizes.max()! - sizes.min()! > 1 { exit(3) }
                }
            }
            exit(EXIT_SUCCESS)
        }
        // Control: the comparison sees an overlap and a gap.
        #expect([0..<3, 2..<4].flatMap(Array.init) != Array(0..<4))
        #expect([0..<1, 2..<4].flatMap(Array.init) != Array(0..<4))
    }

    @Test func membersWaitForEachOtherAndSeeWhatWasWritten() async {
        await #expect(processExitsWith: .success) {
            Threads.limit = 4
            for size in 1...4 {
                let slots = Slots(size)
                let misses = Atomic(0)
                defer { slots.deallocate() }
                Threads.withTeam(of: size) { member in
                    for phase in 1...300 {
                        slots.values[member.index] = phase
                        member.barrierWait()
                        for slot in slots.values where slot != phase { misses.add(1, ordering: .relaxed) }
                        member.barrierWait()
                    }
                }
                if misses.load(ordering: .relaxed) > 0 { exit(2) }
                // What the team wrote is visible when the call has returned.
                if !slots.values.allSatisfy({ $0 == 300 }) { exit(3) }
            }
            exit(EXIT_SUCCESS)
        }
        // Control: one member after the other, without a barrier, misses what is not yet written.
        let slots = Slots(2)
        defer { slots.deallocate() }
        var misses = 0
        for member in 0..<2 {
            slots.values[member] = 1
            misses += slots.values.count { $0 != 1 }
        }
        #expect(misses == 1)
    }

    @Test func aTeamInsideATeamHasOneMember() async {
        await #expect(processExitsWith: .success) {
            Threads.limit = 3
            let inner = Mutex([Int]())
            let outer = Atomic(0)
            Threads.withTeam(of: 3) { _ in
                outer.add(1, ordering: .relaxed)
                Threads.withTeam(of: 3) { member in
                    inner.withLock { $0.append(member.count) }
                    member.barrierWait()
                }
            }
            if inner.withLock({ $0 }) != [1, 1, 1] || outer.load(ordering: .relaxed) != 3 { exit(2) }
            // Control: after the team, on the same thread, teams are whole again.
            let sizes = Mutex([Int]())
            Threads.withTeam(of: 3) { member in sizes.withLock { $0.append(member.count) } }
            exit(sizes.withLock { $0 } == [3, 3, 3] ? EXIT_SUCCESS : 3)
        }
    }

    @Test func libraryCallsInsideATeamReturn() async {
        await #expect(processExitsWith: .success) {
            Threads.limit = 3
            let wrong = Atomic(0)
            Threads.withTeam(of: 3) { member in
                let a = Matrix(rows: 64, columns: 64, elements: [Float](repeating: 1, count: 4096))
                var c = Matrix(rows: 64, columns: 64)
                BLAS.gemm(a, .none, a, .none, into: &c)
                if c.elements != [Float](repeating: 64, count: 4096) { wrong.add(1, ordering: .relaxed) }
                member.barrierWait()
            }
            exit(wrong.load(ordering: .relaxed) == 0 ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test func severalCallersAtOnceAllGetTheirTeams() async {
        await #expect(processExitsWith: .success) {
            Threads.limit = 3
            let runs = Atomic(0)
            let errors = Atomic(0)
            let group = DispatchGroup()
            for caller in 0..<6 {
                group.enter()
                Thread.detachNewThread {
                    for round in 0..<50 {
                        let size = 1 + (caller + round) % 4
                        let slots = Slots(3)
                        Threads.withTeam(of: size) { member in
                            slots.values[member.index] = caller + 1
                            member.barrierWait()
                            if slots.values.prefix(member.count).contains(where: { $0 != caller + 1 }) {
                                errors.add(1, ordering: .relaxed)
                            }
                            runs.add(1, ordering: .relaxed)
                        }
                        slots.deallocate()
                        // Calls into BLAS take turns with the teams.
                        let a = Matrix(rows: 8, columns: 8, elements: [Float](repeating: 1, count: 64))
                        var c = Matrix(rows: 8, columns: 8)
                        BLAS.gemm(a, .none, a, .none, into: &c)
                        if c[7, 7] != 8 { errors.add(1, ordering: .relaxed) }
                    }
                    group.leave()
                }
            }
            group.wait()
            // Sizes 1, 2, 3, 3 in turn; of 50 rounds, each caller runs 12 full turns and two more.
            let expected = (0..<6).reduce(0) { sum, caller in
                sum + (0..<50).reduce(0) { $0 + min(3, 1 + (caller + $1) % 4) }
            }
            if errors.load(ordering: .relaxed) > 0 { exit(2) }
            exit(runs.load(ordering: .relaxed) == expected ? EXIT_SUCCESS : 3)
        }
    }

    @Test func productsDependOnTheLimitByRoundingAlone() async {
        // OpenBLAS adds in another order with another number of threads. An element has 407 terms of at most 1, so
        // either order is within (407 + 3)·ε·407 of the exact one, with ε = 2⁻²⁴.
        await #expect(processExitsWith: .success) {
            var generator = SeededGenerator(seed: 6)
            let (a, b) = (generator.matrix(301, 407), generator.matrix(407, 303))
            func product(_ a: Matrix, limit: Int) -> [Float] {
                Threads.limit = limit
                var c = Matrix(rows: 301, columns: 303)
                BLAS.gemm(a, .none, b, .none, into: &c)
                return c.elements
            }
            func isNear(_ left: [Float], _ right: [Float]) -> Bool {
                let tolerance: Float = 2 * 410 * 0x1p-24 * 407
                return zip(left, right).allSatisfy { ($0 - $1).magnitude <= tolerance }
            }
            let single = product(a, limit: 1)
            if ![2, 3, 5].allSatisfy({ isNear(product(a, limit: $0), single) }) { exit(2) }
            // Control: one wrong element in one operand is further away than that.
            var other = a
            other[17, 23] += 1
            exit(isNear(product(other, limit: 2), single) ? 3 : EXIT_SUCCESS)
        }
    }
}
