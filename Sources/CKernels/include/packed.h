#pragma once

// Products of few rows with matrices that a file holds in few bits: they wait for memory, so the bits are what is read.

/// In how many bits a number stands.
typedef enum { fettle_bits_4 = 4, fettle_bits_8 = 8 } fettle_bits;

/// Bytes that a packed matrix takes. inputs: a multiple of 32; outputs: of 16.
long fettle_packed_bytes(fettle_bits bits, long inputs, long outputs);

/// Packs a matrix of ggml's blocks Q4_1 (or Q4_0 where `has_minimum` is 0) or Q8_0, [outputs, inputs].
void fettle_pack(fettle_bits bits, int has_minimum, const void *blocks, void *packed, long inputs, long outputs);

/// y = x w, or y += x w. x: [rows, inputs]; y: [rows, outputs], `stride` numbers from one row to the next.
///
/// Sums are kept as oneDNN's f32 products keep them on AVX-512, so that a row's numbers are the same to the last bit: one input after
/// another, in two halves, or in stretches of 384.
void fettle_multiply_packed(
  fettle_bits bits, const void *packed, const float *x, float *y, long stride, long rows, long inputs, long outputs, int adding);
