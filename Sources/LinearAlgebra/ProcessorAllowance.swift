#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How many processors this process may run on.
///
/// On Linux the least of its affinity mask (`taskset`, cpusets) and the processor time that its control groups allow
/// (`cpu.max` of cgroup v2, `cpu.cfs_quota_us` of v1, as containers set them), rounded up; elsewhere, and where neither
/// is known, the number that is online. At least 1.
enum ProcessorAllowance {
    static var current: Int {
        var allowed = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        #if os(Linux)
            if let affinity = affinity(status: contents(of: "/proc/self/status") ?? "") {
                allowed = min(allowed, affinity)
            }
            let memberships = contents(of: "/proc/self/cgroup") ?? ""
            if let quota = quota(memberships: memberships, root: "/sys/fs/cgroup", contents: contents(of:)) {
                allowed = min(allowed, quota)
            }
        #endif
        return max(1, allowed)
    }

    /// The number of processors in the affinity mask; nil if `status`, the text of `/proc/self/status`, has none.
    ///
    /// The line `Cpus_allowed_list: 0-3,8` says 5.
    static func affinity(status: String) -> Int? {
        let name = "Cpus_allowed_list:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
        var count = 0
        for part in line.dropFirst(name.count).split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last else {
                return nil
            }
            count += last - first + 1
        }
        return count == 0 ? nil : count
    }

    /// The least whole number of processors that any control group of the process, or one above it, leaves it; nil if
    /// none sets a limit.
    ///
    /// Inside a container the paths of `memberships` may be those of the host: groups that are not found are passed
    /// over, up to the root.
    ///
    /// - Parameters:
    ///   - memberships: the text of `/proc/self/cgroup`.
    ///   - root: where control groups are mounted.
    ///   - contents: the text of a file; nil if there is none.
    static func quota(memberships: String, root: String, contents: (String) -> String?) -> Int? {
        var least: Int?
        for line in memberships.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",")
            guard parts[1].isEmpty || controllers.contains("cpu") else { continue }
            let mounts = parts[1].isEmpty ? [root] : ["\(root)/\(parts[1])", "\(root)/cpu"]
            for mount in mounts {
                for group in groups(from: parts[2]) {
                    let folder = mount + group
                    let allowed =
                        parts[1].isEmpty
                        ? contents(folder + "/cpu.max").flatMap(processors(cpuMax:))
                        : contents(folder + "/cpu.cfs_quota_us").flatMap { quota in
                            contents(folder + "/cpu.cfs_period_us").flatMap { processors(quota: quota, period: $0) }
                        }
                    if let allowed { least = min(least ?? allowed, allowed) }
                }
            }
        }
        return least
    }

    /// `path` and the paths above it, "" for the root.
    private static func groups(from path: Substring) -> [String] {
        var names = path.split(separator: "/")
        var groups = [""]
        while !names.isEmpty {
            groups.append("/" + names.joined(separator: "/"))
            names.removeLast()
        }
        return groups
    }

    /// The processors of a `cpu.max`: "150000 100000" are 2, "max 100000" is no limit.
    static func processors(cpuMax text: String) -> Int? {
        let fields = text.split { $0.isWhitespace }
        guard fields.count == 2 else { return nil }
        return processors(quota: String(fields[0]), period: String(fields[1]))
    }

    /// Microseconds of processor time in each period, rounded up to whole processors. Nil for a quota of "max" or −1,
    /// and for what is no number.
    static func processors(quota: String, period: String) -> Int? {
        func number(_ text: String) -> Int? { text.split { $0.isWhitespace }.first.flatMap { Int($0) } }
        guard let quota = number(quota), let period = number(period), quota > 0, period > 0 else { return nil }
        return (quota - 1) / period + 1
    }

    #if os(Linux)
        /// The text of one of the system's small files.
        private static func contents(of path: String) -> String? {
            guard let file = fopen(path, "r") else { return nil }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = fread(&bytes, 1, bytes.count, file)
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    #endif
}
