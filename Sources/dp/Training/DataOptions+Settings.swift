import Foundation
import PrivateTraining

extension DataOptions {
    /// Sets what the options say of the data, and notes what is wrong with it together with what stands there already.
    func add(to settings: inout Settings) {
        if let path = data {
            if settings.file == nil || settings["data.kind"] == .text("digits") || settings["data.kind"] == nil {
                settings.complete("data.kind", with: .text(kind(of: path, noting: &settings).rawValue))
            }
            // Labels belong to the file that they were made for.
            if settings["data.path"] != nil, settings["data.kind"] != .text("text") {
                settings.remove("data.labels")
                settings.remove("data.lengths")
            }
            settings.set("data.path", to: .text(path))
        }
        if let path = testData {
            settings.remove("data.testLabels")
            settings.remove("data.testLengths")
            settings.set("data.testPath", to: .text(path))
        }
        if let labels {
            // Of a text they are a list of what they can be.
            let names = labels.split(separator: ",", omittingEmptySubsequences: false).map { JSONValue.text("\($0)") }
            settings.set("data.labels", to: settings["data.kind"] == .text("text") ? .list(names) : .text(labels))
        }
        if let path = testLabels { settings.set("data.testLabels", to: .text(path)) }
        if let path = lengths { settings.set("data.lengths", to: .text(path)) }
        if let path = testLengths { settings.set("data.testLengths", to: .text(path)) }
        settings.set("data.inputs", to: inputs)
        addText(to: &settings)
        if stream { settings.set("data.streaming", to: .flag(true)) }
        settings.set("data.shards", to: shards)
        settings.set("data.classCount", to: classes)
        if let path = schema { settings.set("data.schema", to: .text(path)) }
        if openRangesFromDataWithoutPrivacy {
            settings.set("data.takesOpenRangesFromDataWithoutPrivacy", to: .flag(true))
        }
        let isText = settings["data.kind"] == .text("text")
        let files = [
            ("--test-data", testData), ("--labels", isText ? nil : labels),
            ("--test-labels", testLabels), ("--lengths", lengths), ("--test-lengths", testLengths),
            ("--vocabulary", vocabulary == DataConfiguration.bytes ? nil : vocabulary),
            ("--schema", schema),
        ]
        files.forEach { settings.addMissing($0, at: $1) }
        if settings["data.kind"] == .text("csv"), settings["data.schema"] == nil {
            settings.add(
                "\(settings.name(of: "data.schema")) is missing: a JSON file that says what the columns of the CSV "
                    + "file mean, and what bounds they have; see 'dp help formats'.")
        }
    }

    private func addText(to settings: inout Settings) {
        if let vocabulary {
            // What a file lists belongs to that file.
            settings.remove("data.tokens")
            settings.set("data.vocabulary", to: .text(vocabulary))
        }
        settings.set("data.tokens", to: tokens)
        if length != nil { settings.remove("data.window") }
        if window != nil { settings.remove("data.length") }
        settings.set("data.length", to: length)
        settings.set("data.window", to: window)
        guard settings["data.kind"] == .text("text") else { return }
        let (lengthName, windowName) = (settings.name(of: "data.length"), settings.name(of: "data.window"))
        switch (settings["data.length"], settings["data.window"]) {
        case (nil, nil):
            settings.add(
                "\(lengthName) is missing: how many tokens are kept of each line. Or cut the text by \(windowName).")
        case (_?, _?): settings.add("\(lengthName) and \(windowName) both say what an example is: leave one out.")
        default: break
        }
        if settings["data.vocabulary"] == nil {
            settings.add(
                "\(settings.name(of: "data.vocabulary")) is missing: bytes, or a public file with a token a line that "
                    + "was not made of the text.")
        } else if settings["data.vocabulary"] == .text(DataConfiguration.bytes), settings["data.tokens"] != nil {
            settings.add("\(settings.name(of: "data.tokens")) means nothing: the tokens are bytes. Leave it out.")
        }
    }

    /// What the name of `path` says of its kind if there is nothing, which is noted.
    private func kind(of path: String, noting settings: inout Settings) -> DataConfiguration.Kind {
        do {
            let guess = try DataConfiguration.guess(path: path).kind
            return guess == .csv && vocabulary != nil ? .text : guess
        } catch {
            settings.add("--data: \(error)")
            if vocabulary != nil { return .text }
            if schema != nil { return .csv }
            return labels != nil || DataConfiguration.isNumPy(path) ? .numpy : .idx
        }
    }
}

extension Settings {
    /// Notes that there is no file at the path that an option gives; nothing if it gives none.
    mutating func addMissing(_ option: String, at path: String?) {
        if let path, !FileManager.default.fileExists(atPath: path) {
            add("\(option): \(TrainingConfigurationError.noSuchFile([path]))")
        }
    }
}
