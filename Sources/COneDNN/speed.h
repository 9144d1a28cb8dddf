#pragma once
// What oneDNN itself can do on this machine, for the benchmark program: a bare product with as many threads as oneDNN likes.
#include <dnnl.h>
#include <stdbool.h>
#include <time.h>

/// Seconds of the fastest of `runs` products `[rows, inner] x [inner, columns]` in row-major memory, f32 or bf16 with an f32
/// result; negative where oneDNN has no such product.
static inline double onednn_fastest_product(bool is_bf16, long rows, long columns, long inner, int runs) {
  dnnl_data_type_t type = is_bf16 ? dnnl_bf16 : dnnl_f32;
  dnnl_dims_t sizes[3] = {{rows, inner}, {inner, columns}, {rows, columns}};
  int arguments[3] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
  double fastest = -1;
  dnnl_engine_t engine = 0;
  dnnl_stream_t stream = 0;
  dnnl_primitive_desc_t plan = 0;
  dnnl_primitive_t product = 0;
  dnnl_memory_t memories[3] = {0};
#if DNNL_VERSION_MAJOR >= 3
  dnnl_memory_desc_t layouts[3] = {0};
#else
  dnnl_memory_desc_t layouts[3];
#endif
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) || dnnl_stream_create(&stream, engine, dnnl_stream_default_flags)) goto end;
  for (int i = 0; i < 3; i++) {
    dnnl_data_type_t own = i < 2 ? type : dnnl_f32;
#if DNNL_VERSION_MAJOR >= 3
    if (dnnl_memory_desc_create_with_tag(&layouts[i], 2, sizes[i], own, dnnl_ab)) goto end;
    if (dnnl_memory_create(&memories[i], layouts[i], engine, DNNL_MEMORY_ALLOCATE)) goto end;
#else
    if (dnnl_memory_desc_init_by_tag(&layouts[i], 2, sizes[i], own, dnnl_ab)) goto end;
    if (dnnl_memory_create(&memories[i], &layouts[i], engine, DNNL_MEMORY_ALLOCATE)) goto end;
#endif
    // Denormal numbers, which fresh memory may hold, would slow the product down.
    void *numbers = 0;
    if (dnnl_memory_get_data_handle(memories[i], &numbers)) goto end;
    __builtin_memset(numbers, 0, sizes[i][0] * sizes[i][1] * (own == dnnl_bf16 ? 2 : 4));
  }
#if DNNL_VERSION_MAJOR >= 3
  if (dnnl_matmul_primitive_desc_create(&plan, engine, layouts[0], layouts[1], 0, layouts[2], 0)) goto end;
#else
  dnnl_matmul_desc_t description;
  if (dnnl_matmul_desc_init(&description, &layouts[0], &layouts[1], 0, &layouts[2])) goto end;
  if (dnnl_primitive_desc_create(&plan, &description, 0, engine, 0)) goto end;
#endif
  if (dnnl_primitive_create(&product, plan)) goto end;
  dnnl_exec_arg_t bound[3];
  for (int i = 0; i < 3; i++) bound[i] = (dnnl_exec_arg_t){arguments[i], memories[i]};
  for (int run = 0; run < runs; run++) {
    struct timespec start, stop;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (dnnl_primitive_execute(product, stream, 3, bound) || dnnl_stream_wait(stream)) {
      fastest = -1;
      break;
    }
    clock_gettime(CLOCK_MONOTONIC, &stop);
    double seconds = (stop.tv_sec - start.tv_sec) + 1e-9 * (stop.tv_nsec - start.tv_nsec);
    if (fastest < 0 || seconds < fastest) fastest = seconds;
  }
end:
  for (int i = 0; i < 3; i++) {
    if (memories[i]) dnnl_memory_destroy(memories[i]);
#if DNNL_VERSION_MAJOR >= 3
    if (layouts[i]) dnnl_memory_desc_destroy(layouts[i]);
#endif
  }
  if (product) dnnl_primitive_destroy(product);
  if (plan) dnnl_primitive_desc_destroy(plan);
  if (stream) dnnl_stream_destroy(stream);
  if (engine) dnnl_engine_destroy(engine);
  return fastest;
}
