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

/// C = A B + beta C in f32, all row-major; A is stored transposed where `transpose_a`, B where `transpose_b`. Returns oneDNN's status.
static inline int onednn_multiply_f32(
  int transpose_a, int transpose_b, long rows, long columns, long k, const float *a, long a_stride, const float *b,
  long b_stride, float beta, float *c, long c_stride) {
  return dnnl_sgemm(
    transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', rows, columns, k, 1.0f, a, a_stride, b, b_stride, beta, c, c_stride);
}

/// What a product C = A B is like. A: [rows, k], B: [k, columns], C: [rows, columns], all row-major with the distances of
/// their rows as given; A stands transposed, [k, rows], where `transposes_a`, B where `transposes_b`.
typedef struct {
  /// One of rows and k may be `onednn_open`: it is given with each run.
  long rows, columns, k;
  long a_stride, b_stride, c_stride;
  bool transposes_a, transposes_b;
  /// A and B are bf16; C is f32 always.
  bool is_bf16;
  /// C += A B.
  bool is_adding;
} onednn_product;

static const long onednn_open = DNNL_RUNTIME_DIM_VAL;

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t onednn_matrix;
#define ONEDNN_ADDRESS(matrix) (matrix)
#define ONEDNN_RELEASE(matrix) dnnl_memory_desc_destroy(matrix)
#else
typedef dnnl_memory_desc_t onednn_matrix;
#define ONEDNN_ADDRESS(matrix) (&(matrix))
#define ONEDNN_RELEASE(matrix) ((void)0)
#endif

static inline dnnl_status_t onednn_describe(
  onednn_matrix *matrix, long rows, long columns, long stride, bool transposed, bool is_bf16) {
  dnnl_dims_t sizes = {rows, columns}, strides = {transposed ? 1 : stride, transposed ? stride : 1};
  dnnl_data_type_t type = is_bf16 ? dnnl_bf16 : dnnl_f32;
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_create_with_strides(matrix, 2, sizes, type, strides);
#else
  return dnnl_memory_desc_init_by_strides(matrix, 2, sizes, type, strides);
#endif
}

/// Describes all three, or none.
static inline dnnl_status_t onednn_describe_all(const onednn_product *product, onednn_matrix matrices[3]) {
  dnnl_status_t status =
    onednn_describe(&matrices[0], product->rows, product->k, product->a_stride, product->transposes_a, product->is_bf16);
  if (status != dnnl_success) return status;
  status = onednn_describe(
    &matrices[1], product->k, product->columns, product->b_stride, product->transposes_b, product->is_bf16);
  if (status != dnnl_success) {
    ONEDNN_RELEASE(matrices[0]);
    return status;
  }
  status = onednn_describe(&matrices[2], product->rows, product->columns, product->c_stride, false, false);
  if (status != dnnl_success) {
    ONEDNN_RELEASE(matrices[0]);
    ONEDNN_RELEASE(matrices[1]);
  }
  return status;
}

/// Makes the code for a product, and says how many bytes of scratch memory each run of it needs. With scratch memory of oneDNN's own
/// two threads that run one primitive would silently spoil each other's numbers.
static inline int onednn_prepare(
  dnnl_engine_t engine, const onednn_product *product, dnnl_primitive_t *primitive, size_t *scratch_bytes) {
  onednn_matrix matrices[3];
  dnnl_primitive_attr_t attributes = 0;
  dnnl_post_ops_t after = 0;
  dnnl_primitive_desc_t description = 0;
  dnnl_status_t status = onednn_describe_all(product, matrices);
  if (status != dnnl_success) return status;
  status = dnnl_primitive_attr_create(&attributes);
  if (status == dnnl_success) status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (status == dnnl_success && product->is_adding) {
    status = dnnl_post_ops_create(&after);
#if DNNL_VERSION_MAJOR >= 3
    if (status == dnnl_success) status = dnnl_post_ops_append_sum(after, 1.0f, 0, dnnl_data_type_undef);
#else
    if (status == dnnl_success) status = dnnl_post_ops_append_sum(after, 1.0f);
#endif
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, after);
  }
#if DNNL_VERSION_MAJOR >= 3
  if (status == dnnl_success)
    status = dnnl_matmul_primitive_desc_create(
      &description, engine, matrices[0], matrices[1], 0, matrices[2], attributes);
#else
  dnnl_matmul_desc_t operation;
  if (status == dnnl_success)
    status = dnnl_matmul_desc_init(&operation, &matrices[0], &matrices[1], 0, &matrices[2]);
  if (status == dnnl_success) status = dnnl_primitive_desc_create(&description, &operation, attributes, engine, 0);
#endif
  if (status == dnnl_success) status = dnnl_primitive_create(primitive, description);
  if (status == dnnl_success)
    *scratch_bytes =
      dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0));
  if (description) dnnl_primitive_desc_destroy(description);
  if (after) dnnl_post_ops_destroy(after);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  for (int i = 0; i < 3; i++) ONEDNN_RELEASE(matrices[i]);
  return status;
}

/// Runs what `onednn_prepare` made, now with every number of `product` given.
static inline int onednn_run(
  dnnl_engine_t engine, dnnl_stream_t stream, const_dnnl_primitive_t primitive, const onednn_product *product, void *a,
  void *b, void *c, void *scratch, size_t scratch_bytes) {
  onednn_matrix matrices[4];
  dnnl_memory_t memories[4] = {0, 0, 0, 0};
  void *places[4] = {a, b, c, scratch};
  int roles[4] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};
  dnnl_exec_arg_t arguments[4];
  dnnl_status_t status = onednn_describe_all(product, matrices);
  if (status != dnnl_success) return status;
  // The scratch memory is a row of bytes to oneDNN; floats serve as well.
  int used = 3;
  if (scratch_bytes > 0) {
    long numbers = (long)(scratch_bytes + 3) / 4;
    status = onednn_describe(&matrices[3], 1, numbers, numbers, false, false);
    if (status == dnnl_success) used = 4;
  }
  for (int i = 0; i < used && status == dnnl_success; i++) {
    status = dnnl_memory_create(&memories[i], ONEDNN_ADDRESS(matrices[i]), engine, places[i]);
    arguments[i] = (dnnl_exec_arg_t){roles[i], memories[i]};
  }
  if (status == dnnl_success) status = dnnl_primitive_execute(primitive, stream, used, arguments);
  for (int i = 0; i < used; i++) {
    if (memories[i]) dnnl_memory_destroy(memories[i]);
    ONEDNN_RELEASE(matrices[i]);
  }
  return status;
}

static inline int onednn_start(dnnl_engine_t *engine, dnnl_stream_t *stream) {
  dnnl_status_t status = dnnl_engine_create(engine, dnnl_cpu, 0);
  if (status == dnnl_success) status = dnnl_stream_create(stream, *engine, dnnl_stream_default_flags);
  return status;
}

/// Whether the CPU has what oneDNN calls the core of AVX-512.
static inline bool onednn_has_avx512(void) {
  int needed = (int)dnnl_cpu_isa_avx512_core;
  return ((int)dnnl_get_effective_cpu_isa() & needed) == needed;
}

/// Whether the CPU multiplies bf16 itself. That oneDNN can make such a product says nothing: it emulates it, slower than f32.
static inline bool onednn_multiplies_bf16(void) {
  int kind = (int)dnnl_get_effective_cpu_isa();
  int needed = (int)dnnl_cpu_isa_avx512_core_bf16;
  return (kind & needed) == needed;
}

/// Whether products of bf16 are the faster ones. Intel's AVX-512 multiplies bf16 on one port of the two that it has for f32, so it needs
/// AMX; measured with oneDNN 2.6 on such a Xeon: 152 GFLOP/s of bf16 against 247 of f32, on an EPYC 440 to 498 against 220 to 250.
static inline bool onednn_favours_bf16(void) {
  int kind = (int)dnnl_get_effective_cpu_isa();
  int amx = (int)dnnl_cpu_isa_avx512_core_amx;
  __builtin_cpu_init();
  return onednn_multiplies_bf16() && (!__builtin_cpu_is("intel") || (kind & amx) == amx);
}
