import CPrivacyKernels

/// The vector kernels for this processor.
enum Kernels {
    /// Chosen at first use; `DPK_LEVEL` in the environment can ask for a lower instruction set.
    static let active = dpk_active_kernels().pointee
}
