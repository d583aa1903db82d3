import Foundation
import Testing

@testable import LinearAlgebra

@Suite struct ProcessorAllowanceTests {
    @Test(
        arguments: [
            ("max 100000\n", nil), ("100000 100000\n", 1), ("150000 100000\n", 2), ("1000 100000\n", 1),
            ("400000 50000", 8), ("", nil), ("100000", nil), ("0 100000", nil), ("-1 100000", nil), ("5 0", nil),
        ] as [(String, Int?)])
    func quotasAreRoundedUpToWholeProcessors(_ text: String, _ expected: Int?) {
        #expect(ProcessorAllowance.processors(cpuMax: text) == expected)
    }

    private func quota(_ memberships: String, _ files: [String: String]) -> Int? {
        ProcessorAllowance.quota(memberships: memberships, root: "/cg") { files[$0] }
    }

    @Test func theLeastGroupOnTheWayUpDecides() {
        let files = [
            "/cg/a/cpu.max": "300000 100000", "/cg/a/b/cpu.max": "max 100000", "/cg/a/c/cpu.max": "100000 100000",
        ]
        #expect(quota("0::/a/b\n", files) == 3)
        #expect(quota("0::/a/c\n", files) == 1)
        #expect(quota("0::/elsewhere\n", files) == nil)
        // In a container the path is the host's, and the container's own group is the root.
        #expect(quota("0::/docker/1234\n", ["/cg/cpu.max": "200000 100000"]) == 2)
    }

    @Test func groupsOfTheFirstVersionAreRead() {
        let files = [
            "/cg/cpu,cpuacct/x/cpu.cfs_quota_us": "250000\n", "/cg/cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
            "/cg/cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "/cg/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        ]
        #expect(quota("11:memory:/x\n4:cpu,cpuacct:/x\n", files) == 3)
        #expect(quota("4:cpu,cpuacct:/\n", files) == nil)
        #expect(quota("11:memory:/x\n", files) == nil)
        #expect(quota("nonsense", files) == nil)
    }

    /// The system's own tool counts the same processors.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/nproc")))
    func noMoreThanTheAffinityMask() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nproc")
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let allowed = try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect((1...allowed).contains(ProcessorAllowance.current))
    }

    @Test(
        arguments: [
            ("Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8\nMems:\t1\n", 5),
            ("Cpus_allowed_list:\t7\n", 1), ("Cpus_allowed_list:\t\n", nil), ("Cpus_allowed_list:\t3-1\n", nil),
            ("Cpus_allowed_list:\tall\n", nil), ("", nil),
        ] as [(String, Int?)])
    func affinityMasksAreCounted(_ status: String, _ expected: Int?) {
        #expect(ProcessorAllowance.affinity(status: status) == expected)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/taskset")))
    func aMaskOfOneProcessorIsSeen() async {
        await #expect(processExitsWith: .success) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/taskset")
            process.arguments = ["-p", "-c", "0", "\(getpid())"]
            try process.run()
            process.waitUntilExit()
            if process.terminationStatus != 0 { exit(2) }
            exit(Threads.limit == 1 ? EXIT_SUCCESS : 3)
        }
    }
}
