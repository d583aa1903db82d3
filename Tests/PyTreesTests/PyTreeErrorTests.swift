import PyTrees
import Testing

struct PyTreeErrorTests {
    static let errors: [(PyTreeError, [String])] = [
        (.duplicatePath("a/b"), ["\"a/b\"", "twice"]),
        (.leafWithChildren("a"), ["\"a\"", "parent"]),
        (.scatteredSubtree("a"), ["\"a\"", "next to each other"]),
        (.negativeDimension(path: "a", shape: [2, -1]), ["\"a\"", "[2, -1]", "0 or more"]),
        (.elementCountOverflow(path: nil, shape: [.max, 2]), ["[9223372036854775807, 2]", "smaller"]),
        (.elementCountMismatch(path: "a", shape: [2, 3], count: 5), ["\"a\"", "[2, 3]", "5"]),
        (.valueCountMismatch(count: 3, expected: 4), ["3", "4"]),
        (.shapeMismatch(path: "a", shape: [2], expected: [3]), ["\"a\"", "[2]", "[3]"]),
        (.unexpectedLeaf("a", shape: [2]), ["\"a\"", "[2]", "remove"]),
        (.missingLeaf("a", shape: [2], found: "b"), ["\"a\"", "[2]", "\"b\""]),
        (.missingLeaf("a", shape: [2], found: nil), ["\"a\"", "[2]", "ends before it"]),
        (.unknownLeaf(.root), ["\"\" (the root)"]),
        (.malformedLine(number: 3, text: "x y"), ["3", "\"x y\"", "float32[3,4]"]),
        (.prefixWithoutSubtree(TreePath(["a/b"])), ["\"a~1b\"", "one level of nesting"]),
        (.prefixBelowLeaf("a"), ["\"a\"", "one value"]),
        (.uncoveredLeaf("a"), ["\"a\"", "no value"]),
        (.groupCountMismatch(count: 2, expected: 3), ["2", "3"]),
    ]

    @Test(arguments: errors)
    func messagesNameWhatWasFoundAndExpected(error: PyTreeError, parts: [String]) {
        for part in parts { #expect(error.description.contains(part), "\(error.description)") }
        #expect(error.description.hasSuffix("."))
        #expect(!error.description.contains("\n"))
    }

    @Test func errorsAreToldApartByTheirPayload() {
        #expect(PyTreeError.duplicatePath("a") == .duplicatePath("a"))
        #expect(PyTreeError.duplicatePath("a") != .duplicatePath("b"))
    }
}
