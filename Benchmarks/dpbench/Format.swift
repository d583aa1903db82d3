import Foundation

/// How numbers are shown in tables.
enum Format {
    static func seconds(_ value: Double) -> String { String(format: value < 0.001 ? "%.6f" : "%.4f", value) }
    static func decimals(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
    static func mebibytes(_ bytes: Int?) -> String { bytes.map { "\($0 >> 20)" } ?? "unknown" }
}
