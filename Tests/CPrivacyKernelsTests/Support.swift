import CPrivacyKernels
import Foundation
@_exported import _TestSupport

/// The instruction sets that this machine runs; checks that take one run on each.
enum Level: String, CaseIterable {
    case portable, avx2, avx512

    static let available = allCases.filter { dpk_kernels_at($0.level) != nil }

    var level: dpk_level {
        switch self {
        case .portable: DPK_PORTABLE
        case .avx2: DPK_AVX2
        case .avx512: DPK_AVX512
        }
    }

    var kernels: dpk_kernels { dpk_kernels_at(level)!.pointee }
}

/// Where the memory that nobody may touch is: right before the elements, or right after.
enum Fence: CaseIterable { case before, after }

/// Elements that end exactly where readable memory ends, or begin exactly where it begins: to read or write one too
/// many is a crash.
///
/// Whoever passes `base` on holds the buffer by `withExtendedLifetime`.
///
/// Elements need not be more than naturally aligned, and with most counts they are not.
final class FencedBuffer<Element: BitwiseCopyable> {
    let base: UnsafeMutablePointer<Element>
    let count: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int

    init(_ elements: [Element], fence: Fence = .after) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let bytes = elements.count * MemoryLayout<Element>.stride
        let usable = max(1, (bytes + page - 1) / page) * page
        mappedBytes = usable + 2 * page
        mapping = mmap(nil, mappedBytes, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0)
        precondition(mapping != MAP_FAILED, "No memory for a buffer of \(bytes) bytes.")
        mprotect(mapping + page, usable, PROT_READ | PROT_WRITE)
        let start = mapping + page + (fence == .after ? usable - bytes : 0)
        count = elements.count
        base = start.bindMemory(to: Element.self, capacity: count)
        base.initialize(from: elements, count: count)
    }

    deinit { munmap(mapping, mappedBytes) }

    var elements: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
