import CommandLineSupport
import Foundation

/// Says on standard error what the user should know, beside what was asked for.
func note(_ text: String) { tell("note: \(text)") { $0 } }

/// The same for what is doubtful.
func warn(_ text: String) { tell("warning: \(text)", style: Terminal.error.warning) }

private func tell(_ text: String, style: (String) -> String) {
    let lines = style(wrapped(text, columns: Terminal.error.columns)) + "\n"
    FileHandle.standardError.write(Data(lines.utf8))
}
