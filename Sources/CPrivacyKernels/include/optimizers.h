// The element-wise formulas of optimizers, each compiled for several instruction sets and chosen once at run time.
//
// Every kernel changes `updates` in place, which hold the gradient before and the link's output after, and reads and
// writes the link's moments, all `count` elements long. Moments never overlap the updates or each other.

#ifndef C_PRIVACY_KERNELS_OPTIMIZERS_H
#define C_PRIVACY_KERNELS_OPTIMIZERS_H

#include "CPrivacyKernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// m = decay1·m + gain1·g, v = decay2·v + gain2·g², u = (momentum·m + gradient·g) / (√(correction·v + root) + epsilon).
typedef struct {
    float decay1, gain1, decay2, gain2;
    float momentum, gradient, correction, root, epsilon;
} dpk_adam;

/// One set of kernels; all sets give the same bits, because each operation is rounded once.
typedef struct {
    /// u = factor·u.
    void (*scale)(float factor, long count, float *updates);

    /// u = u / divisor.
    void (*divide)(const float *divisor, long count, float *updates);

    /// u = u + factor·x.
    void (*add_scaled)(float factor, const float *x, long count, float *updates);

    /// See `dpk_adam`.
    void (*adam)(const dpk_adam *constants, long count, float *updates, float *m, float *v);
} dpk_optimizers;

/// The set of the level that `dpk_active_kernels` chose.
const dpk_optimizers *dpk_active_optimizers(void);

/// The set for `level`, or NULL where this processor or this build lacks it.
const dpk_optimizers *_Nullable dpk_optimizers_at(dpk_level level);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
