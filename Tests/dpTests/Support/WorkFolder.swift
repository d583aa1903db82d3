import Foundation
import Testing

/// A folder for a test's processes to work in, gone with the value.
final class WorkFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "dp-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

    func write(_ data: Data, to name: String) throws {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }

    func data(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }

    func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }

    func object(_ name: String) throws -> [String: Any] { try jsonObject(try text(name)) }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: url.appending(path: name).path) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(at: url.appending(path: name)) }

    /// Every file and folder below `name`, hidden ones included, with the bytes of files.
    func contents(of name: String = ".") throws -> [String: Data] {
        let root = url.appending(path: name)
        var contents: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: root.path) {
            contents[path] = (try? Data(contentsOf: root.appending(path: path))) ?? Data()
        }
        return contents
    }

    /// The names in the folder `name`.
    func names(in name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url.appending(path: name).path).sorted()
    }

    /// The lines of a metrics file.
    func metrics(_ run: String) throws -> [[String: Any]] {
        try text("\(run)/metrics.jsonl").split(separator: "\n").map { try jsonObject(String($0)) }
    }
}
