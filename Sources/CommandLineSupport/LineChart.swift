import Foundation

/// A chart of lines over a numeric axis, as a stand-alone SVG picture that is legible on light and dark pages.
package struct LineChart {
    /// One line: a name for the legend and its points, in the order of x.
    package struct Series {
        let name: String
        let points: [(x: Double, y: Double)]

        package init(name: String, points: [(x: Double, y: Double)]) {
            self.name = name
            self.points = points
        }
    }

    package enum Scale {
        case linear
        case logarithmic
    }

    private let title: String
    private let xLabel: String
    private let yLabel: String
    private let xScale: Scale
    private let showsZero: Bool
    private let series: [Series]

    /// - Parameter showsZero: whether the vertical axis begins at zero; otherwise it shows what lies between the
    ///   smallest and the largest value, if they are positive and differ.
    package init(
        title: String, xLabel: String, yLabel: String, xScale: Scale = .linear, showsZero: Bool = true,
        series: [Series]
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.xScale = xScale
        self.showsZero = showsZero
        self.series = series
    }

    /// The picture. Points that cannot be drawn (not finite, or not positive on a logarithmic axis) are left out.
    package var svg: String {
        let drawable = series.map { line in
            line.points.filter { $0.x.isFinite && $0.y.isFinite && (xScale == .linear || $0.x > 0) }
        }
        let xs = drawable.joined().map { position($0.x) }
        let xRange = Axis.padded(xs.min() ?? 0, xs.max() ?? 1)
        let ys = drawable.joined().map(\.y)
        let (low, high) = (showsZero ? 0 : ys.min() ?? 0, ys.max() ?? 1)
        let yAxis = low > 0 && low < high ? Axis(low...high) : Axis(upTo: high)
        let frame = SVGFrame(title: title, xLabel: xLabel, yLabel: yLabel)
        var body = frame.horizontalGrid(yAxis)
        for x in ticks(drawable.joined().map(\.x)) {
            let place = frame.x((position(x) - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound))
            body += frame.xTick(at: place, label: Axis.label(x))
        }
        for (index, points) in drawable.enumerated() {
            let (color, dashes) = (SVGFrame.color(index), SVGFrame.dashes(index))
            let places = points.map { point in
                let x = (position(point.x) - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
                return (frame.x(x), frame.y(yAxis.fraction(point.y)))
            }
            let path = places.map { "\(SVGFrame.number($0)),\(SVGFrame.number($1))" }.joined(separator: " ")
            body += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"\(dashes)/>\n"
            for (x, y) in places {
                body +=
                    "<circle cx=\"\(SVGFrame.number(x))\" cy=\"\(SVGFrame.number(y))\" r=\"3\" fill=\"\(color)\"/>\n"
            }
        }
        return frame.document(body: body, legend: series.map(\.name))
    }

    /// The points' own places where they are few; round numbers, or powers of ten, where they are many.
    private func ticks(_ xs: [Double]) -> [Double] {
        let places = Set(xs).sorted()
        guard places.count > 8, let low = places.first, let high = places.last else { return places }
        switch xScale {
        case .linear: return Axis(upTo: high).ticks.filter { $0 >= low && $0 <= high }
        case .logarithmic: return (-30...30).map { pow(10, Double($0)) }.filter { $0 >= low && $0 <= high }
        }
    }

    private func position(_ x: Double) -> Double {
        xScale == .linear ? x : log2(x)
    }
}
