import LinearAlgebra
import Testing

@Suite struct SymmetricEigendecompositionTests {
}
