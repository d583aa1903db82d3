#ifndef CFOURIER_H
#define CFOURIER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Tables for real transforms of one even length. Read-only once made, so one plan serves many threads.
typedef struct cfourier_plan cfourier_plan;

/// `length` must be even, with no prime factor above 5 (larger radices of kissfft share scratch memory).
/// Returns NULL when it is not, or when memory runs out.
cfourier_plan *cfourier_plan_create(size_t length);
void cfourier_plan_destroy(cfourier_plan *plan);

/// spectrum[k] = Σ_j signal[j]·exp(−2πi jk/length) for k = 0 … length/2, interleaved (real, imaginary):
/// length + 2 doubles.
void cfourier_forward(const cfourier_plan *plan, const double *signal, double *spectrum);

/// The inverse of `cfourier_forward`, scaled by 1/length. `spectrum` is overwritten.
void cfourier_inverse(const cfourier_plan *plan, double *spectrum, double *signal);

#ifdef __cplusplus
}
#endif

#endif
