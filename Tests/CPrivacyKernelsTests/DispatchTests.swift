import CPrivacyKernels
import Foundation
import Testing

/// What `dpk_active_kernels` chooses is read once, so that each choice needs a process of its own.
struct DispatchTests {
    @Test func theTableNamesItsLevels() {
        #expect(Level.available.contains(.portable))
        for level in Level.available { #expect(level.kernels.level == level.level) }
        #expect(dpk_kernels_at(dpk_level(rawValue: 3)) == nil)
    }

    @Test(arguments: ["portable", "avx2", "avx512", "", "AVX2", "nonsense"])
    func theEnvironmentLowersTheLevel(wanted: String) async throws {
        let ceiling = Level(rawValue: wanted) ?? .avx512
        let expected = try #require(Level.available.last { $0.level.rawValue <= ceiling.level.rawValue }).level.rawValue
        await #expect(processExitsWith: .success) { [wanted = wanted as String, expected = expected as UInt32] in
            setenv("DPK_LEVEL", wanted, 1)
            exit(dpk_active_kernels().pointee.level.rawValue == expected ? EXIT_SUCCESS : EXIT_FAILURE)
        }
        // Control: no other level passes for this one.
        await #expect(processExitsWith: .failure) { [wanted = wanted as String, expected = expected as UInt32] in
            setenv("DPK_LEVEL", wanted, 1)
            exit(dpk_active_kernels().pointee.level.rawValue == (expected + 1) % 3 ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test func theEnvironmentIsReadOnce() async throws {
        let best = try #require(Level.available.last).level.rawValue
        await #expect(processExitsWith: .success) { [best = best as UInt32] in
            unsetenv("DPK_LEVEL")
            let first = dpk_active_kernels().pointee.level.rawValue
            setenv("DPK_LEVEL", "portable", 1)
            let second = dpk_active_kernels().pointee.level.rawValue
            exit(first == best && second == best ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }
}
