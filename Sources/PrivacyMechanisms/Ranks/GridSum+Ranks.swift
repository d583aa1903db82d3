import Foundation
import LinearAlgebra
import Requirements

extension GridSum {
    /// Adds up the sums of all ranks: each then has that of its share of the columns, and zeros elsewhere.
    ///
    /// Moves eight bytes for each column, and eight more for columns whose sum is in two parts.
    ///
    /// Traps unless all ranks have the same `terms`, and the same description of every part: integers that were bounded
    /// under one scale must not be read under another.
    ///
    /// **Guarantee:** a column's parts are then what they were on one rank that had added all examples: sums of the
    /// same integers. Traps for more examples than a sum can hold.
    func reduce(over ranks: Ranks, on grid: SumGrid, terms: RankTerms) {
        let all = ranks.gather(RankParts(of: self, terms).numbers).map(RankParts.init)
        for (rank, parts) in all.enumerated() {
            require(
                parts.terms == all[0].terms,
                "Rank \(rank) has another grid, noise multiplier, divisor or scale than rank 0: ranks need the same "
                    + "state, on processors that compute the same.")
        }
        let examples = all.reduce(0) { $0 + $1.examples }
        require(
            examples <= grid.mostExamples,
            "A sum on a grid of sensitivity \(grid.sensitivity) holds \(grid.mostExamples) examples, not the "
                + "\(examples) of \(ranks.count) ranks.")
        let rows = Self.union(all.map(\.rows))
        let fineColumns = Self.union(all.map(\.fine))
        for columns in fineColumns where all.contains(where: { !$0.fine.contains(columns) }) {
            let root = all.firstIndex { $0.fine.contains(columns) }!
            let own = fineParts.first { $0.columns == columns }
            let sent = ranks.broadcast(own.map(FinePart.coded) ?? Data(), from: root)
            if own == nil { _ = fineSum(for: columns) { FinePart(coded: sent) } }
        }
        let shares = ranks.shares(ofColumns: columns)
        func parts(_ ranges: [Range<Int>], of share: Range<Int>) -> [Range<Int>] {
            ranges.map { $0.clamped(to: share) }.filter { !$0.isEmpty }
        }
        let pieces = shares.map { (rows: parts(rows, of: $0), fine: parts(fineColumns, of: $0)) }
        let places = Ranks.consecutive(
            pieces.map { pieces in (pieces.rows + pieces.fine).reduce(0) { $0 + $1.count } })
        let numbers = memoryForRanks(count: places.last?.upperBound ?? 0)
        var place = 0
        for pieces in pieces {
            for columns in pieces.rows {
                takeRows(columns, to: numbers.base + place)
                place += columns.count
            }
            for columns in pieces.fine {
                takeFine(columns, to: numbers.base + place)
                place += columns.count
            }
        }
        ranks.collective.reduceScatter(UnsafeMutableBufferPointer(start: numbers.base, count: place), shares: places)
        // What was taken away is in `carried` and `fine` from here on, and `recent` is empty.
        forgetRows()
        place = 0
        for columns in pieces[ranks.rank].rows {
            putRows(columns, from: numbers.base + place)
            place += columns.count
        }
        for columns in pieces[ranks.rank].fine {
            _ = fine.map { ($0.base + columns.lowerBound).update(from: numbers.base + place, count: columns.count) }
            place += columns.count
        }
    }

    /// All ranges that any has, in order; one that covers all swallows the others.
    private static func union(_ ranges: [[Range<Int>]]) -> [Range<Int>] {
        let sorted = Set(ranges.joined()).sorted { ($0.lowerBound, -$0.count) < ($1.lowerBound, -$1.count) }
        return sorted.reduce(into: []) { kept, range in
            if let last = kept.last, last.upperBound >= range.upperBound { return }
            kept.append(range)
        }
    }
}

/// Which parts of a rank's sum hold anything.
private struct RankParts {
    let terms: Int
    let examples: Int
    let rows: [Range<Int>]
    let fine: [Range<Int>]

    init(of sum: GridSum, _ terms: RankTerms) {
        self.terms = Int(bitPattern: UInt(terms.digest))
        (examples, rows, fine) = (sum.exampleCount, sum.columnsWithRows, sum.fineParts.map(\.columns))
    }

    /// As numbers, for others.
    var numbers: [Int64] {
        ([terms, examples, rows.count] + (rows + fine).flatMap { [$0.lowerBound, $0.upperBound] }).map(Int64.init)
    }

    init(_ numbers: [Int64]) {
        let ranges = stride(from: 3, to: numbers.count, by: 2).map { Int(numbers[$0])..<Int(numbers[$0 + 1]) }
        terms = Int(numbers[0])
        examples = Int(numbers[1])
        rows = Array(ranges.prefix(Int(numbers[2])))
        fine = Array(ranges.dropFirst(Int(numbers[2])))
    }
}

extension FinePart {
    /// For a rank that has added nothing to it.
    fileprivate static func coded(_ part: FinePart) -> Data {
        guard let data = try? JSONEncoder().encode(part) else {
            fail("A part of a sum has weights that are not finite.")
        }
        return data
    }

    fileprivate init(coded data: Data) {
        guard let part = try? JSONDecoder().decode(FinePart.self, from: data) else {
            fail("Another rank sent \(data.count) bytes that do not describe a part of a sum.")
        }
        self = part
    }
}
