import Foundation
import Requirements
import Testing

/// What a file says must not be ignored: a key that nobody reads, and a choice that nobody has.
@Suite struct DecoderSettingsTests {
    private enum Color: String, CaseIterable {
        case red, green
    }

    private struct Settings: Decodable {
        let color: Color?

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case color
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseUnknownKeys(CodingKeys.self)
            color = try decoder.container(keyedBy: CodingKeys.self).decodeChoiceIfPresent(Color.self, forKey: .color)
        }
    }

    private func message(_ text: String) -> (path: String, sentence: String)? {
        do {
            _ = try JSONDecoder().decode([String: Settings].self, from: Data(text.utf8))
            return nil
        } catch DecodingError.dataCorrupted(let context) {
            return (context.codingPath.map(\.stringValue).joined(separator: "/"), context.debugDescription)
        } catch {
            return ("", "\(error)")
        }
    }

    @Test func whatIsKnownIsRead() {
        #expect(message(#"{"a": {"color": "red"}, "b": {}}"#) == nil)
    }

    @Test func whatIsNotKnownIsNamedWithItsPlace() throws {
        let key = try #require(message(#"{"a": {"color": "red", "colour": "green"}}"#))
        #expect(key == ("a/colour", "There is no setting 'colour'. Did you mean 'color'? Known are color."))
        let choice = try #require(message(#"{"a": {"color": "blue"}}"#))
        #expect(choice == ("a/color", "There is no choice 'blue'. Known are red, green."))
    }
}
