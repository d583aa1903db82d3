import Foundation

extension CSVSchema {
    /// Throws ``DatasetError/invalidSchema(column:problem:)`` if the schema contradicts itself.
    public func validate() throws(DatasetError) {
        guard let separator = separator.utf8.first, self.separator.utf8.count == 1, separator < 0x80,
            !"\"\r\n ".utf8.contains(separator)
        else { throw invalid("has the separator \"\(self.separator)\": use one ASCII character such as a comma.") }
        if let commentPrefix,
            commentPrefix.isEmpty || commentPrefix.utf8.contains(where: { "\"\r\n ".utf8.contains($0) })
        {
            throw invalid(
                "has the comment prefix \"\(commentPrefix)\": leave it out, or use characters such as # or |.")
        }
        var names: Set<String> = []
        for column in columns {
            guard names.insert(column.name).inserted else {
                throw .invalidSchema(
                    column: column.name, problem: "occurs twice: give each column a name of its own.")
            }
            try column.validate()
        }
        let answers = columns.filter(\.kind.isAnswer)
        guard answers.count <= 1 else {
            throw invalid(
                "has \(answers.count) columns of the kinds label and target: it must have one, or none to predict "
                    + "only.")
        }
        guard featureCount != 0 else { throw invalid("has no column that becomes a feature: give it one.") }
    }

    private func invalid(_ problem: String) -> DatasetError {
        .invalidSchema(column: nil, problem: problem)
    }
}

extension CSVSchema.Column {
    fileprivate func validate() throws(DatasetError) {
        switch kind {
        case .numeric(let numeric):
            if let fill = numeric.fill, !fill.isFinite {
                throw invalid("has the fill \(fill): use a finite number.")
            }
            try requireBounds(numeric.lower, numeric.upper)
            if numeric.isLogarithmic, let bound = [numeric.lower, numeric.upper].compactMap(\.self).min(), bound <= -1 {
                throw invalid("has the bound \(bound), of which there is no log1p: use bounds above -1.")
            }
            if numeric.hasIndicator && numeric.fill == nil {
                throw invalid("has an indicator of missing values but no fill: give it one.")
            }
        case .buckets(let edges, _):
            guard !edges.isEmpty, edges.allSatisfy(\.isFinite), zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
            else {
                throw invalid("has the edges \(edges): use finite numbers, one at least, each above the one before.")
            }
        case .categorical(let categories, _):
            if let categories { try requireDistinct(categories, atLeast: 1, "categories") }
        case .label(let classes, _):
            try requireDistinct(classes, atLeast: 2, "classes")
        case .target(let lower, let upper):
            try requireBounds(lower, upper)
        case .ignored:
            break
        }
    }

    private func requireBounds(_ lower: Double?, _ upper: Double?) throws(DatasetError) {
        for bound in [lower, upper].compactMap(\.self) where !bound.isFinite {
            throw invalid("has the bound \(bound): use finite numbers.")
        }
        if let lower, let upper, !(lower < upper && (upper - lower).isFinite) {
            throw invalid("has the bounds \(lower) and \(upper): the lower one must be less than the upper one.")
        }
    }

    private func requireDistinct(_ texts: [String], atLeast minimum: Int, _ what: String) throws(DatasetError) {
        guard texts.count >= minimum else { throw invalid("has \(texts.count) \(what): list at least \(minimum).") }
        var seen: Set<String> = []
        for text in texts where !seen.insert(text).inserted {
            throw invalid("lists \"\(text)\" twice among its \(what): list each once.")
        }
    }

    private func invalid(_ problem: String) -> DatasetError { .invalidSchema(column: name, problem: problem) }
}
