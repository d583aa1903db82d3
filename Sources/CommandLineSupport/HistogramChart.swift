/// Histograms over the same bins, one before the other, as a stand-alone SVG picture, legible on light and dark pages.
package struct HistogramChart {
    private let title: String
    private let xLabel: String
    private let yLabel: String
    private let range: ClosedRange<Double>
    private let series: [(name: String, counts: [Int])]
    private let mark: (value: Double, name: String)?

    /// - Parameters:
    ///   - range: what the bins divide into equal parts.
    ///   - series: a name for the legend, and how much is in each bin.
    ///   - mark: where a line stands; not drawn outside the range.
    package init(
        title: String, xLabel: String, yLabel: String, range: ClosedRange<Double>,
        series: [(name: String, counts: [Int])], mark: (value: Double, name: String)? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.range = Axis.padded(range.lowerBound, range.upperBound)
        self.series = series
        self.mark = mark
    }

    /// The picture.
    package var svg: String {
        let axis = Axis(upTo: Double(series.flatMap(\.counts).max() ?? 1))
        let frame = SVGFrame(title: title, xLabel: xLabel, yLabel: yLabel)
        let length = range.upperBound - range.lowerBound
        var body = frame.horizontalGrid(axis)
        for part in [0, 0.25, 0.5, 0.75, 1] {
            body += frame.xTick(at: frame.x(part), label: Axis.rounded(range.lowerBound + part * length))
        }
        for (index, bars) in series.enumerated() {
            for (bin, count) in bars.counts.enumerated() where count > 0 {
                let left = frame.x(Double(bin) / Double(bars.counts.count))
                let right = frame.x(Double(bin + 1) / Double(bars.counts.count))
                let top = frame.y(axis.fraction(Double(count)))
                body += """
                    <rect x="\(SVGFrame.number(left))" y="\(SVGFrame.number(top))" \
                    width="\(SVGFrame.number(right - left))" height="\(SVGFrame.number(frame.y(0) - top))" \
                    fill="\(SVGFrame.color(index))" fill-opacity="0.55"/>

                    """
            }
        }
        if let mark, range.contains(mark.value) {
            let x = SVGFrame.number(frame.x((mark.value - range.lowerBound) / length))
            body += """
                <line x1="\(x)" x2="\(x)" y1="\(SVGFrame.number(frame.y(1)))" y2="\(SVGFrame.number(frame.y(0)))" \
                stroke="#777" stroke-dasharray="4 3"/>
                <text x="\(x)" y="\(SVGFrame.number(frame.y(1) - 4))" text-anchor="middle">\
                \(SVGFrame.escaped(mark.name))</text>

                """
        }
        return frame.document(body: body, legend: series.map(\.name))
    }
}
