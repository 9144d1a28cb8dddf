#include "kernels.h"
#include "vectors.h"

// Attention is many small products, each a few dozen rows of a head's 32 numbers: too small for a library call to pay.
// Every one of them is written here as "rows of A, broadcast, times whole vectors of B", so that one small routine does all.

static ALWAYS_INLINE long padded(long n) { return (n + 15) / 16 * 16; }

/// C[0..<R, 0..<16V] = A times B; A(i, k) stands at a[i * a_row + k * a_column]; B: [inner, …], C: rows of whole vectors.
#define TILE(R, V)                                                                                                    \
  {                                                                                                                    \
    v16 sum[R][V];                                                                                                     \
    for (int i = 0; i < R; i++)                                                                                        \
      for (int v = 0; v < V; v++) sum[i][v] = zeros();                                                                 \
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

static ALWAYS_INLINE void multiply(
  const float *a, long a_row, long a_column, const float *b, long b_row, float *c, long c_row, long rows, long columns,
  long inner) {
  for (long n = 0; n < columns;) {
    int wide = n + 32 <= columns;
    long m = 0;
    if (wide) {
      for (; m + 4 <= rows; m += 4) TILE(4, 2)
      for (; m < rows; m++) TILE(1, 2)
      n += 32;
    } else {
      for (; m + 4 <= rows; m += 4) TILE(4, 1)
      for (; m < rows; m++) TILE(1, 1)
      n += 16;
    }
  }
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

/// Each row of scores: [length, padded length] becomes its softmax over the first `length`; the padding becomes zero.
static ALWAYS_INLINE void softmax_rows(float *scores, long length) {
  long tall = padded(length);
  for (long i = 0; i < length; i++) {
    float *row = scores + i * tall;
    for (long j = length; j < tall; j++) row[j] = -__builtin_huge_valf();
    v16 most = load(row);
    for (long j = 16; j < tall; j += 16) most = __builtin_elementwise_max(most, load(row + j));
    float maximum = max16(most);
    v16 sums = zeros();
    for (long j = 0; j < tall; j += 16) {
      v16 value = exp16(load(row + j) - maximum);
      if (j + 16 > length) value = first_lanes(value, length - j);
      sums += value;
      store(row + j, value);
    }
    float inverse = 1.0f / sum16(sums);
    for (long j = 0; j < tall; j += 16) store(row + j, load(row + j) * inverse);
  }
}

long fettle_attention_scratch(long length, long head_size) {
  long tall = padded(length), wide = padded(head_size);
  return 6 * tall * wide + tall * tall;
}

long fettle_attention_probabilities(long length, long heads) { return heads * length * padded(length); }

KERNEL void fettle_attention_forward(
  const float *projections, float *context, float *probabilities, float *scratch, long length, long heads,
  long head_size) {
  long hidden = heads * head_size, tall = padded(length), wide = padded(head_size), block = tall * wide;
  float *query = scratch, *key = query + block, *value = key + block, *transposed = value + block, *result = transposed + block;
  float scale = 1.0f / __builtin_sqrtf((float)head_size);
  for (long h = 0; h < heads; h++) {
    const float *head = projections + h * head_size;
    float *weights = probabilities + h * length * tall;
    gather(head, 3 * hidden, query, length, head_size, scale);
    gather(head + hidden, 3 * hidden, key, length, head_size, 1);
    gather(head + 2 * hidden, 3 * hidden, value, length, head_size, 1);
    transpose(key, transposed, length, head_size);
    multiply(query, wide, 1, transposed, tall, weights, tall, length, tall, head_size);
    softmax_rows(weights, length);
    multiply(weights, tall, 1, value, wide, result, wide, length, wide, length);
    scatter(result, context + h * head_size, hidden, length, head_size, 1);
  }
}

KERNEL void fettle_attention_backward(
  const float *projections, const float *probabilities, const float *context_gradient, float *projections_gradient,
  float *scratch, long length, long heads, long head_size) {
  long hidden = heads * head_size, tall = padded(length), wide = padded(head_size), block = tall * wide;
  float *query = scratch, *key = query + block, *value = key + block, *transposed = value + block;
  float *outer = transposed + block, *result = outer + block, *score_gradients = result + block;
  float scale = 1.0f / __builtin_sqrtf((float)head_size);
  for (long h = 0; h < heads; h++) {
    const float *head = projections + h * head_size;
    float *head_gradient = projections_gradient + h * head_size;
    const float *weights = probabilities + h * length * tall;
    gather(head, 3 * hidden, query, length, head_size, scale);
    gather(head + hidden, 3 * hidden, key, length, head_size, 1);
    gather(head + 2 * hidden, 3 * hidden, value, length, head_size, 1);
    gather(context_gradient + h * head_size, hidden, outer, length, head_size, 1);

    // values: dV = P^T dO
    multiply(weights, 1, tall, outer, wide, result, wide, length, wide, length);
    scatter(result, head_gradient + 2 * hidden, 3 * hidden, length, head_size, 1);

    // probabilities: dP = dO V^T; softmax: dS = P (dP - sum of P dP along the row)
    transpose(value, transposed, length, head_size);
    multiply(outer, wide, 1, transposed, tall, score_gradients, tall, length, tall, head_size);
    for (long i = 0; i < length; i++) {
      v16 sums = zeros();
      for (long j = 0; j < tall; j += 16) sums += load(weights + i * tall + j) * load(score_gradients + i * tall + j);
      float along = sum16(sums);
      for (long j = 0; j < tall; j += 16)
        store(score_gradients + i * tall + j, load(weights + i * tall + j) * (load(score_gradients + i * tall + j) - along));
    }

    // queries: dQ = dS K, keys: dK = dS^T Q; the scale stands in Q already
    multiply(score_gradients, tall, 1, key, wide, result, wide, length, wide, length);
    scatter(result, head_gradient, 3 * hidden, length, head_size, scale);
    multiply(score_gradients, 1, tall, query, wide, result, wide, length, wide, length);
    scatter(result, head_gradient + hidden, 3 * hidden, length, head_size, 1);
  }
}
