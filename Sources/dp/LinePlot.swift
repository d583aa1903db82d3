import Foundation

/// A line plot as SVG text, legible on light and dark backgrounds.
struct LinePlot {
    struct Curve {
        let label: String
        let points: [(x: Double, y: Double)]
    }

    let title: String
    let xLabel: String
    let yLabel: String
    let curves: [Curve]

    private let width = 720.0
    private let height = 440.0
    private let left = 70.0
    private let right = 24.0
    private let top = 48.0
    private let bottom = 56.0

    // Hue and dash both tell the curves apart, so that colour is not needed to read the plot.
    private static let strokes = [
        (light: "#c2410c", dark: "#fb923c", dash: "7 4"), (light: "#1d4ed8", dark: "#60a5fa", dash: "none"),
        (light: "#047857", dark: "#34d399", dash: "2 3"),
    ]

    func svg() -> String {
        let xTicks = Self.ticks(upTo: curves.flatMap { $0.points.map(\.x) }.max() ?? 1)
        let yTicks = Self.ticks(upTo: curves.flatMap { $0.points.map(\.y) }.max() ?? 1)
        let (xTop, yTop) = (xTicks.last!, yTicks.last!)
        func x(_ value: Double) -> String { Self.short(left + value / xTop * (width - left - right)) }
        func y(_ value: Double) -> String { Self.short(height - bottom - value / yTop * (height - top - bottom)) }
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" "
                + "width=\"\(Int(width))\" height=\"\(Int(height))\" role=\"img\" "
                + "font-family=\"system-ui, sans-serif\" font-size=\"13\">",
            "<title>\(Self.escaped(title))</title>", style,
            "<rect class=\"back\" width=\"100%\" height=\"100%\"/>",
            "<text x=\"\(left)\" y=\"28\" font-size=\"15\">\(Self.escaped(title))</text>",
        ]
        for tick in xTicks {
            let position = "x=\"\(x(tick))\" y=\"\(height - bottom + 20)\""
            lines.append("<text \(position) text-anchor=\"middle\">\(Self.label(tick))</text>")
        }
        for tick in yTicks {
            lines.append("<path class=\"grid\" d=\"M\(left) \(y(tick))H\(width - right)\"/>")
            lines.append(
                "<text x=\"\(left - 8)\" y=\"\(y(tick))\" dy=\"4\" text-anchor=\"end\">\(Self.label(tick))</text>")
        }
        lines.append("<text x=\"\(x(xTop / 2))\" y=\"\(height - 12)\" text-anchor=\"middle\">\(xLabel)</text>")
        let middle = Self.short((top + height - bottom) / 2)
        lines.append("<text x=\"18\" y=\"\(middle)\" text-anchor=\"middle\">\(yLabel)</text>")
        for (index, curve) in curves.enumerated() {
            let points = curve.points.map { "\(x($0.x)) \(y($0.y))" }.joined(separator: " ")
            lines.append("<polyline class=\"c\(index % Self.strokes.count)\" points=\"\(points)\"/>")
            let row = top + 16 + 20 * Double(index)
            lines.append("<path class=\"c\(index % Self.strokes.count)\" d=\"M\(left + 14) \(row)h32\"/>")
            lines.append("<text x=\"\(left + 54)\" y=\"\(row)\" dy=\"4\">\(Self.escaped(curve.label))</text>")
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private var style: String {
        func curveRules(_ color: ((light: String, dark: String, dash: String)) -> String) -> String {
            Self.strokes.enumerated().map { ".c\($0) { stroke: \(color($1)); }" }.joined(separator: " ")
        }
        let dashes = Self.strokes.enumerated()
            .map { ".c\($0) { stroke-dasharray: \($1.dash); }" }.joined(separator: " ")
        return """
            <style>
            text { fill: #1f2937; } .back { fill: #ffffff; } .grid { stroke: #d1d5db; }
            [class^="c"] { fill: none; stroke-width: 2.2; } \(dashes)
            \(curveRules(\.light))
            @media (prefers-color-scheme: dark) {
            text { fill: #e5e7eb; } .back { fill: #111827; } .grid { stroke: #374151; }
            \(curveRules(\.dark))
            }
            </style>
            """
    }

    /// 0, step, 2·step, … to the first multiple at or above `top`, with a step of 1, 2 or 5 times a power of ten.
    static func ticks(upTo top: Double) -> [Double] {
        guard top > 0, top.isFinite else { return [0, 1] }
        let rough = top / 5
        let power = pow(10, log10(rough).rounded(.down))
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough * (1 - 1e-12) }!
        return (0...max(1, Int((top / step - 1e-9).rounded(.up)))).map { Double($0) * step }
    }

    private static func label(_ value: Double) -> String {
        let isWhole = abs(value) >= 1 && abs(value) < 1e7 && value == value.rounded()
        return isWhole ? "\(Int(value))" : String(format: "%.3g", value)
    }

    private static func short(_ value: Double) -> String { String(format: "%.2f", value) }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
}
