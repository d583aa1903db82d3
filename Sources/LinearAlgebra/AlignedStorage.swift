import Requirements

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A fixed block of memory for numbers, aligned for vector loads and, when large, backed by huge pages.
///
/// The single place that owns raw memory in this module; everything else borrows from it.
package final class AlignedStorage<Element: BitwiseCopyable>: @unchecked Sendable {
    // Sendable is unchecked because writers must hold the only reference, which `Matrix` ensures by copying on write.
    package let base: UnsafeMutablePointer<Element>
    package let count: Int
    /// What the memory belongs to, where it is part of another block.
    private let owner: AlignedStorage?

    /// From this size on, two-megabyte pages are asked for: a pass over the block then misses the translation buffer
    /// once in 512 times as many bytes.
    static var hugePageThreshold: Int { 4 << 20 }

    /// Allocates `count` elements, all bytes zero.
    package convenience init(zeros count: Int) {
        self.init(undefined: count)
        memset(base, 0, count * MemoryLayout<Element>.stride)
    }

    /// Allocates `count` elements with undefined contents.
    package init(undefined count: Int) {
        require(count >= 0, "An aligned block cannot have \(count) elements.")
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        require(!overflow, "A block of \(count) elements is larger than the address space.")
        let large = bytes >= Self.hugePageThreshold
        var pointer: UnsafeMutableRawPointer?
        let status = posix_memalign(&pointer, large ? 2 << 20 : 64, max(bytes, 64))
        guard status == 0, let pointer else {
            fail("No memory for a block of \(count) elements (\(bytes) bytes).")
        }
        #if os(Linux)
            // A hint: where huge pages are off, ordinary ones do.
            let madviseHugePage: Int32 = 14
            if large { madvise(pointer, bytes, madviseHugePage) }
        #endif
        self.base = pointer.bindMemory(to: Element.self, capacity: count)
        self.count = count
        owner = nil
    }

    deinit { if owner == nil { free(base) } }

    /// Part of `other`'s elements, which are not copied, and stay as long as this block does.
    package init(part range: Range<Int>, of other: AlignedStorage) {
        require(
            range.lowerBound >= 0 && range.upperBound <= other.count,
            "A block of \(other.count) elements has no elements \(range).")
        base = other.base + range.lowerBound
        count = range.count
        owner = other
    }

    /// A copy of `other`'s elements in memory of their own.
    package convenience init(copying other: AlignedStorage) {
        self.init(undefined: other.count)
        base.update(from: other.base, count: count)
    }

    package var buffer: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: base, count: count) }
}
