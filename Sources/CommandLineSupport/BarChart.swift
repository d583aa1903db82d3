/// A chart of horizontal bars with their values, as a stand-alone SVG picture, legible on light and dark pages.
package struct BarChart {
    private let title: String
    private let unit: String
    private let bars: [(name: String, value: Double, label: String)]

    package init(title: String, unit: String, bars: [(name: String, value: Double, label: String)]) {
        self.title = title
        self.unit = unit
        self.bars = bars
    }

    /// The picture.
    package var svg: String {
        let axis = Axis(upTo: bars.map(\.value).max() ?? 1)
        let frame = SVGFrame(title: title, xLabel: unit, yLabel: "", leftMargin: 130)
        var body = ""
        for tick in axis.ticks {
            let x = frame.x(axis.fraction(tick))
            body += frame.verticalGridLine(at: x) + frame.xTick(at: x, label: Axis.label(tick))
        }
        let slot = frame.plotHeight / Double(max(1, bars.count))
        for (index, bar) in bars.enumerated() {
            let top = frame.top + slot * (Double(index) + 0.2)
            let width = frame.x(axis.fraction(bar.value)) - frame.left
            let middle = SVGFrame.number(top + slot * 0.3 + 4)
            body += """
                <rect x="\(SVGFrame.number(frame.left))" y="\(SVGFrame.number(top))" width="\(SVGFrame.number(width))" \
                height="\(SVGFrame.number(slot * 0.6))" fill="\(SVGFrame.colors[index % SVGFrame.colors.count])"/>
                <text x="\(SVGFrame.number(frame.left - 8))" y="\(middle)" text-anchor="end">\
                \(SVGFrame.escaped(bar.name))</text>
                <text x="\(SVGFrame.number(frame.left + width + 6))" y="\(middle)">\(SVGFrame.escaped(bar.label))</text>

                """
        }
        return frame.document(body: body)
    }
}
