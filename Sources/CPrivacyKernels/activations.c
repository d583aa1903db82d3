// The activation functions of networks: one body, compiled per instruction set.

#include "CPrivacyKernels.h"

#include <string.h>

// The same roundings on every instruction set: a run is then reproducible from machine to machine.
#pragma clang fp contract(off)
#pragma STDC FP_CONTRACT OFF

typedef float v8f __attribute__((vector_size(32), aligned(4)));
typedef int32_t v8i __attribute__((vector_size(32), aligned(4)));

// Helpers pass vectors wider than the baseline's registers; inlined, they have no calling convention to disagree on.
#define HELPER inline __attribute__((always_inline))
#pragma clang diagnostic ignored "-Wpsabi"

// `mask` is all ones or all zeros per lane; the choice is made in the bits, without a branch.
#define SELECT(mask, yes, no) ((v8f)(((v8i)(mask) & (v8i)(yes)) | (~(v8i)(mask) & (v8i)(no))))

#define DPK_BODY "activations.inc"
#include "levels.inc"

const dpk_activations *dpk_activations_at(dpk_level level) {
    // One place decides what this processor runs.
    if (!dpk_kernels_at(level)) return NULL;
    switch (level) {
    case DPK_PORTABLE: return &dpk_activations_portable;
#if defined(__x86_64__)
    case DPK_AVX2: return &dpk_activations_avx2;
    case DPK_AVX512: return &dpk_activations_avx512;
#endif
    default: return NULL;
    }
}

const dpk_activations *dpk_active_activations(void) {
    const dpk_activations *active = dpk_activations_at(dpk_active_kernels()->level);
    return active ? active : &dpk_activations_portable;
}
