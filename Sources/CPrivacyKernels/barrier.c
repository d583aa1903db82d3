#include "CPrivacyKernels.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

dpk_barrier *dpk_barrier_make(void) { return calloc(1, sizeof(dpk_barrier)); }

void dpk_barrier_free(dpk_barrier *barrier) { free(barrier); }

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void dpk_barrier_wait(dpk_barrier *barrier, uint32_t team) {
    const uint32_t generation = atomic_load_explicit(&barrier->generation, memory_order_acquire);
    if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) + 1 == team) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_fetch_add_explicit(&barrier->generation, 1, memory_order_acq_rel);
        return;
    }
    // A team member may have lost its processor to another program: after a while, let it have ours.
    for (int spins = 0; atomic_load_explicit(&barrier->generation, memory_order_acquire) == generation; spins++) {
        if (spins < 4096) relax();
        else sched_yield();
    }
}

long dpk_claim(long *counter) { return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED); }

void dpk_spin_while(const long *value, long seen, int spins) {
    while (spins-- > 0 && __atomic_load_n(value, __ATOMIC_ACQUIRE) == seen) relax();
}

void dpk_announce(long *value) { __atomic_fetch_add(value, 1, __ATOMIC_RELEASE); }
