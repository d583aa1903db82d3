import Requirements
import Testing

@Suite struct NearestTests {
    @Test(arguments: [
        ("epsilo", "epsilon"), ("lerning-rate", "learning-rate"), ("Delta", "delta"), ("detla", "delta"),
        ("poison", "poisson"), ("clippng", "clipping"),
    ])
    func misspeltNamesAreRecognised(_ word: String, _ name: String) {
        let names = ["epsilon", "delta", "learning-rate", "poisson", "clipping", "epochs"]
        #expect(nearest(to: word, among: names) == name)
    }

    @Test func whatIsFarFromAllIsNobody() {
        #expect(nearest(to: "temperature", among: ["epsilon", "delta"]) == nil)
        #expect(nearest(to: "", among: ["epsilon"]) == nil)
        #expect(nearest(to: "epsilon", among: []) == nil)
    }
}
