import Requirements

/// The examples of one step, and which of them are one unit's: a collection of their indices, row by row.
///
/// The rows of a unit lie beside each other. What a unit gives to the sum is the mean of their gradients, clipped once
/// (``ClippedAggregate/add(_:meansOf:padding:)``).
///
/// **Guarantee:** no unit's rows are in more than one of the batch's ``blocks(ofAtMost:)``: part of a unit is never
/// clipped by itself.
public struct Batch: Hashable, Sendable {
    /// The example of each row; −1 for rows that only fill the batch up.
    public let examples: [Int]
    /// The rows of each unit; nil where each row is a unit by itself.
    public let units: UnitRows?

    /// Each example is a unit by itself.
    init(_ examples: [Int]) {
        self.examples = examples
        units = nil
    }

    /// The examples of each unit, of which none is empty.
    init(units: [[Int]]) {
        examples = Array(units.joined())
        self.units = units.count == examples.count ? nil : UnitRows(counts: units.map(\.count))
    }

    private init(examples: [Int], units: UnitRows?) {
        self.examples = examples
        self.units = units
    }

    /// The number of units, those included that only fill the batch up.
    public var unitCount: Int { units?.unitCount ?? examples.count }

    /// Whole units, in their order, in blocks of at most `rows` rows each; a unit that has more is a block by itself.
    /// The whole batch if `rows` is nil. An empty batch has no blocks. Traps for fewer than 1 row.
    public func blocks(ofAtMost rows: Int?) -> [Batch] {
        let most = rows ?? Swift.max(1, examples.count)
        require(most >= 1, "Blocks of \(most) examples were asked for; 1 is the smallest.")
        guard let units else {
            return stride(from: 0, to: examples.count, by: most).map { Batch(Array(examples[$0...].prefix(most))) }
        }
        var blocks: [Batch] = []
        var begin = 0
        for unit in 0..<units.unitCount {
            let isFull = units[unit].upperBound - units[begin].lowerBound > most
            if isFull, unit > begin {
                blocks.append(block(of: begin..<unit, in: units))
                begin = unit
            }
        }
        return blocks + [block(of: begin..<units.unitCount, in: units)]
    }

    private func block(of members: Range<Int>, in units: UnitRows) -> Batch {
        let rows = units[members.lowerBound].lowerBound..<units[members.upperBound - 1].upperBound
        return Batch(
            examples: Array(examples[rows]),
            units: rows.count == members.count ? nil : UnitRows(counts: members.map { units[$0].count }))
    }

    /// The same with −1 at its end, up to a multiple of `multiple` rows, each of them a unit by itself. An empty batch
    /// stays empty. Traps for a multiple below 1.
    public func padded(toMultipleOf multiple: Int) -> Batch {
        require(multiple >= 1, "A batch is filled up to a multiple of \(multiple), but it must be at least 1.")
        let missing = (multiple - examples.count % multiple) % multiple
        if missing == 0 { return self }
        return Batch(
            examples: examples + repeatElement(-1, count: missing),
            units: units.map { units in
                UnitRows(counts: (0..<units.unitCount).map { units[$0].count } + repeatElement(1, count: missing))
            })
    }

    /// Whose gradients come beside each other if each row comes back as `copies` of them; nil where each is by itself.
    package func units(copies: Int) -> UnitRows? {
        if copies == 1 { return units }
        return UnitRows(counts: (0..<unitCount).map { copies * (units?[$0].count ?? 1) })
    }

    /// For each unit, whether it only fills the batch up; nil if none does.
    public var padding: [Bool]? {
        guard examples.last == -1 else { return nil }
        guard let units else { return examples.map { $0 < 0 } }
        return (0..<units.unitCount).map { examples[units[$0].lowerBound] < 0 }
    }
}

extension Batch: RandomAccessCollection {
    /// The first row.
    public var startIndex: Int { 0 }

    /// The number of rows.
    public var endIndex: Int { examples.count }

    /// The example of a row; −1 if the row only fills the batch up.
    public subscript(row: Int) -> Int { examples[row] }
}
