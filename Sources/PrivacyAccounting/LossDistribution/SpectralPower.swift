import Foundation

/// Π φᵢ^{countᵢ} over the frequencies of several real distributions, in logarithms, with a bound on its error.
struct SpectralPower {
    private let length: Int
    private var logModulus: [Double]
    private var phase: [Double]
    /// log of the factor by which each frequency may be too large or too small.
    private var logError: [Double]

    /// Frequencies below e^{−70} of the whole are dropped; that much is added to the error of every entry.
    private static let dropped = -70.0

    init(length: Int) {
        self.length = length
        let count = length / 2 + 1
        logModulus = [Double](repeating: 0, count: count)
        phase = [Double](repeating: 0, count: count)
        logError = [Double](repeating: 0, count: count)
    }

    mutating func multiply(by spectrum: [Double], count: Int) {
        let times = Double(count)
        // The transform's error relative to Σp̃ = 1, and a few roundings of logarithm and angle per power.
        let gamma = FourierTransform.relativeError(length: length) + 16 * 0x1p-53
        let negligible = exp(2 * (Self.dropped - 10) / times)
        for k in logModulus.indices where logModulus[k] > Self.dropped - 10 {
            let (re, im) = (spectrum[2 * k], spectrum[2 * k + 1])
            let square = re * re + im * im
            let modulus = square.squareRoot()
            logError[k] += times * log1p(gamma / max(modulus, 1e-300))
            if square < negligible {
                logModulus[k] += times * log(max(modulus, 1e-300))
                continue
            }
            logModulus[k] += times * 0.5 * log(square)
            phase[k] += times * atan2(im, re)
        }
    }

    /// The distribution, and a bound on the error of each of its entries.
    consuming func inverse() -> (values: [Double], entryError: Double) {
        var spectrum = [Double](repeating: 0, count: length + 2)
        var (error, total) = (0.0, 0.0)
        for k in logModulus.indices {
            let logLargest = min(0, logModulus[k] + logError[k])
            guard logLargest > Self.dropped else { continue }
            let modulus = exp(min(0, logModulus[k]))
            spectrum[2 * k] = modulus * cos(phase[k])
            spectrum[2 * k + 1] = modulus * sin(phase[k])
            total += modulus
            error += min(2, min(modulus * expm1(min(logError[k], 100)), exp(logLargest) + modulus))
        }
        let entry = 2 * (error + FourierTransform.relativeError(length: length) * total) / Double(length)
        return (FourierTransform.ofLength(length).inverse(&spectrum), entry + exp(Self.dropped))
    }
}
