import Foundation

/// A linear axis between round numbers, with round ticks.
package struct Axis {
    let bottom: Double
    let top: Double
    let ticks: [Double]

    /// From zero on.
    init(upTo maximum: Double) { self.init(maximum > 0 && maximum.isFinite ? 0...maximum : 0...1) }

    /// As much as shows what lies in `range`.
    init(_ range: ClosedRange<Double>) {
        let range = Axis.padded(range.lowerBound, range.upperBound)
        let length = range.upperBound - range.lowerBound
        let power = pow(10, floor(log10(length / 4)))
        let step = power * ([1, 2, 2.5, 5, 10].first { $0 * power * 5 >= length } ?? 10)
        let first = Int((range.lowerBound / step).rounded(.down))
        let last = max(first + 1, Int((range.upperBound / step).rounded(.up)))
        (bottom, top) = (step * Double(first), step * Double(last))
        ticks = (first...last).map { step * Double($0) }
    }

    /// Where a value lies between the ends, from 0 to 1.
    func fraction(_ value: Double) -> Double { (value - bottom) / (top - bottom) }

    static func label(_ value: Double) -> String {
        value.magnitude >= 1e5 || (value != 0 && value.magnitude < 1e-3)
            ? String(format: "%.3g", value) : String(format: "%g", (value * 1e6).rounded() / 1e6)
    }

    /// A value of no round axis, with three digits.
    static func rounded(_ value: Double) -> String { String(format: "%.3g", value) }

    /// A range that is never empty, so that positions can be divided by its length.
    package static func padded(_ low: Double, _ high: Double) -> ClosedRange<Double> {
        low < high ? low...high : low - 0.5...high + 0.5
    }
}

/// The parts all charts share: size, margins, labels, grid, legend, colours.
struct SVGFrame {
    let title: String
    let xLabel: String
    let yLabel: String
    let left: Double
    let top = 44.0

    private let width = 720.0
    private let height = 400.0

    init(title: String, xLabel: String, yLabel: String, leftMargin: Double = 70) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        left = leftMargin
    }

    /// Okabe and Ito's palette, which colour-blind readers can tell apart, in the shades that show on black and white.
    static let colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]

    /// The colour of the series of a number: the first again where they are used up, for dashed lines.
    static func color(_ series: Int) -> String { colors[series % colors.count] }

    /// The attribute that tells the lines of one colour apart: none for the first.
    static func dashes(_ series: Int) -> String {
        let round = series / colors.count
        return round == 0 ? "" : " stroke-dasharray=\"\(round == 1 ? "8 4" : "2 3")\""
    }

    var plotHeight: Double { height - top - 58 }
    private var plotWidth: Double { width - left - 90 }

    func x(_ fraction: Double) -> Double { left + fraction * plotWidth }
    func y(_ fraction: Double) -> Double { top + (1 - fraction) * plotHeight }

    static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    func xTick(at x: Double, label: String) -> String {
        "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y(0) + 18))\" text-anchor=\"middle\">\(label)</text>\n"
    }

    func verticalGridLine(at x: Double) -> String {
        "<line class=\"grid\" x1=\"\(Self.number(x))\" x2=\"\(Self.number(x))\" y1=\"\(Self.number(y(1)))\" "
            + "y2=\"\(Self.number(y(0)))\"/>\n"
    }

    func horizontalGrid(_ axis: Axis) -> String {
        axis.ticks.map { tick in
            let place = y(axis.fraction(tick))
            return "<line class=\"grid\" x1=\"\(Self.number(x(0)))\" x2=\"\(Self.number(x(1)))\" "
                + "y1=\"\(Self.number(place))\" y2=\"\(Self.number(place))\"/>\n"
                + "<text x=\"\(Self.number(left - 8))\" y=\"\(Self.number(place + 4))\" text-anchor=\"end\">"
                + "\(Axis.label(tick))</text>\n"
        }.joined()
    }

    /// Names beside their keys, below the picture: two in a row, unless they are too long. One that stands at the axis
    /// is not said again.
    private func legend(_ names: [String]) -> (text: String, height: Double) {
        guard !names.isEmpty, names != [yLabel] else { return ("", 0) }
        let columns = names.contains { $0.count > 42 } ? 1 : 2
        let keys = names.enumerated().map { index, name in
            let y = height + 8 + 18 * Double(index / columns)
            let left = left + 310 * Double(index % columns)
            let color = Self.color(index)
            let dashes = Self.dashes(index)
            let middle = Self.number(y - 4)
            let key =
                dashes.isEmpty
                ? "<rect x=\"\(Self.number(left + 6))\" y=\"\(Self.number(y - 9))\" width=\"12\" height=\"10\" "
                    + "fill=\"\(color)\"/>"
                : "<line x1=\"\(Self.number(left))\" x2=\"\(Self.number(left + 20))\" y1=\"\(middle)\" "
                    + "y2=\"\(middle)\" stroke=\"\(color)\" stroke-width=\"2\"\(dashes)/>"
            return key + "\n<text x=\"\(Self.number(left + 26))\" y=\"\(Self.number(y))\">"
                + "\(Self.escaped(name))</text>\n"
        }
        return (keys.joined(), 18 * Double((names.count + columns - 1) / columns) + 8)
    }

    /// The picture of `body`, and of the names of its series.
    func document(body: String, legend names: [String] = []) -> String {
        let legend = legend(names)
        let total = Int(height + legend.height)
        let middle = Self.number(x(0.5))
        let sideways = "transform=\"rotate(-90)\" x=\"\(Self.number(-y(0.5)))\" y=\"18\" text-anchor=\"middle\""
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(total)" \
            width="\(Int(width))" height="\(total)" role="img" aria-label="\(Self.escaped(title))">
            <style>
            text { font: 12px system-ui, sans-serif; fill: #777; }
            .title { font-size: 15px; font-weight: 600; }
            .grid { stroke: #7774; }
            </style>
            <text class="title" x="\(middle)" y="24" text-anchor="middle">\(Self.escaped(title))</text>
            <text x="\(middle)" y="\(Self.number(height - 14))" text-anchor="middle">\(Self.escaped(xLabel))</text>
            <text class="vertical" \(sideways)>\(Self.escaped(yLabel))</text>
            \(body)\(legend.text)</svg>

            """
    }
}
