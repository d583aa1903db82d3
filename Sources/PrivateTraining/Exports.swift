// `import PrivateTraining` is enough to train: what plans, runs and trainers are made of comes with it.
@_exported import Datasets
@_exported import Differentiation
@_exported import GradientTransformations
@_exported import LinearAlgebra
@_exported import Networks
@_exported import PrivacyAccounting
@_exported import PrivacyMechanisms
@_exported import PrivateOptimization
@_exported import PyTrees
