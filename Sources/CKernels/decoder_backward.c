#include "decoder_backward.h"
#include "products.h"

// The way back of decoder.c, and low-rank adapters: products with a few dozen columns, too thin for a library call to pay.

KERNEL void fettle_rms_norm_backward(
  const float *x, const float *weight, const float *dy, float *gradient, float *weight_gradient, long rows, long columns,
  float epsilon) {
  for (long r = 0; r < rows; r++) {
    const float *in = x + r * columns, *outer = dy + r * columns;
    float *out = gradient + r * columns;
    v16 squares = zeros(), along = zeros();
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      v16 value = load_up_to(in + c, n);
      squares += value * value;
      along += value * load_up_to(outer + c, n) * load_up_to(weight + c, n);
    }
    float inverse = 1.0f / __builtin_sqrtf(sum16(squares) / (float)columns + epsilon);
    float slope = sum16(along) / (float)columns * inverse * inverse;
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      v16 value = load_up_to(in + c, n), given = load_up_to(outer + c, n);
      v16 own = (given * load_up_to(weight + c, n) - value * slope) * inverse;
      store_up_to(out + c, load_up_to(out + c, n) + own, n);
      if (weight_gradient)
        store_up_to(weight_gradient + c, load_up_to(weight_gradient + c, n) + given * value * inverse, n);
    }
  }
}

KERNEL void fettle_swiglu_backward(const float *gate_and_up, const float *dy, float *gradient, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    const float *gate = gate_and_up + r * 2 * columns, *up = gate + columns;
    float *gate_gradient = gradient + r * 2 * columns, *up_gradient = gate_gradient + columns;
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      v16 g = load_up_to(gate + c, n), outer = load_up_to(dy + r * columns + c, n);
      v16 share = 1.0f / (1.0f + exp16(-g));
      v16 slope = share + g * share * (1.0f - share);
      store_up_to(gate_gradient + c, outer * load_up_to(up + c, n) * slope, n);
      store_up_to(up_gradient + c, outer * g * share, n);
    }
  }
}

long fettle_causal_attention_backward_scratch(long length, long past, long heads, long key_heads, long head_size) {
  long tall = padded(past + length), wide = padded(head_size), rows = padded(heads / key_heads * length);
  return 5 * tall * wide + 3 * rows * wide + 2 * rows * tall;
}

KERNEL void fettle_causal_attention_backward(
  const float *projections, const float *past_keys, const float *past_values, long past, const float *context_gradient,
  float *projections_gradient, float *past_keys_gradient, float *past_values_gradient, float *scratch, long length,
  long heads, long key_heads, long head_size) {
  long total = past + length, tall = padded(total), wide = padded(head_size), group = heads / key_heads;
  long queries = heads * head_size, keys = key_heads * head_size, stride = queries + 2 * keys;
  // The queries that share a head of keys stand below each other, so that they are the rows of one product.
  long rows = group * length;
  float *key = scratch, *value = key + tall * wide, *key_columns = value + tall * wide;
  float *value_columns = key_columns + tall * wide, *seen = value_columns + tall * wide;
  float *query = seen + tall * wide, *outer = query + padded(rows) * wide, *result = outer + padded(rows) * wide;
  float *weights = result + padded(rows) * wide, *score_gradients = weights + padded(rows) * tall;
  float scale = 1.0f / __builtin_sqrtf((float)head_size);
  for (long k = 0; k < key_heads; k++) {
    long at = k * head_size;
    gather(past_keys + at, keys, key, past, head_size, 1);
    gather(past_values + at, keys, value, past, head_size, 1);
    gather(projections + queries + at, stride, key + past * wide, length, head_size, 1);
    gather(projections + queries + keys + at, stride, value + past * wide, length, head_size, 1);
    for (long h = 0; h < group; h++) {
      long head = (k * group + h) * head_size;
      gather(projections + head, stride, query + h * length * wide, length, head_size, scale);
      gather(context_gradient + head, queries, outer + h * length * wide, length, head_size, 1);
    }

    transpose(key, key_columns, total, head_size);
    multiply(query, wide, 1, key_columns, tall, weights, tall, rows, tall, head_size);
    for (long i = 0; i < rows; i++) softmax_row(weights + i * tall, past + i % length + 1, tall);

    // values: dV = P^T dO
    multiply(weights, 1, tall, outer, wide, seen, wide, total, wide, rows);
    scatter(seen, past_values_gradient + at, keys, past, head_size, 1);
    scatter(seen + past * wide, projections_gradient + queries + keys + at, stride, length, head_size, 1);

    // probabilities: dP = dO V^T; softmax: dS = P (dP - sum of P dP along the row)
    transpose(value, value_columns, total, head_size);
    multiply(outer, wide, 1, value_columns, tall, score_gradients, tall, rows, tall, head_size);
    for (long i = 0; i < rows; i++) {
      float *row = score_gradients + i * tall;
      const float *weight = weights + i * tall;
      v16 sums = zeros();
      for (long j = 0; j < tall; j += 16) sums += load(weight + j) * load(row + j);
      float along = sum16(sums);
      for (long j = 0; j < tall; j += 16) store(row + j, load(weight + j) * (load(row + j) - along));
    }

    // queries: dQ = dS K, keys: dK = dS^T Q; the scale stands in Q already
    multiply(score_gradients, tall, 1, key, wide, result, wide, rows, wide, total);
    for (long h = 0; h < group; h++)
      scatter(
        result + h * length * wide, projections_gradient + (k * group + h) * head_size, stride, length, head_size, scale);
    multiply(score_gradients, 1, tall, query, wide, seen, wide, total, wide, rows);
    scatter(seen, past_keys_gradient + at, keys, past, head_size, 1);
    scatter(seen + past * wide, projections_gradient + queries + at, stride, length, head_size, 1);
  }
}

/// R rows of x with J rows of a.
#define REDUCE(R, J)                                                                                                   \
  {                                                                                                                    \
    v16 sum[R][J];                                                                                                     \
    for (int i = 0; i < R; i++)                                                                                        \
      for (int l = 0; l < J; l++) sum[i][l] = zeros();                                                                 \
    long c = 0;                                                                                                        \
    for (; c + 16 <= columns; c += 16) {                                                                               \
      v16 right[J];                                                                                                    \
      for (int l = 0; l < J; l++) right[l] = load(a + (j + l) * columns + c);                                          \
      for (int i = 0; i < R; i++) {                                                                                    \
        v16 left = load(x + (r + i) * x_stride + c);                                                                   \
        for (int l = 0; l < J; l++) sum[i][l] += left * right[l];                                                      \
      }                                                                                                                \
    }                                                                                                                  \
    if (c < columns)                                                                                                   \
      for (int i = 0; i < R; i++)                                                                                      \
        for (int l = 0; l < J; l++)                                                                                    \
          sum[i][l] += load_part(x + (r + i) * x_stride + c, columns - c)                                              \
            * load_part(a + (j + l) * columns + c, columns - c);                                                       \
    for (int i = 0; i < R; i++)                                                                                        \
      for (int l = 0; l < J; l++) t[(r + i) * t_stride + j + l] = scale * sum16(sum[i][l]);                            \
  }

KERNEL void fettle_low_rank_reduce(
  const float *x, long x_stride, const float *a, float *t, long t_stride, long rows, long rank, long columns,
  float scale) {
  long r = 0;
  for (; r + 4 <= rows; r += 4) {
    long j = 0;
    for (; j + 4 <= rank; j += 4) REDUCE(4, 4)
    for (; j < rank; j++) REDUCE(4, 1)
  }
  for (; r < rows; r++)
    for (long j = 0; j < rank; j++) REDUCE(1, 1)
}

#define EXPAND(R)                                                                                                      \
  for (long c = 0; c < columns; c += 16) {                                                                             \
    long n = columns - c;                                                                                              \
    v16 sum[R];                                                                                                        \
    for (int i = 0; i < R; i++) sum[i] = zeros();                                                                      \
    for (long j = 0; j < rank; j++) {                                                                                  \
      v16 right = load_up_to(b + j * columns + c, n);                                                                  \
      for (int i = 0; i < R; i++) sum[i] += (v16)(t[(r + i) * t_stride + j]) * right;                                  \
    }                                                                                                                  \
    for (int i = 0; i < R; i++) {                                                                                      \
      float *to = y + (r + i) * y_stride + c;                                                                          \
      store_up_to(to, load_up_to(to, n) + sum[i] * scale, n);                                                          \
    }                                                                                                                  \
  }

KERNEL void fettle_low_rank_expand(
  const float *t, long t_stride, const float *b, float *y, long y_stride, long rows, long rank, long columns,
  float scale) {
  long r = 0;
  for (; r + 8 <= rows; r += 8) EXPAND(8)
  for (; r < rows; r++) EXPAND(1)
}

#define load_whole(p, count) load(p)

/// J rows of the gradient, V vectors of each, which are read by LOAD.
#define GRADIENT(J, V, LOAD)                                                                                           \
  {                                                                                                                    \
    v16 sum[J][V];                                                                                                     \
    for (int l = 0; l < J; l++)                                                                                        \
      for (int v = 0; v < V; v++) sum[l][v] = zeros();                                                                 \
    for (long r = 0; r < rows; r++) {                                                                                  \
      v16 right[V];                                                                                                    \
      for (int v = 0; v < V; v++) right[v] = LOAD(x + r * x_stride + c + 16 * v, columns - c - 16 * v);                \
      for (int l = 0; l < J; l++)                                                                                      \
        for (int v = 0; v < V; v++) sum[l][v] += (v16)(t[r * t_stride + j + l]) * right[v];                            \
    }                                                                                                                  \
    for (int l = 0; l < J; l++)                                                                                        \
      for (int v = 0; v < V; v++) {                                                                                    \
        float *to = gradient + (j + l) * gradient_stride + c + 16 * v;                                                 \
        long n = columns - c - 16 * v;                                                                                 \
        store_up_to(to, load_up_to(to, n) + sum[l][v] * scale, n);                                                     \
      }                                                                                                                \
  }

KERNEL void fettle_low_rank_gradient(
  const float *t, long t_stride, const float *x, long x_stride, float *gradient, long gradient_stride, long rows,
  long rank, long columns, float scale) {
  long c = 0;
  for (; c + 64 <= columns; c += 64) {
    long j = 0;
    for (; j + 4 <= rank; j += 4) GRADIENT(4, 4, load_whole)
    for (; j < rank; j++) GRADIENT(1, 4, load_whole)
  }
  for (; c < columns; c += 16)
    for (long j = 0; j < rank; j++) GRADIENT(1, 1, load_up_to)
}

KERNEL void fettle_softmax_block(const float *logits, float *maxima, float *sums, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    const float *row = logits + r * columns;
    v16 most = (v16)(row[0]);
    long c = 0;
    for (; c + 16 <= columns; c += 16) most = __builtin_elementwise_max(most, load(row + c));
    float maximum = max16(most);
    for (; c < columns; c++) maximum = row[c] > maximum ? row[c] : maximum;
    v16 powers = zeros();
    for (c = 0; c + 16 <= columns; c += 16) powers += exp16(load(row + c) - maximum);
    if (c < columns) powers += first_lanes(exp16(load_part(row + c, columns - c) - maximum), columns - c);
    maxima[r] = maximum;
    sums[r] = sum16(powers);
  }
}

KERNEL void fettle_softmax_block_gradient(
  float *logits, const float *normalisers, float scale, long rows, long columns) {
  for (long r = 0; r < rows; r++)
    for (long c = 0; c < columns; c += 16) {
      float *at = logits + r * columns + c;
      store_up_to(at, exp16(load_up_to(at, columns - c) - normalisers[r]) * scale, columns - c);
    }
}
