// What every file of kernels begins with: roundings, vectors, and the tables of each instruction set.

#ifndef DPK_PRELUDE_H
#define DPK_PRELUDE_H

#include "CPrivacyKernels.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// The same roundings on every instruction set: a seeded run is then reproducible from machine to machine. What is fused
// is said by name.
#pragma clang fp contract(off)
#pragma STDC FP_CONTRACT OFF

// Eight lanes everywhere: the compiler splits them into what the instruction set has, so that the order of every
// reduction is the same on all of them. Rows start wherever the caller's memory does, hence the alignment of one
// element.
#define VECTOR(bytes, alignment) __attribute__((vector_size(bytes), aligned(alignment)))
typedef float v8f VECTOR(32, 4);
typedef double v8d VECTOR(64, 8);
typedef int32_t v8i VECTOR(32, 4);
typedef int64_t v8l VECTOR(64, 8);
typedef uint32_t v8u VECTOR(32, 4);
typedef uint64_t v8w VECTOR(64, 8);
typedef float v4f VECTOR(16, 4);
typedef int64_t v4l VECTOR(32, 8);

// Helpers pass vectors wider than the baseline's registers; inlined, they have no calling convention to disagree on.
#define HELPER inline __attribute__((always_inline))
#pragma clang diagnostic ignored "-Wpsabi"

// `mask` is all ones or all zeros per lane; the choice is made in the bits, without a branch.
#define SELECT(mask, yes, no) ((v8f)(((v8u)(mask) & (v8u)(yes)) | (~(v8u)(mask) & (v8u)(no))))
#define SQRT(x) __builtin_elementwise_sqrt(x)
#define MAX(x, y) __builtin_elementwise_max(x, y)

// Each file of kernels makes one table per instruction set; `dpk_kernels_at` chooses.
#define TABLE(type, name) __attribute__((visibility("hidden"))) const type name
#define TABLES(level)                                                                                                  \
    extern TABLE(dpk_activations, dpk_activations_##level);                                                            \
    extern TABLE(dpk_normalizations, dpk_normalizations_##level);                                                      \
    extern TABLE(dpk_optimizers, dpk_optimizers_##level);                                                              \
    extern TABLE(dpk_products, dpk_products_##level);                                                                  \
    extern TABLE(dpk_kernels, dpk_kernels_##level)

TABLES(portable);
#if defined(__x86_64__)
TABLES(avx2);
TABLES(avx512);
#endif

#endif
