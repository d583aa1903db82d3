import CommandLineSupport
import Foundation
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct ChartTests {
    /// Counts elements, and fails on what is not well-formed XML.
    private final class Counter: NSObject, XMLParserDelegate {
        var counts: [String: Int] = [:]

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) { counts[name, default: 0] += 1 }

        static func count(_ svg: String) throws -> [String: Int] {
            let counter = Counter()
            let parser = XMLParser(data: Data(svg.utf8))
            parser.delegate = counter
            try #require(parser.parse(), "The picture is not well-formed XML.")
            return counter.counts
        }
    }

    @Test func linesAndPointsAreDrawn() throws {
        let chart = LineChart(
            title: "a < b & c", xLabel: "x", yLabel: "y", xScale: .logarithmic,
            series: [
                .init(name: "first", points: [(1, 1), (10, 3), (100, 2)]),
                .init(name: "second", points: [(1, 0.5), (0, 7), (10, .nan)]),
            ])
        let counts = try Counter.count(chart.svg)
        #expect(counts["polyline"] == 2)
        // Zero has no place on a logarithmic axis, and NaN on none.
        #expect(counts["circle"] == 4)
    }

    /// An axis from zero on, or one of the values' own range between round numbers; of one value, from zero.
    @Test func axesShowTheRange() {
        func labels(_ values: [Double], showsZero: Bool) -> [Substring] {
            let points = values.enumerated().map { (x: Double($0), y: $1) }
            let chart = LineChart(
                title: "", xLabel: "", yLabel: "", showsZero: showsZero, series: [.init(name: "", points: points)])
            return chart.svg.matches(of: /text-anchor="end">([^<]*)</).map(\.output.1)
        }
        #expect(labels([0.81, 0.93], showsZero: false) == ["0.8", "0.825", "0.85", "0.875", "0.9", "0.925", "0.95"])
        #expect(labels([0.81, 0.93], showsZero: true) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
        #expect(labels([0.9], showsZero: false) == labels([0.9], showsZero: true))
        #expect(labels([0.99, 1], showsZero: false).last == "1")
    }

    /// There are six colours: the lines of one colour differ by their dashes, in the legend too.
    @Test func linesOfOneColourAreToldApart() throws {
        func svg(_ count: Int) -> String {
            let series = (0..<count).map { LineChart.Series(name: "\($0)", points: [(0, 1), (1, 2)]) }
            return LineChart(title: "", xLabel: "", yLabel: "", series: series).svg
        }
        #expect(!svg(6).contains("stroke-dasharray"))
        let many = svg(13)
        #expect(try Counter.count(many)["polyline"] == 13)
        #expect(many.matches(of: /<polyline[^>]*stroke-dasharray="8 4"/).count == 6)
        #expect(many.matches(of: /<polyline[^>]*stroke-dasharray="2 3"/).count == 1)
        #expect(many.matches(of: /<line x1[^>]*stroke-dasharray/).count == 7)
    }

    @Test func barsAreDrawn() throws {
        let chart = BarChart(title: "t", unit: "s", bars: [("a", 1, "1 s"), ("b", 0, "0 s"), ("<c>", 2.5, "2.5 s")])
        #expect(try Counter.count(chart.svg)["rect"] == 3)
    }

    /// A bar for each bin that has something, two keys of the legend, and a line where the mark is, if it is inside.
    @Test func histogramsAreDrawn() throws {
        func counts(mark: Double) throws -> [String: Int] {
            let chart = HistogramChart(
                title: "t", xLabel: "x", yLabel: "y", range: -1...1,
                series: [("<in>", [0, 2, 3]), ("out", [4, 0, 0])], mark: (mark, "threshold"))
            return try Counter.count(chart.svg)
        }
        let (inside, outside) = (try counts(mark: 0.5), try counts(mark: .infinity))
        #expect(inside["rect"] == 3 + 2)
        #expect(inside["line"] == outside["line"].map { $0 + 1 })
    }

    @Test func nothingToDrawIsStillAPicture() throws {
        #expect(try Counter.count(BarChart(title: "", unit: "", bars: []).svg)["svg"] == 1)
        #expect(try Counter.count(LineChart(title: "", xLabel: "", yLabel: "", series: []).svg)["svg"] == 1)
    }

    @Test func aFileThatCannotBeWrittenIsNamed() {
        let error = #expect(throws: CommandLineError.self) { try writeFile("x", to: "/nowhere/chart.svg") }
        guard case .cannotWrite(path: "/nowhere/chart.svg", _) = error else {
            Issue.record("\(String(describing: error)) does not name the path.")
            return
        }
    }
}
