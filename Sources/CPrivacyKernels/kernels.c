// One body, compiled per instruction set, and the choice between them.

#include "CPrivacyKernels.h"
#include "gaussian.h"

#include <stdlib.h>
#include <string.h>

// The same roundings on every instruction set: a seeded run is then reproducible from machine to machine.
#pragma clang fp contract(off)
#pragma STDC FP_CONTRACT OFF

// Rows start wherever the caller's memory does, hence the alignment of one element.
typedef float v8f __attribute__((vector_size(32), aligned(4)));
typedef double v8d __attribute__((vector_size(64), aligned(8)));
typedef int32_t v8i __attribute__((vector_size(32), aligned(4)));
typedef int64_t v8l __attribute__((vector_size(64), aligned(8)));

// Helpers pass vectors wider than the baseline's registers; inlined, they have no calling convention to disagree on.
#define HELPER inline __attribute__((always_inline))
#pragma clang diagnostic ignored "-Wpsabi"

#define DPK_BODY "rows.inc"
#include "levels.inc"
#define DPK_BODY "factors.inc"
#include "levels.inc"

#define KERNELS(variant, its_level)                                                                                    \
    static const dpk_kernels kernels_##variant = {                                                                     \
        .level = its_level,                                                                                            \
        .squared_norms = squared_norms_##variant,                                                                      \
        .add_weighted_rows = add_weighted_rows_##variant,                                                              \
        .scale_toward_zero = scale_toward_zero_##variant,                                                              \
        .narrow_toward_zero = narrow_toward_zero_##variant,                                                            \
        .largest_magnitude = largest_magnitude_##variant,                                                              \
        .scaled_squares = scaled_squares_##variant,                                                                    \
        .weighted_square_sum = weighted_square_sum_##variant,                                                          \
        .dot = dot_##variant,                                                                                          \
        .scaled = scaled_##variant,                                                                                    \
        .gaussian = dpk_gaussian_##variant,                                                                            \
        .add_gaussian = dpk_gaussian_add_##variant,                                                                    \
    }

KERNELS(portable, DPK_PORTABLE);
#if defined(__x86_64__)
KERNELS(avx2, DPK_AVX2);
KERNELS(avx512, DPK_AVX512);
#endif

const dpk_kernels *dpk_kernels_at(dpk_level level) {
    switch (level) {
    case DPK_PORTABLE: return &kernels_portable;
#if defined(__x86_64__)
    case DPK_AVX2: return __builtin_cpu_supports("x86-64-v3") ? &kernels_avx2 : NULL;
    case DPK_AVX512: return __builtin_cpu_supports("x86-64-v4") ? &kernels_avx512 : NULL;
#endif
    default: return NULL;
    }
}

static dpk_level highest_wanted(void) {
    const char *wanted = getenv("DPK_LEVEL");
    if (wanted && strcmp(wanted, "portable") == 0) return DPK_PORTABLE;
    if (wanted && strcmp(wanted, "avx2") == 0) return DPK_AVX2;
    return DPK_AVX512;
}

const dpk_kernels *dpk_active_kernels(void) {
    // Two threads that race here store the same pointer.
    static const dpk_kernels *_Atomic active;
    if (!active) {
        const dpk_kernels *found = NULL;
        for (int level = highest_wanted(); !found; level--) found = dpk_kernels_at((dpk_level)level);
        active = found;
    }
    return active;
}
