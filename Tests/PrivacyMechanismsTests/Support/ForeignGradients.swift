import PrivacyMechanisms
import PyTrees

/// The same gradients as a type that the package does not know, so that they are asked the two questions.
struct ForeignGradients<Base: PerExampleGradients>: PerExampleGradients {
    let base: Base
    var layout: TreeLayout { base.layout }
    var exampleCount: Int { base.exampleCount }

    func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        base.squaredNorms(of: examples, under: scale, groups: groups, into: &norms)
    }

    func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        base.addWeightedSum(of: examples, clipFactors: clipFactors, groups: groups, to: &sum)
    }
}
