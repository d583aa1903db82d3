import Foundation

/// The key that occurs twice in an object of a JSON text; nil if none does. A decoder would take one of the two values
/// without a word.
///
/// `json` must be valid.
func repeatedKey(in json: Data) -> String? {
    /// The keys of each open object; nil for a list.
    var open: [Set<String>?] = []
    var isKey = false
    let bytes = [UInt8](json)
    var place = 0
    while place < bytes.count {
        defer { place += 1 }
        switch bytes[place] {
        case UInt8(ascii: "{"):
            open.append([])
            isKey = true
        case UInt8(ascii: "["):
            open.append(nil)
            isKey = false
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            open.removeLast()
            isKey = false
        case UInt8(ascii: ","): isKey = open.last.map { $0 != nil } ?? false
        case UInt8(ascii: "\""):
            let begin = place
            place += 1
            while bytes[place] != UInt8(ascii: "\"") { place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1 }
            guard isKey, var keys = open.popLast().flatMap(\.self) else { continue }
            // An escape may spell the same key in another way.
            let key = (try? JSONDecoder().decode(String.self, from: Data(bytes[begin...place]))) ?? ""
            guard keys.insert(key).inserted else { return key }
            open.append(keys)
            isKey = false
        default: break
        }
    }
    return nil
}
