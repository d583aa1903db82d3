// The activation functions of networks and their derivatives, each compiled for several instruction sets and chosen
// once at run time.
//
// The kernels change `rows` × `count` numbers in place, each row `stride` elements after the one before. All sets
// give the same bits: each operation is rounded once, none is contracted, and no library function is called. NaN stays
// NaN.

#ifndef C_PRIVACY_KERNELS_ACTIVATIONS_H
#define C_PRIVACY_KERNELS_ACTIVATIONS_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// The constants of scale·σ(temperature·x) - offset.
typedef struct {
    float scale, temperature, offset;
} dpk_sigmoid;

/// One set of kernels. x is `values` + `bias`, y what `values` holds after, e the output gradients: the derivatives of
/// a loss.
typedef struct {
    /// y = x.
    void (*identity)(const float *bias, long rows, long count, long stride, float *values);

    /// y = max(x, 0).
    void (*relu)(const float *bias, long rows, long count, long stride, float *values);

    /// y = tanh x, within 4 units in the last place.
    void (*tanh)(const float *bias, long rows, long count, long stride, float *values);

    /// y = scale·σ(temperature·x) - offset, with σ(t) = 1 / (1 + exp(-t)) within 4 units in the last place for
    /// |t| ≤ 87, and the value there beyond.
    void (*tempered_sigmoid)(dpk_sigmoid constants, const float *bias, long rows, long count, long stride,
                             float *values);

    /// y = x·σ(2u) with u = √(2/π)·(x + 0.044715·x³), which is x·(1 + tanh u)/2, and its derivative beside it, both
    /// within 16·2⁻²⁴·max(1, |x|).
    void (*gelu)(const float *bias, long rows, long count, long stride, float *values, float *derivatives);

    /// e = y > 0 ? e : 0.
    void (*relu_backward)(const float *outputs, long rows, long count, long stride, float *gradients);

    /// e = e·(1 - y²).
    void (*tanh_backward)(const float *outputs, long rows, long count, long stride, float *gradients);

    /// e = e·(temperature / scale)·(y + offset)·(scale - (y + offset)).
    void (*tempered_sigmoid_backward)(dpk_sigmoid constants, const float *outputs, long rows, long count, long stride,
                                      float *gradients);

    /// e = e·factor.
    void (*multiply)(const float *factors, long rows, long count, long stride, float *gradients);

    /// The way back from a maximum, one of the inputs at a time: where x = maximum, e = e + rest and rest = 0. What is
    /// left of the error goes to the first input that reaches the maximum.
    void (*give_to_maximum)(const float *inputs, const float *maxima, long count, float *rest, float *gradients);
} dpk_activations;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
