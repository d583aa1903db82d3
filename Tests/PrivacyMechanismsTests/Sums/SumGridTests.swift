import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// The arithmetic of the grid, also for sizes that exist on paper only.
@Suite struct SumGridTests {
    private static func grid(
        _ rule: ClippingRule, _ layout: TreeLayout, noiseMultiplier: Double = 1
    ) throws -> (SumGrid, ClippingBounds) {
        let bounds = try ClippingBounds(rule, for: layout)
        return (try SumGrid(bounds, noiseMultiplier: noiseMultiplier), bounds)
    }

    /// Clip norm lost to the grid: at most 0.1 % at a million parameters, 1 % at a hundred million.
    @Test(arguments: [(1, 1e-3), (1_000_000, 1e-3), (100_000_000, 1e-2), (2_000_000_000, 1e-2)])
    func theGridCostsLittleOfTheClipNorm(parameters: Int, most: Double) throws {
        for z in [1e-3, 0.5, 1, 8] {
            let (grid, _) = try Self.grid(.flat(l2ClipNorm: 1), flatLayout(parameters), noiseMultiplier: z)
            #expect(GridRounding.mostInBlock(columns: parameters) <= most * grid.bounds[0])
            #expect(grid.sensitivity.nonzeroBitCount == 1)
            #expect(grid.deviation(noiseMultiplier: z) <= SumGrid.largestDeviation)
            #expect(grid.deviation(noiseMultiplier: z) >= SumGrid.smallestDeviation)
        }
    }

    /// Σ M_k² ≤ M², in integers of 2⁻³⁰ units rounded up. The twin, shares without their margin, can fail.
    @Test func theGroupsShareM() throws {
        var generator = SeededGenerator(seed: 3)
        for count in [1, 2, 3, 17, 100] {
            let layout = try TreeLayout((0..<count).map { (TreePath(["leaf\($0)"]), [3]) })
            let norms = Dictionary(
                uniqueKeysWithValues: (0..<count).map { ("leaf\($0)", Double(generator.float(0.5...2))) })
            let rule = try ClippingRule.perSubtree(
                l2ClipNorms: .children(norms.mapValues { .value($0) }), normalizeBy: 3)
            let (grid, bounds) = try Self.grid(rule, layout)
            var square: UInt128 = 0
            for bound in grid.bounds {
                let scaled = UInt128((bound * 0x1p30).rounded(.up))
                square += scaled * scaled
            }
            let whole = UInt128(grid.sensitivity) << 30
            #expect(square <= whole * whole)
            #expect(zip(grid.bounds, 0..<count).allSatisfy { $0 > 0.999999 * bounds.bound(group: $1) / grid.spacing })
        }
    }

    @Test func sizesFollowTheNoiseAndTheColumns() throws {
        let small = flatLayout(100)
        #expect(try Self.grid(.flat(l2ClipNorm: 3), small).0.sensitivity == 1 << 22)
        #expect(try Self.grid(.flat(l2ClipNorm: 3), small, noiseMultiplier: 16).0.sensitivity == 1 << 22)
        #expect(try Self.grid(.flat(l2ClipNorm: 3), small, noiseMultiplier: 17).0.sensitivity == 1 << 21)
        #expect(try Self.grid(.flat(l2ClipNorm: 3), small, noiseMultiplier: 1000).0.sensitivity == 1 << 16)
        #expect(try Self.grid(.flat(l2ClipNorm: 3), flatLayout(100_000_000)).0.sensitivity > 1 << 22)
        let grid = try Self.grid(.flat(l2ClipNorm: 3), small).0
        #expect(grid.spacing == 3 * 0x1p-22)
        #expect(grid.examplesIn32Bits == 511)
    }

    @Test func badInputIsNamed() throws {
        let layout = try TreeLayout([("large", [1_000_000]), ("small", [1])])
        #expect(throws: PrivacyMechanismError.noiseTooSmallForGrid(noiseMultiplier: 1e-4, least: 0x1p-12)) {
            _ = try Self.grid(.flat(l2ClipNorm: 1), flatLayout(3), noiseMultiplier: 1e-4)
        }
        let error = #expect(throws: PrivacyMechanismError.self) {
            let norms: PrefixTree<Double> = ["large": 1e-6, "small": 1]
            _ = try Self.grid(.perSubtree(l2ClipNorms: norms), layout)
        }
        guard case .clipNormTooSmallForGrid(1e-6, 1_000_000, let least)? = error else { throw error! }
        #expect(error!.description.contains("raise it"))
        let norms: PrefixTree<Double> = ["large": .value(1.01 * least), "small": 1]
        _ = try Self.grid(.perSubtree(l2ClipNorms: norms), layout)
    }

    /// A clip norm of zero: nothing contributes, and nothing is refused.
    @Test func aClipNormOfZeroGivesZeros() throws {
        let grid = try Self.grid(.flat(l2ClipNorm: 0), flatLayout(3)).0
        #expect(grid.spacing == 0 && grid.bounds == [0])
        let rows = try DenseRows(Matrix([[1, 2, 3]]), layout: flatLayout(3))
        #expect(try ExactSum([rows], .flat(l2ClipNorm: 0)).integers == [0, 0, 0])
    }
}
