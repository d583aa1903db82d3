// The vector kernels that BLAS lacks, each compiled for several instruction sets and chosen once at run time.
//
// Every kernel is a pure function of its arguments: no allocation, no threads, no global state. Pointers need only
// the natural alignment of their element type. Counts may be zero.

#ifndef C_PRIVACY_KERNELS_H
#define C_PRIVACY_KERNELS_H

#include <stdint.h>

#include "activations.h"
#include "normalizations.h"
#include "optimizers.h"
#include "products.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// The instruction sets the kernels are compiled for. `DPK_PORTABLE` is the platform's baseline.
typedef enum { DPK_PORTABLE = 0, DPK_AVX2 = 1, DPK_AVX512 = 2 } dpk_level;

/// The cells of a discrete Gaussian. Cell c holds the 2^shift integers from (c - 1023)·2^shift on, for c in 0 ... 2046;
/// number 2047 stands for everything beyond. Both tables have 2048 entries.
typedef struct {
    /// An alias table: the lower 11 bits are the alias of the entry's cell, the upper 21 its threshold.
    const uint32_t *entries;
    /// The coins of 32 - shift bits below which every integer of a cell is accepted.
    const uint32_t *quick;
    /// 0 ... 20.
    int32_t shift;
} dpk_discrete;

/// The form of `add_outer_products`.
typedef void dpk_outer_products(const int32_t *a, const int32_t *e, long pairs, long chain, long rows, long columns,
                                int64_t *sum, long step);

/// One set of kernels, compiled for one instruction set. All sets give bit-identical results, but for the products:
/// none contracts a multiplication and an addition into one rounding, and every reduction has the same eight lanes in
/// the same order.
///
/// Sets are constants, which threads may share.
typedef struct __attribute__((swift_attr("@Sendable"))) {
    dpk_level level;

    /// squared_norms[r] = Σ_j (scale[j] · rows[r][offset + j])² for j in 0 ..< count, accumulated in Float64.
    ///
    /// `scale` is NULL (all ones) or as long as a row; it is read at `offset`, like the rows.
    void (*squared_norms)(const float *_Nonnull const *_Nonnull rows, long row_count, long offset, long count,
                          const float *_Nullable scale, double *squared_norms);

    /// sum[offset + j] += Σ_r coefficients[r] · rows[r][offset + j] in Float64, one row after the other, so that the
    /// result does not depend on how rows are cut into calls.
    void (*add_weighted_rows)(const float *_Nonnull const *_Nonnull rows, const double *coefficients, long row_count,
                              long offset, long count, double *sum);

    /// values[j] = factor · values[j] in Float64, rounded toward zero to Float32: |result| never exceeds the
    /// Float64 product, which itself is within a factor 1 + 2⁻⁵³ of the exact one.
    void (*scale_toward_zero)(double factor, long count, float *values);

    /// out[j] = sum[j] · factor · (post_scale ? post_scale[j] : 1), rounded toward zero to Float32.
    void (*narrow_toward_zero)(const double *sum, double factor, const float *_Nullable post_scale, long count,
                               float *out);

    /// The largest |values[j]|; NaN if there is one, zero if there are no values.
    float (*largest_magnitude)(const float *values, long count);

    /// out[j] = (factor · values[j])² in Float32: two roundings, the first exact where the factor is a power of two and
    /// nothing underflows.
    void (*scaled_squares)(const float *values, float factor, long count, float *out);

    /// Σ_j weights[j] · values[j]² in Float64; the squares are exact.
    double (*weighted_square_sum)(const float *weights, const float *values, long count);

    /// Σ_j x[j] · y[j] in Float64; the products are exact.
    double (*dot)(const float *x, const float *y, long count);

    /// out[j] = factor · values[j] in Float64, rounded to the nearest Float32.
    void (*scaled)(const float *values, double factor, long count, float *out);

    /// out[j] = the j-th standard normal made from random `blocks`: a 16-byte block for each pair, the last one whole
    /// also where `count` is odd. `gaussian.inc` has the exact formula.
    void (*gaussian)(const unsigned char *blocks, long count, float *out);

    /// out[j] = sum[j] · factor · (post_scale ? post_scale[j] : 1) + sigma · normal[j] in Float64, rounded once.
    void (*add_gaussian)(const unsigned char *blocks, long count, const double *sum, double factor,
                         const float *_Nullable post_scale, double sigma, float *out);

    /// Proposes integers x[0 ..< count] of a discrete Gaussian; `count` is a multiple of 16. Proposals that only an
    /// exact comparison can accept or refuse are *undecided*: their places go to `undecided`, in ascending order, and
    /// their number is returned.
    ///
    /// `bits` has 8 bytes per proposal, and `x` and `undecided` room for `count` elements; what `undecided` holds after
    /// the last place is undefined. `discrete.inc` has the exact formula.
    long (*propose_discrete)(const unsigned char *bits, long count, const dpk_discrete *table, int32_t *x,
                             uint32_t *undecided);

    /// sum[offset + j] += Σ_r ⌊rows[r][offset + j] · scale[offset + j] · factors[r]⌉, whole numbers: each product is
    /// taken in Float32, the scale first, and each row is rounded to the nearest integer by itself, ties to even.
    ///
    /// `scale` is NULL (no such factor) or as long as a row. Every product and every sum must be below 2³¹.
    void (*add_grid_rows)(const float *_Nonnull const *_Nonnull rows, const float *factors, long row_count, long offset,
                          long count, const float *_Nullable scale, int32_t *sum);

    /// sum[j] += ⌊factor · row[j] · scale[j]⌉ for one row, with products in Float64, for numbers near the ends of
    /// Float32's range.
    void (*add_wide_grid_row)(const float *row, double factor, long count, const float *_Nullable scale, int32_t *sum);

    /// carried[j] += sum[j], sum[j] = 0.
    void (*carry)(long count, int32_t *sum, int64_t *carried);

    /// out[j] = ⌊values[j] · weights[j] · factor⌉ in Float32, the weights first, ties to even; `weights` is NULL for
    /// ones, and `factor` is finite. Returns the largest magnitude before rounding, or NaN if there is one; zero if
    /// there are no values. Numbers above 32,767 in magnitude, and NaN, become zero: `out` is then of no use.
    float (*quantize)(const float *values, const float *_Nullable weights, float factor, long count, float *out);

    /// Adds the exponents of positive numbers, of 2ᵉ·m with 1 ≤ m < 2, to `column_sums`, one for each, and returns
    /// their sum. That of a number below 2⁻¹²⁶ counts as -127.
    int64_t (*exponent_sums)(const float *values, long count, int32_t *column_sums);

    /// out[j] = values[j] · weights[j] in Float32.
    void (*multiplied)(const float *values, const float *weights, long count, float *out);

    /// sum[j] += (values[j] + offset) · factor · weights[j] in Float32: four roundings, in this order.
    void (*add_scaled_product)(const float *values, float offset, float factor, const float *weights, long count,
                               float *sum);

    /// The rows and the columns of a tile of `add_outer_products`.
    long outer_rows, outer_columns;

    /// Packs two rows of whole numbers, at most 32,767 in magnitude, as pairs of 16-bit numbers: element j of panel p
    /// holds both rows' element p·width + j, the first in its lower half. `width` is a multiple of 4. Panels begin
    /// `step` ≥ `width` elements after each other, the last one is filled up with zeros, and a row that is NULL is all
    /// zeros.
    void (*pack_pairs)(const float *first, const float *_Nullable second, long count, long width, long step,
                       int32_t *panels);

    /// sum[r·step + c] += Σ_i a₀[i][r]·e₀[i][c] + a₁[i][r]·e₁[i][c] for a tile of `rows` ≤ `outer_rows` and `columns` ≤
    /// `outer_columns`, from a panel of `pairs` × `outer_rows` and one of `pairs` × `outer_columns` packed pairs.
    ///
    /// `chain` is at least 1, and the sums of any `chain` pairs, in order, must be below 2³¹.
    dpk_outer_products *add_outer_products;

    /// The same with the instructions that every processor of this set has. `add_outer_products` is another function
    /// where the processor multiplies and adds pairs of 16-bit numbers in one instruction.
    dpk_outer_products *add_outer_products_baseline;

    /// out[j] = spacing · (noise[j] + sum[j] + carried[j] + ⌊fine[j] · fine_factor · scale[j] · weights[j]⌉), the last
    /// three factors in Float64, the total exact, its product rounded once to Float64 and once to Float32. What the
    /// sums held is set to zero.
    ///
    /// `sum`, `carried`, `fine`, `scale` and `weights` are NULL where there are none. Numbers of the grid, and `fine`,
    /// must be below 2⁵¹.
    void (*finish_grid)(const int32_t *noise, long count, int32_t *_Nullable sum, int64_t *_Nullable carried,
                        int64_t *_Nullable fine, double fine_factor, const float *_Nullable scale,
                        const float *_Nullable weights, double spacing, float *out);

    /// out[j] = sum[j] + carried[j] + ⌊fine[j] · fine_factor · scale[j] · weights[j]⌉, exactly, as `finish_grid` has
    /// it. What the sums held is set to zero.
    void (*take_grid)(int32_t *_Nullable sum, int64_t *_Nullable carried, int64_t *_Nullable fine, long count,
                      double fine_factor, const float *_Nullable scale, const float *_Nullable weights, double *out);

    /// sum[j] += factor · (the j-th normal of the ⌈count/2⌉ blocks of 16 bytes), in Float64: see wide.inc.
    void (*add_wide_gaussian)(const unsigned char *blocks, long count, double factor, double *sum);

    /// sum[j] += factor · values[j] in Float64, two roundings.
    void (*add_wide_multiple)(const double *values, long count, double factor, double *sum);

    /// The same for values in Float32.
    void (*add_multiple)(const float *values, long count, double factor, double *sum);

    /// values[j] = decay · values[j] + addend[j] in Float64, two roundings.
    void (*decay_and_add)(const double *addend, long count, double decay, double *values);

    /// out[j] = the integer nearest to values[j], ties to even. Values must be below 2³¹.
    void (*round_to_integers)(const double *values, long count, int32_t *out);

    /// high[j] += factor · h and low[j] += factor · (values[j] - h), h the multiple of 2²⁴ that is nearest to
    /// values[j]. Exact, for whole values below 2⁴⁸ and factors that are multiples of 2⁻¹⁸ and whose magnitudes sum to
    /// at most 2¹¹ over all calls.
    void (*add_split_multiple)(const double *values, long count, double factor, double *high, double *low);

    /// low[j] = high[j] + (the integer nearest to low[j], ties to even, + noise[j]), rounded once. `low` must be below
    /// 2⁵¹.
    void (*round_split)(const int32_t *noise, const double *high, long count, double *low);

    /// out[j] = values[j] · factor, rounded to Float64 and then to Float32.
    void (*scale_and_narrow)(const double *values, long count, double factor, float *out);

    /// The kernels of networks and of optimizers, and matrix products, for the same instruction set.
    const dpk_activations *activations;
    const dpk_optimizers *optimizers;
    const dpk_products *products;
    const dpk_normalizations *normalizations;
} dpk_kernels;

/// The best set this processor runs, unless the environment variable `DPK_LEVEL` (portable, avx2, avx512) names a
/// lower one; read once.
const dpk_kernels *dpk_active_kernels(void);

/// The set for `level`, or NULL where this processor or this build lacks it.
const dpk_kernels *_Nullable dpk_kernels_at(dpk_level level);

/// Tells the processor that this thread is waiting in a loop: it then leaves more to its neighbour.
static inline void dpk_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
