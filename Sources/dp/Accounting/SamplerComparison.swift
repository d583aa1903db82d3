import Foundation
import PrivacyAccounting
import PrivateTraining

/// Every sampler at the same work.
struct SamplerComparison {
    let work: Workload
    /// z; nil where it is calibrated.
    let noiseMultiplier: Double?
    /// The ε that it is calibrated to.
    let epsilon: Double?
    let delta: Double
    let accountant: PlanAccountant
    /// The relation of all; nil for the first of each sampler's own.
    let relation: NeighboringRelation?

    /// The samplers that do the work, by ascending ε, or noise where that is calibrated. What is left out or not quite
    /// the same is noted.
    ///
    /// Throws ``UsageError`` if none is left.
    func rows() throws -> [ComparedRow] {
        var rows: [ComparedRow] = []
        for entry in SamplerEntry.all {
            for equivalent in entry.equivalents(work) {
                switch equivalent {
                case .none(let reason): note("\(entry.name) is left out: \(reason)")
                case .numbers(let numbers, let remark):
                    let numbers = numbers.merging(["exampleCount": .integer(work.exampleCount)]) { $1 }
                    let name = [entry.name, entry.text(of: numbers.filter { $0.key != "exampleCount" })]
                        .filter { !$0.isEmpty }.joined(separator: ", ")
                    do {
                        guard let row = try row(entry, numbers, name) else { continue }
                        rows.append(row)
                        if let remark { note("\(name): \(remark)") }
                    } catch let error as AccountingError {
                        note("\(name) is left out: \(error)")
                    } catch let error as UsageError {
                        note("\(name) is left out: \(error)")
                    }
                }
            }
        }
        if rows.isEmpty { throw UsageError(problems: ["No sampler can be compared at this work."]) }
        if Set(rows.map(\.relation)).count > 1 {
            note("An ε holds for the relation in its row: those of different relations are different promises.")
        }
        // A sort that keeps what is equal in the table's order.
        return rows.enumerated().sorted { first, second in
            let (a, b) = (rank(first.element), rank(second.element))
            return a == b ? first.offset < second.offset : a < b
        }.map(\.element)
    }

    private func rank(_ row: ComparedRow) -> Double { noiseMultiplier == nil ? row.noiseMultiplier : row.epsilon }

    /// The row of a sampler; nil for one that does not cover the relation, which is noted.
    private func row(_ entry: SamplerEntry, _ numbers: [String: JSONValue], _ name: String) throws -> ComparedRow? {
        let scheme = try entry.scheme(numbers)
        let covered = NeighboringRelation.allCases.filter(scheme.relations.contains)
        guard covered.contains(relation ?? covered[0]) else {
            let names = covered.map(\.rawValue).joined(separator: ", ")
            note("\(name) is left out: its analysis covers only \(names).")
            return nil
        }
        var setting = AccountedSetting(
            sampler: entry, numbers: numbers, iterations: work.iterations, noiseMultiplier: noiseMultiplier ?? 1,
            relation: relation ?? covered[0])
        let judge = accountant.make(relation: setting.relation)
        if let epsilon {
            let known = setting
            setting.noiseMultiplier = try Calibration(judge, epsilon: epsilon, delta: delta).noiseMultiplier {
                z throws(AccountingError) in try known.trial { $0.noiseMultiplier = z }
            }
        }
        return try ComparedRow(setting, name: name, delta: delta, accountant: judge)
    }
}
