// The choice between the instruction sets.

#include "prelude.h"

const dpk_kernels *dpk_kernels_at(dpk_level level) {
    switch (level) {
    case DPK_PORTABLE: return &dpk_kernels_portable;
#if defined(__x86_64__)
    case DPK_AVX2: return __builtin_cpu_supports("x86-64-v3") ? &dpk_kernels_avx2 : NULL;
    case DPK_AVX512: return __builtin_cpu_supports("x86-64-v4") ? &dpk_kernels_avx512 : NULL;
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
