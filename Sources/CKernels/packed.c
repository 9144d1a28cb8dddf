#include "packed.h"
#include "vectors.h"
#include <stdint.h>
#include <string.h>

// Sixteen outputs stand together, block by block of 32 inputs: their scales, in four bits their minima, and then sixteen bytes for each
// input, or for each two of them that are sixteen apart, as in the file.

typedef unsigned char b16 __attribute__((ext_vector_type(16), aligned(1)));
typedef signed char s16 __attribute__((ext_vector_type(16), aligned(1)));

static ALWAYS_INLINE long block_bytes(fettle_bits bits) { return bits == fettle_bits_4 ? 128 + 256 : 64 + 512; }

long fettle_packed_bytes(fettle_bits bits, long inputs, long outputs) {
  return outputs / 16 * (inputs / 32) * block_bytes(bits);
}

static ALWAYS_INLINE float half(const unsigned char *x) {
  _Float16 number;
  memcpy(&number, x, 2);
  return (float)number;
}

void fettle_pack(fettle_bits bits, int has_minimum, const void *blocks, void *packed, long inputs, long outputs) {
  const unsigned char *from = blocks;
  unsigned char *to = packed;
  long size = bits == fettle_bits_8 ? 34 : has_minimum ? 20 : 18, head = bits == fettle_bits_4 && has_minimum ? 4 : 2;
  long count = inputs / 32, bytes = bits == fettle_bits_4 ? 16 : 32;
  for (long group = 0; group < outputs / 16; group++)
    for (long b = 0; b < count; b++, to += block_bytes(bits)) {
      float *scale = (float *)to, *minimum = scale + 16;
      unsigned char *numbers = to + (bits == fettle_bits_4 ? 128 : 64);
      for (long i = 0; i < 16; i++) {
        const unsigned char *block = from + ((group * 16 + i) * count + b) * size;
        scale[i] = half(block);
        if (bits == fettle_bits_4) minimum[i] = has_minimum ? half(block + 2) : -8 * scale[i];
        for (long j = 0; j < bytes; j++) numbers[j * 16 + i] = block[head + j];
      }
    }
}

/// Inputs that oneDNN sums before it adds to what is there.
static ALWAYS_INLINE long stretch(long inputs) { return inputs <= 384 ? inputs : inputs < 768 ? inputs / 2 : 384; }

#define LOW(bytes) __builtin_convertvector(__builtin_convertvector(*(const b16 *)(bytes), i16) & 15, v16)
#define HIGH(bytes) __builtin_convertvector(__builtin_convertvector(*(const b16 *)(bytes), i16) >> 4, v16)
#define SIGNED(bytes) __builtin_convertvector(__builtin_convertvector(*(const s16 *)(bytes), i16), v16)

/// Takes in some inputs of a block, one after another, for R rows and 16 G outputs.
#define TAKE(R, G, first, count, NUMBER)                                                                               \
  for (long j = 0; j < count; j++) {                                                                                   \
    v16 number[G];                                                                                                     \
    for (int g = 0; g < G; g++) number[g] = NUMBER;                                                                    \
    for (int r = 0; r < R; r++) {                                                                                      \
      v16 left = (v16)(row[r][b * 32 + first + j]);                                                                    \
      for (int g = 0; g < G; g++) sum[r][g] += left * number[g];                                                       \
    }                                                                                                                  \
  }

/// Up to R rows from row m on: where there are fewer, the last one is computed again instead.
#define TILE(R, G)                                                                                                     \
  {                                                                                                                    \
    const float *row[R];                                                                                               \
    for (int r = 0; r < R; r++) row[r] = x + (m + r < rows ? m + r : rows - 1) * inputs;                               \
    for (long start = 0; start < blocks; start += step) {                                                              \
      long end = start + step < blocks ? start + step : blocks;                                                        \
      v16 sum[R][G];                                                                                                   \
      for (int r = 0; r < R; r++)                                                                                      \
        for (int g = 0; g < G; g++) sum[r][g] = zeros();                                                               \
      for (long b = start; b < end; b++) {                                                                             \
        const unsigned char *at[G];                                                                                    \
        v16 scale[G], minimum[G];                                                                                      \
        for (int g = 0; g < G; g++) {                                                                                  \
          at[g] = packed + ((n + g) * blocks + b) * size;                                                              \
          scale[g] = load((const float *)at[g]);                                                                       \
          if (is_small) minimum[g] = load((const float *)at[g] + 16);                                                  \
        }                                                                                                              \
        if (is_small) {                                                                                                \
          TAKE(R, G, 0, 16, LOW(at[g] + 128 + 16 * j) * scale[g] + minimum[g])                                         \
          TAKE(R, G, 16, 16, HIGH(at[g] + 128 + 16 * j) * scale[g] + minimum[g])                                       \
        } else TAKE(R, G, 0, 32, SIGNED(at[g] + 64 + 16 * j) * scale[g])                                               \
      }                                                                                                                \
      for (int r = 0; r < R && m + r < rows; r++)                                                                      \
        for (int g = 0; g < G; g++) {                                                                                  \
          float *to = y + (m + r) * stride + (n + g) * 16;                                                             \
          store(to, start > 0 || adding ? load(to) + sum[r][g] : sum[r][g]);                                           \
        }                                                                                                              \
    }                                                                                                                  \
    m += R;                                                                                                            \
  }

#define TILES(G)                                                                                                       \
  for (long m = 0; m < rows;) {                                                                                        \
    if (m + 4 < rows) TILE(8, G)                                                                                       \
    else if (m + 2 < rows) TILE(4, G)                                                                                  \
    else if (m + 1 < rows) TILE(2, G)                                                                                  \
    else TILE(1, G)                                                                                                    \
  }

static ALWAYS_INLINE void multiply(
  int is_small, const unsigned char *packed, const float *x, float *y, long stride, long rows, long inputs, long outputs,
  int adding) {
  long blocks = inputs / 32, step = stretch(inputs) / 32, groups = outputs / 16, n = 0;
  long size = block_bytes(is_small ? fettle_bits_4 : fettle_bits_8);
  for (; n + 2 <= groups; n += 2) TILES(2)
  for (; n < groups; n++) TILES(1)
}

KERNEL void fettle_multiply_packed(
  fettle_bits bits, const void *packed, const float *x, float *y, long stride, long rows, long inputs, long outputs, int adding) {
  if (bits == fettle_bits_4) multiply(1, packed, x, y, stride, rows, inputs, outputs, adding);
  else multiply(0, packed, x, y, stride, rows, inputs, outputs, adding);
}
