import Datasets
import Foundation

// libFuzzer behind a name:
//
//     fuzz                           lists the targets
//     fuzz TARGET [option …] [corpus …]
//     fuzz TARGET -seeds FOLDER      writes what the target's corpus begins from
//     fuzz TARGET -dictionary FILE   writes words that inputs are made of
//     fuzz TARGET -explain FILE      says what the target makes of a file

@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
    _ count: UnsafeMutablePointer<Int32>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

var words = CommandLine.arguments
// A process that merges or forks starts others without the name.
if let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] { words.insert(name, at: 1) }
guard words.count > 1, let target = FuzzTarget.all.first(where: { $0.name == words[1] }) else {
    print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
    exit(words.count == 1 ? 0 : 64)
}
setenv("FUZZ_TARGET", target.name, 1)
FuzzTarget.chosen = target
words.remove(at: 1)
if words.count > 2, words[1] == "-seeds" {
    for (number, seed) in try target.seeds().enumerated() {
        try Data(seed).write(to: URL(fileURLWithPath: words[2]).appending(path: "seed-\(number)"))
    }
    exit(0)
}
if words.count > 2, words[1] == "-dictionary" {
    try Data(FormatSeeds.dictionary.utf8).write(to: URL(fileURLWithPath: words[2]))
    exit(0)
}
if words.count > 2, words[1] == "-explain" {
    do {
        try target.body([UInt8](FileContents.read(words[2])))
        print("accepted")
    } catch {
        print("refused: \(error)")
    }
    exit(0)
}

var count = Int32(words.count)
var pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: words.count + 1)
for (number, word) in words.enumerated() { pointers?[number] = strdup(word) }
pointers?[words.count] = nil
exit(runFuzzer(&count, &pointers) { FuzzTarget.run(UnsafeBufferPointer(start: $0, count: $1)) })
