// The element-wise formulas of optimizers, each compiled for several instruction sets and chosen once at run time.
//
// Every kernel changes `updates` in place, which hold the gradient before and the link's output after, and reads and
// writes the link's moments, all `count` elements long. Moments never overlap the updates or each other.

#ifndef C_PRIVACY_KERNELS_OPTIMIZERS_H
#define C_PRIVACY_KERNELS_OPTIMIZERS_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// The constants of a link; each kernel says which it reads.
typedef struct {
    float decay1, gain1, decay2, gain2;
    float momentum, gradient, correction, root, epsilon;
} dpk_constants;

/// One set of kernels; all sets give the same bits, because each operation is rounded once.
///
/// g is what `updates` holds before, u what it holds after. The moments are computed first.
typedef struct {
    /// u = factor·g.
    void (*scale)(float factor, long count, float *updates);

    /// u = g / divisor.
    void (*divide)(const float *divisor, long count, float *updates);

    /// u = g / (factor·divisor), the product rounded once before the division.
    void (*divide_scaled)(float factor, const float *divisor, long count, float *updates);

    /// s = 1 / (√(max(v, floor) + root) + epsilon), each operation rounded once; NaN stays NaN. Returns whether every
    /// result is positive and finite; epsilon must be a positive normal number.
    int (*inverse_root)(float floor, float root, float epsilon, long count, const float *v, float *s);

    /// u = g + factor·x.
    void (*add_scaled)(float factor, const float *x, long count, float *updates);

    /// u = g, at most bound and at least -bound; NaN stays.
    void (*clip)(float bound, long count, float *updates);

    /// mean = mean + weight·(g - mean).
    void (*accumulate)(float weight, long count, const float *updates, float *mean);

    /// m = decay1·m + gain1·g, u = momentum·m + gradient·g.
    void (*momentum)(const dpk_constants *constants, long count, float *updates, float *m);

    /// v = decay2·v + gain2·g², u = g / (√(correction·v + root) + epsilon).
    void (*rms)(const dpk_constants *constants, long count, float *updates, float *v);

    /// m and v as for `adam`, u = g / (√(max(correction·v - (momentum·m)², 0) + root) + epsilon).
    void (*centered_rms)(const dpk_constants *constants, long count, float *updates, float *m, float *v);

    /// m = decay1·m + gain1·g, v = decay2·v + gain2·g²,
    /// u = (momentum·m + gradient·g) / (√(correction·v + root) + epsilon).
    void (*adam)(const dpk_constants *constants, long count, float *updates, float *m, float *v);

    /// m and v as for `adam`, w = max(w, correction·v), u = momentum·m / (√(w + root) + epsilon).
    void (*amsgrad)(const dpk_constants *constants, long count, float *updates, float *m, float *v, float *w);

    /// m as for `adam`, v = decay2·v + gain2·(g - m)² + root,
    /// u = (momentum·m + gradient·g) / (√(correction·v) + epsilon).
    void (*belief)(const dpk_constants *constants, long count, float *updates, float *m, float *v);

    /// m as for `adam`, v = v - gain2·sign(v - g²)·g², u = momentum·m / (√(correction·v + root) + epsilon).
    void (*yogi)(const dpk_constants *constants, long count, float *updates, float *m, float *v);

    /// m and v as for `adam`, u = momentum·m / √max(correction·v - root, epsilon).
    void (*adam_corrected)(const dpk_constants *constants, long count, float *updates, float *m, float *v);

    /// v = decay2·v + gain2·g², u = g·√(w + root) / √(v + root), w = decay2·w + gain2·u².
    void (*adadelta)(const dpk_constants *constants, long count, float *updates, float *v, float *w);

    /// u = sign(decay1·m + gain1·g), m = decay2·m + gain2·g; the sign of NaN is NaN.
    void (*lion)(const dpk_constants *constants, long count, float *updates, float *m);

    /// A recursive filter: y = b[0]·g + s[0], s[i] = b[i + 1]·g - a[i]·y + s[i + 1], u = factor·y, for i in 0 ..< order
    /// and s[order] = 0. Register i begins at registers[i] + offset.
    void (*filter)(long order, const float *b, const float *a, float factor, long offset, long count, float *updates,
                   float *_Nonnull const *_Nonnull registers);

    /// sums[j] += g[j]² in Float64, and returns Σ g[j]²; the squares are exact.
    double (*add_squares)(const float *g, long count, double *sums);
} dpk_optimizers;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
