#include "blocks.h"
#include "vectors.h"
#include <stdint.h>
#include <string.h>

// A half (11 bits) times a scale (6 bits) times a number (5 bits) fits into a float: products that are summed are exact, and fused or
// not the sum is rounded once.

typedef const uint8_t *bytes;

static ALWAYS_INLINE uint32_t pair(bytes p) { return p[0] | (uint32_t)p[1] << 8; }
static ALWAYS_INLINE uint32_t four(bytes p) { return pair(p) | pair(p + 2) << 16; }

static ALWAYS_INLINE float float_of(uint32_t bits) {
  float number;
  memcpy(&number, &bits, 4);
  return number;
}

/// IEEE 754 half precision, by bits: not every platform has a type for it.
static ALWAYS_INLINE float half(bytes p) {
  uint32_t bits = pair(p), rest = bits & 0x7fff;
  uint32_t added = rest < 0x7c00 ? 112u << 23 : 224u << 23;
  float number = rest < 0x400 ? (float)(int)rest * 0x1p-24f : float_of((rest << 13) + added);
  uint32_t magnitude;
  memcpy(&magnitude, &number, 4);
  return float_of((bits & 0x8000) << 16 | magnitude);
}

KERNEL void fettle_decode_f16(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long i = 0; i < count; i++) y[i] = half(x + 2 * i);
}

KERNEL void fettle_encode_f16(const float *x, uint16_t *y, long count) {
  for (long i = 0; i < count; i++) {
    uint32_t bits, small;
    memcpy(&bits, x + i, 4);
    uint32_t magnitude = bits & 0x7fffffff, rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    uint32_t number = (rounded - 0x38000000) >> 13;
    // Added to a half, what has no more than ten bits below it stands in the low bits, rounded.
    float shifted = float_of(magnitude) + 0.5f;
    memcpy(&small, &shifted, 4);
    if (magnitude < 0x38800000) number = small - 0x3f000000;
    if (rounded >= 0x47800000) number = 0x7c00;
    if (magnitude > 0x7f800000) number = 0x7e00;
    y[i] = (uint16_t)((bits & 0x80000000) >> 16 | number);
  }
}

KERNEL void fettle_decode_bf16(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long i = 0; i < count; i++) y[i] = float_of(pair(x + 2 * i) << 16);
}

KERNEL void fettle_decode_q4_0(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long b = 0; b < count; b++, x += 18, y += 32) {
    float scale = half(x);
    for (int i = 0; i < 16; i++) y[i] = scale * (float)((x[2 + i] & 15) - 8);
    for (int i = 0; i < 16; i++) y[16 + i] = scale * (float)((x[2 + i] >> 4) - 8);
  }
}

KERNEL void fettle_decode_q4_1(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long b = 0; b < count; b++, x += 20, y += 32) {
    float scale = half(x), minimum = half(x + 2);
    for (int i = 0; i < 16; i++) y[i] = scale * (float)(x[4 + i] & 15) + minimum;
    for (int i = 0; i < 16; i++) y[16 + i] = scale * (float)(x[4 + i] >> 4) + minimum;
  }
}

// The fifth bits of a block's 32 numbers stand together in four bytes.
#define fifth_bit(bits, i) ((int)((bits) >> (i) & 1) << 4)

KERNEL void fettle_decode_q5_0(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long b = 0; b < count; b++, x += 22, y += 32) {
    float scale = half(x);
    uint32_t fifth = four(x + 2);
    for (int i = 0; i < 16; i++) y[i] = scale * (float)((x[6 + i] & 15 | fifth_bit(fifth, i)) - 16);
    for (int i = 0; i < 16; i++) y[16 + i] = scale * (float)((x[6 + i] >> 4 | fifth_bit(fifth, 16 + i)) - 16);
  }
}

KERNEL void fettle_decode_q5_1(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long b = 0; b < count; b++, x += 24, y += 32) {
    float scale = half(x), minimum = half(x + 2);
    uint32_t fifth = four(x + 4);
    for (int i = 0; i < 16; i++) y[i] = scale * (float)(x[8 + i] & 15 | fifth_bit(fifth, i)) + minimum;
    for (int i = 0; i < 16; i++) y[16 + i] = scale * (float)(x[8 + i] >> 4 | fifth_bit(fifth, 16 + i)) + minimum;
  }
}

KERNEL void fettle_decode_q8_0(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long b = 0; b < count; b++, x += 34, y += 32) {
    float scale = half(x);
    for (int i = 0; i < 32; i++) y[i] = (float)(int8_t)x[2 + i] * scale;
  }
}

/// Scale and minimum of a group of 32, of eight each, 6 bits wide, in twelve bytes: the first four of each stand in the low bits of
/// a byte, the last four in four bits of one and the two high bits of another.
static ALWAYS_INLINE void group(bytes packed, int i, int *scale, int *minimum) {
  if (i < 4) {
    *scale = packed[i] & 63;
    *minimum = packed[i + 4] & 63;
  } else {
    *scale = (packed[i + 4] & 15) | (packed[i - 4] >> 6) << 4;
    *minimum = packed[i + 4] >> 4 | (packed[i] >> 6) << 4;
  }
}

KERNEL void fettle_decode_q4_k(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long b = 0; b < count; b++, x += 144) {
    float outer = half(x), outer_minimum = half(x + 2);
    for (int g = 0; g < 8; g++, y += 32) {
      int scale_bits, minimum_bits, shift = g % 2 * 4;
      group(x + 4, g, &scale_bits, &minimum_bits);
      float scale = outer * (float)scale_bits, minimum = outer_minimum * (float)minimum_bits;
      bytes low = x + 16 + g / 2 * 32;
      for (int i = 0; i < 32; i++) y[i] = scale * (float)(low[i] >> shift & 15) - minimum;
    }
  }
}

KERNEL void fettle_decode_q5_k(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long b = 0; b < count; b++, x += 176) {
    float outer = half(x), outer_minimum = half(x + 2);
    for (int g = 0; g < 8; g++, y += 32) {
      int scale_bits, minimum_bits, shift = g % 2 * 4;
      group(x + 4, g, &scale_bits, &minimum_bits);
      float scale = outer * (float)scale_bits, minimum = outer_minimum * (float)minimum_bits;
      bytes fifth = x + 16, low = x + 48 + g / 2 * 32;
      for (int i = 0; i < 32; i++)
        y[i] = scale * (float)(low[i] >> shift & 15 | (fifth[i] >> g & 1) << 4) - minimum;
    }
  }
}

KERNEL void fettle_decode_q6_k(const void *blocks, float *restrict y, long count) {
  bytes x = blocks;
  for (long b = 0; b < count; b++, x += 210) {
    float outer = half(x + 208);
    // Per half of the block: 64 bytes with the low four bits of 128 numbers, 32 bytes with their high two.
    for (int part = 0; part < 8; part++, y += 32) {
      int quarter = part % 4, shift = quarter / 2 * 4;
      bytes low = x + part / 4 * 64 + quarter % 2 * 32, high = x + 128 + part / 4 * 32, scales = x + 192 + part * 2;
      for (int g = 0; g < 2; g++) {
        float scale = outer * (float)(int8_t)scales[g];
        for (int i = g * 16; i < g * 16 + 16; i++)
          y[i] = scale * (float)((low[i] >> shift & 15 | (high[i] >> (2 * quarter) & 3) << 4) - 32);
      }
    }
  }
}
