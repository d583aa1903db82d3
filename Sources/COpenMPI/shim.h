#pragma once
#include <mpi.h>

// Open MPI's constants are macros that Swift cannot see.
static inline MPI_Comm dpm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype dpm_byte(void) { return MPI_BYTE; }
static inline void *dpm_in_place(void) { return MPI_IN_PLACE; }
static inline int dpm_no_rank(void) { return MPI_PROC_NULL; }
static inline int dpm_success(void) { return MPI_SUCCESS; }
static inline int dpm_funneled(void) { return MPI_THREAD_FUNNELED; }
