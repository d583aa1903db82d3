/// The places of texts in a list, looked up by their bytes.
struct CategoryTable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    /// The place of a text by its hash (or the next free slot), −1 where there is none; more than half of them are
    /// free.
    private var slots: [Int]

    init(_ texts: [String] = []) {
        slots = Array(repeating: -1, count: 16)
        for var text in texts { text.withUTF8 { _ = insert($0) } }
    }

    /// The number of texts.
    var count: Int { ends.count }

    /// The texts in the order of their places.
    var texts: [String] { ends.indices.map { String(decoding: bytes[range($0)], as: UTF8.self) } }

    /// The place of a text; nil if it is not in the list.
    func index(of text: UnsafeBufferPointer<UInt8>) -> Int? {
        let index = slots[slot(of: text)]
        return index < 0 ? nil : index
    }

    /// The place of a text, which is put at the end of the list if it is not there yet.
    mutating func insert(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        let slot = slot(of: text)
        if slots[slot] >= 0 { return slots[slot] }
        slots[slot] = ends.count
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        if 2 * ends.count >= slots.count { grow() }
        return ends.count - 1
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: 4 * slots.count)
        bytes.withUnsafeBufferPointer { bytes in
            for index in ends.indices {
                slots[slot(of: UnsafeBufferPointer(rebasing: bytes[range(index)]))] = index
            }
        }
    }

    private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    /// The slot that holds the text, or is free for it.
    private func slot(of text: UnsafeBufferPointer<UInt8>) -> Int {
        // Seeded anew in each process: no file can be made to collide.
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(text))
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot] >= 0, !matches(slots[slot], text) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private func matches(_ index: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let range = range(index)
        guard range.count == text.count else { return false }
        for offset in 0..<text.count where bytes[range.lowerBound + offset] != text[offset] { return false }
        return true
    }
}
