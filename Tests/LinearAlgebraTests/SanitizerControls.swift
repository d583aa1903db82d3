import CPrivacyKernels
import Foundation
import LinearAlgebra
import Testing

/// Mistakes made on purpose. `scripts/test-sanitized` runs each by itself, under the checks that must report it: a
/// build without these checks, or a report that nobody reads, would otherwise pass as a clean one.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SANITIZER_CONTROL"] != nil)) struct SanitizerControls {
    private static func allocated(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
        memory.initialize(repeating: 1)
        return memory
    }

    /// For the address sanitizer, in Swift.
    @Test func swiftReadsBeyondTheEnd() {
        let memory = Self.allocated(4)
        defer { memory.deallocate() }
        #expect(memory.baseAddress![memory.count].isFinite)
    }

    /// For the address sanitizer, in C, at the instruction set that `DPK_LEVEL` asks for: the rest of a vector is
    /// longer than what is left of the memory.
    @Test func aKernelWritesBeyondTheEnd() {
        let memory = Self.allocated(13)
        defer { memory.deallocate() }
        dpk_active_kernels().pointee.scale_toward_zero(1, 14, memory.baseAddress!)
    }

    /// For the thread sanitizer: the members of a team write the same element, and no barrier orders them.
    @Test func aTeamRaces() {
        Threads.limit = 2
        let memory = Self.allocated(1)
        defer { memory.deallocate() }
        nonisolated(unsafe) let shared = memory
        // Long enough that both members are awake: where one begins after the other has ended, locks order them.
        for _ in 0..<100 {
            Threads.withTeam(of: 2) { member in
                for _ in 0..<200_000 { shared[0] += Float(member.index) }
            }
        }
        #expect(memory[0] > 0)
    }

    /// For debug builds, which alone check an unsafe buffer's bounds.
    @Test func aBufferIsReadBeyondItsEnd() {
        let memory = Self.allocated(64)
        defer { memory.deallocate() }
        let part = UnsafeBufferPointer(rebasing: memory[..<4])
        #expect(part[part.count].isFinite)
    }
}
