// Rows of numbers that are brought to a common size, and the way back: the softmax, and a mean square of 1. Compiled
// for several instruction sets and chosen once at run time.
//
// A row is `count` numbers; the next one begins `stride` elements later, or right after it where there is no stride.
// All sets give the same bits: each operation is rounded once, none is contracted, no library function is called, and
// sums run over eight lanes everywhere. A row's result depends on that row alone. NaN stays NaN.

#ifndef C_PRIVACY_KERNELS_NORMALIZATIONS_H
#define C_PRIVACY_KERNELS_NORMALIZATIONS_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// What a row is normalised by: x̂ = (x - mean) / √(variance + epsilon), or, where it does not center,
/// x̂ = x / √(mean of x² + epsilon).
typedef struct {
    int centers;
    float epsilon;
} dpk_row_norm;

/// One set of kernels.
typedef struct {
    /// y = exp(x - offset) within 4 units in the last place, for x ≤ offset; 0 where x - offset < -87. Returns Σ y.
    float (*exponentials)(const float *inputs, float offset, long count, float *outputs);

    /// Σ x.
    float (*sum)(const float *values, long count);

    /// x = exp(z - max z) / Σ exp(z - max z) with z = scale·x + mask. A row of nothing but -∞ becomes zeros.
    void (*softmax)(float scale, const float *mask, long rows, long count, long stride, float *values);

    /// e = scale·p·(e - Σ p·e).
    void (*softmax_backward)(const float *probabilities, float scale, long rows, long count, long stride,
                             float *gradients);

    /// y = x̂·gain + bias.
    void (*normalize)(dpk_row_norm norm, const float *gain, const float *bias, const float *inputs, long rows,
                      long count, float *outputs);

    /// The inputs' gradients for the outputs' gradients e, and gain_gradients = gain_gradients + Σ x̂·e, row after row.
    void (*normalize_backward)(dpk_row_norm norm, const float *gain, const float *inputs, const float *gradients,
                               long rows, long count, float *input_gradients, float *gain_gradients);
} dpk_normalizations;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
