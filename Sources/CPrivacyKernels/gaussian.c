// The transform from random bits to normals: one body, compiled per instruction set.

#include "gaussian.h"

#include <stdint.h>
#include <string.h>

// The same roundings on every instruction set: a seeded run is then reproducible from machine to machine.
#pragma clang fp contract(off)
#pragma STDC FP_CONTRACT OFF

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the words of a block are little-endian");

typedef float v8f __attribute__((vector_size(32)));
typedef double v8d __attribute__((vector_size(64)));
typedef int32_t v8i __attribute__((vector_size(32)));
typedef uint32_t v8u __attribute__((vector_size(32)));

#define HELPER inline __attribute__((always_inline))

// `mask` is all ones or all zeros per lane; the choice is made in the bits, without a branch.
#define SELECT(mask, yes, no) (((v8u)(mask) & (v8u)(yes)) | (~(v8u)(mask) & (v8u)(no)))

#define DPK_BODY "gaussian.inc"
#include "levels.inc"
