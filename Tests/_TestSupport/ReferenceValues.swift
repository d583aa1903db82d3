import Foundation

/// The reference values: those of the folder that `REFERENCE_VALUES` names, or the project's own copy.
package enum ReferenceValues {
    private static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["REFERENCE_VALUES"] {
            return URL(fileURLWithPath: path, isDirectory: true)
        }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "ReferenceValues", directoryHint: .isDirectory)
    }()

    /// One of the files, read as `type`.
    package static func load<File: Decodable>(
        _ name: String, as type: File.Type, decoder: JSONDecoder = JSONDecoder()
    ) throws -> File {
        try decoder.decode(type, from: Data(contentsOf: folder.appending(path: name)))
    }
}
