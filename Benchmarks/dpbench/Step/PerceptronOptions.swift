import ArgumentParser
import CommandLineSupport

/// Which perceptron is measured.
struct PerceptronOptions: ParsableArguments {
    @Option(help: "Widths of the layers of a perceptron with ReLU.")
    var dims = "784,1024,10"

    /// The widths, in order.
    var widths: [Int] { dims.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 } }

    /// As architectures are called.
    var name: String { "mlp:" + widths.map(String.init).joined(separator: "-") }

    func validate() throws {
        guard widths.count >= 2, widths.allSatisfy({ $0 >= 1 }) else {
            throw ValidationError(
                CommandLineError.invalidOption(
                    name: "--dims", value: dims, allowed: "at least two widths of 1 or more, such as 784,1024,10"
                ).description)
        }
    }
}
