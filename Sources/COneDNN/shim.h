#pragma once
// oneDNN for Swift: what differs between its versions 2 and 3, and what Swift cannot import, stands here and nowhere else.
#include <dlfcn.h>
#include <dnnl.h>
#include <stdbool.h>

/// One-thread products on the calling thread. OpenMP keeps the number a thread, so each thread says it for itself. Looked up by
/// name because oneDNN may have been built with another threading library.
static inline void onednn_use_one_thread(void) {
  void (*set)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  if (set) set(1);
}

/// C = A B + beta C in f32, all row-major; A is stored transposed where `turn_a`, B where `turn_b`. Returns oneDNN's status.
static inline int onednn_multiply_f32(
  int turn_a, int turn_b, long rows, long columns, long inner, const float *a, long a_stride, const float *b,
  long b_stride, float beta, float *c, long c_stride) {
  return dnnl_sgemm(
    turn_a ? 'T' : 'N', turn_b ? 'T' : 'N', rows, columns, inner, 1.0f, a, a_stride, b, b_stride, beta, c, c_stride);
}

/// Whether the CPU multiplies bf16 itself. That oneDNN can make such a product says nothing: it emulates it, slower than f32.
static inline bool onednn_multiplies_bf16(void) {
  int kind = (int)dnnl_get_effective_cpu_isa();
  int needed = (int)dnnl_cpu_isa_avx512_core_bf16;
  return (kind & needed) == needed;
}
