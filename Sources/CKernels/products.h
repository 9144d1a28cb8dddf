#pragma once
#include "vectors.h"

// Attention is many small products, each a few dozen rows of a head's 32 numbers: too small for a library call to pay.
// Every one of them is written here as "rows of A, broadcast, times whole vectors of B", so that one small routine does all.

static ALWAYS_INLINE long padded(long n) { return (n + 15) / 16 * 16; }

/// C[0..<R, 0..<16V] = A times B, or the sums of C go on where `adding`; A(i, k) stands at a[i * a_row + k * a_column];
/// B: [inner, …], C: rows of whole vectors.
#define TILE(R, V)                                                                                                    \
  {                                                                                                                    \
    v16 sum[R][V];                                                                                                     \
    for (int i = 0; i < R; i++)                                                                                        \
      for (int v = 0; v < V; v++) sum[i][v] = adding ? load(c + (m + i) * c_row + n + 16 * v) : zeros();               \
    for (long k = 0; k < inner; k++) {                                                                                 \
      v16 right[V];                                                                                                    \
      for (int v = 0; v < V; v++) right[v] = load(b + k * b_row + n + 16 * v);                                         \
      for (int i = 0; i < R; i++) {                                                                                    \
        v16 left = (v16)(a[(m + i) * a_row + k * a_column]);                                                           \
        for (int v = 0; v < V; v++) sum[i][v] += left * right[v];                                                      \
      }                                                                                                                \
    }                                                                                                                  \
    for (int i = 0; i < R; i++)                                                                                        \
      for (int v = 0; v < V; v++) store(c + (m + i) * c_row + n + 16 * v, sum[i][v]);                                  \
  }

static ALWAYS_INLINE void multiply_onto(
  const float *a, long a_row, long a_column, const float *b, long b_row, float *c, long c_row, long rows, long columns,
  long inner, int adding) {
  for (long n = 0; n < columns;) {
    int wide = n + 32 <= columns;
    long m = 0;
    if (wide) {
      for (; m + 4 <= rows; m += 4) TILE(4, 2)
      if (m + 3 == rows) {
        TILE(3, 2)
        m += 3;
      }
      for (; m < rows; m++) TILE(1, 2)
      n += 32;
    } else {
      for (; m + 4 <= rows; m += 4) TILE(4, 1)
      if (m + 3 == rows) {
        TILE(3, 1)
        m += 3;
      }
      for (; m < rows; m++) TILE(1, 1)
      n += 16;
    }
  }
}

static ALWAYS_INLINE void multiply(
  const float *a, long a_row, long a_column, const float *b, long b_row, float *c, long c_row, long rows, long columns,
  long inner) {
  multiply_onto(a, a_row, a_column, b, b_row, c, c_row, rows, columns, inner, 0);
}

/// to: [length, padded width] = scale * the head's columns of from; the padding is zero.
static ALWAYS_INLINE void gather(const float *from, long stride, float *to, long length, long width, float scale) {
  long wide = padded(width);
  for (long i = 0; i < length; i++)
    for (long d = 0; d < wide; d += 16)
      store(to + i * wide + d, load_up_to(from + i * stride + d, width - d) * scale);
}

static ALWAYS_INLINE void scatter(const float *from, float *to, long stride, long length, long width, float scale) {
  long wide = padded(width);
  for (long i = 0; i < length; i++)
    for (long d = 0; d < wide; d += 16)
      store_up_to(to + i * stride + d, load(from + i * wide + d) * scale, width - d);
}

/// to: [padded width, padded length] = from: [length, padded width], its rows and columns exchanged, sixteen by sixteen.
static ALWAYS_INLINE void transpose(const float *from, float *to, long length, long width) {
  long wide = padded(width), tall = padded(length);
  for (long d = 0; d < wide; d += 16)
    for (long j = 0; j < tall; j += 16) {
      v16 row[16];
      for (int i = 0; i < 16; i++) row[i] = j + i < length ? load(from + (j + i) * wide + d) : zeros();
      EXCHANGE_ALL
      for (int i = 0; i < 16; i++) store(to + (d + i) * tall + j, row[i]);
    }
}

/// A row of scores, `tall` long, becomes its softmax over the first `length`; what is behind becomes zero.
static ALWAYS_INLINE void softmax_row(float *row, long length, long tall) {
  for (long j = length; j < tall; j++) row[j] = -__builtin_huge_valf();
  v16 most = load(row);
  for (long j = 16; j < tall; j += 16) most = __builtin_elementwise_max(most, load(row + j));
  float maximum = max16(most);
  v16 sums = zeros();
  for (long j = 0; j < tall; j += 16) {
    v16 value = exp16(load(row + j) - maximum);
    if (j + 16 > length) value = first_lanes(value, length > j ? length - j : 0);
    sums += value;
    store(row + j, value);
  }
  float inverse = 1.0f / sum16(sums);
  for (long j = 0; j < tall; j += 16) store(row + j, load(row + j) * inverse);
}

/// Each row of scores: [length, padded length] becomes its softmax over the first `length`; the padding becomes zero.
static ALWAYS_INLINE void softmax_rows(float *scores, long length) {
  for (long i = 0; i < length; i++) softmax_row(scores + i * padded(length), length, padded(length));
}
