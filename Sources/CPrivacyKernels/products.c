// Matrix products whose rows do not depend on each other: one body, compiled per instruction set.

#include "CPrivacyKernels.h"

#include <stddef.h>

// What is one rounding is said by name, so that nothing is fused or reordered behind the code's back.
#pragma clang fp contract(off)
#pragma STDC FP_CONTRACT OFF

typedef float v4f __attribute__((vector_size(16), aligned(4)));

// Helpers pass vectors wider than the baseline's registers; inlined, they have no calling convention to disagree on.
#define HELPER inline __attribute__((always_inline))
#pragma clang diagnostic ignored "-Wpsabi"

#define DPK_BODY "products.inc"
#include "levels.inc"

const dpk_products *dpk_products_at(dpk_level level) {
    // One place decides what this processor runs.
    if (!dpk_kernels_at(level)) return NULL;
    switch (level) {
    case DPK_PORTABLE: return &dpk_products_portable;
#if defined(__x86_64__)
    case DPK_AVX2: return &dpk_products_avx2;
    case DPK_AVX512: return &dpk_products_avx512;
#endif
    default: return NULL;
    }
}

const dpk_products *dpk_active_products(void) {
    const dpk_products *active = dpk_products_at(dpk_active_kernels()->level);
    return active ? active : &dpk_products_portable;
}
