import Foundation

/// The Gauss–Legendre rule of 16 points on [−1, 1].
enum GaussLegendre {
    static let points: [(place: Double, weight: Double)] = {
        let n = 16
        return (0..<n).map { index in
            var x = cos(.pi * (Double(index) + 0.75) / (Double(n) + 0.5))
            var slope = 1.0
            for _ in 0..<60 {
                var (last, value) = (0.0, 1.0)
                for k in 1...n {
                    (last, value) = (value, ((2 * Double(k) - 1) * x * value - (Double(k) - 1) * last) / Double(k))
                }
                slope = Double(n) * (x * value - last) / (x * x - 1)
                let step = value / slope
                x -= step
                if abs(step) < 1e-16 { break }
            }
            return (x, 2 / ((1 - x * x) * slope * slope))
        }
    }()
}
