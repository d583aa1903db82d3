import Datasets
import Differentiation
import PyTrees
import Requirements

extension FunctionModel {
    /// The mean of the examples' gradients, straight from products over the whole batch: the baseline to which private
    /// training is compared. Returns the mean loss. **Nothing about it is private.**
    ///
    /// Zeros and a loss of 0 for no examples. Traps unless inputs, targets, parameters and gradient fit the model.
    @discardableResult
    package func nonPrivateGradient(
        of examples: Examples, at parameters: Parameters, into gradient: inout ParameterVector,
        workspace: inout FunctionWorkspace
    ) -> Double {
        require(
            gradient.layout == layout,
            "A gradient of layout\n\(gradient.layout)\ndoes not fit a model of layout\n\(layout)")
        let share = examples.count == 0 ? 0 : 1 / Float(examples.count)
        return backpropagate(examples, at: parameters, workspace: &workspace) { uses, losses in
            gradient.withUnsafeMutableValues {
                program.writeNonPrivateGradient(uses, share: share, into: $0)
            }
            return losses.reduce(0) { $0 + Double($1) } * Double(share)
        }
    }
}

extension Network {
    /// The mean of the examples' gradients; see ``FunctionModel``. **Nothing about it is private.**
    @discardableResult
    package func nonPrivateGradient(
        of examples: Examples, at parameters: ParameterVector, into gradient: inout ParameterVector,
        workspace: inout FunctionWorkspace
    ) -> Double {
        model.nonPrivateGradient(of: examples, at: parameters, into: &gradient, workspace: &workspace)
    }
}
