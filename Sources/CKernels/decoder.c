#include "kernels.h"
#include "products.h"

// What a decoder of Llama's kind needs beside a BERT: a norm without a mean, rotated queries and keys, attention that looks back
// only, and a gated feed-forward network.

KERNEL void fettle_rms_norm_forward(
  const float *x, const float *weight, float *y, long rows, long columns, float epsilon) {
  for (long r = 0; r < rows; r++) {
    const float *in = x + r * columns;
    float *out = y + r * columns;
    v16 squares = zeros();
    for (long c = 0; c < columns; c += 16) {
      v16 value = load_up_to(in + c, columns - c);
      squares += value * value;
    }
    float inverse = 1.0f / __builtin_sqrtf(sum16(squares) / (float)columns + epsilon);
    for (long c = 0; c < columns; c += 16)
      store_up_to(
        out + c, load_up_to(in + c, columns - c) * inverse * load_up_to(weight + c, columns - c), columns - c);
  }
}

KERNEL void fettle_rotate(
  float *x, long stride, const float *cosines, const float *sines, long rows, long heads, long head_size) {
  long half = head_size / 2;
  for (long r = 0; r < rows; r++) {
    const float *cosine = cosines + r * half, *sine = sines + r * half;
    for (long h = 0; h < heads; h++) {
      float *low = x + r * stride + h * head_size, *high = low + half;
      for (long i = 0; i < half; i += 16) {
        long n = half - i;
        v16 a = load_up_to(low + i, n), b = load_up_to(high + i, n);
        v16 c = load_up_to(cosine + i, n), s = load_up_to(sine + i, n);
        store_up_to(low + i, a * c - b * s, n);
        store_up_to(high + i, b * c + a * s, n);
      }
    }
  }
}

long fettle_causal_attention_scratch(long length, long past, long head_size) {
  long tall = padded(past + length), wide = padded(head_size);
  return 3 * tall * wide + 2 * padded(length) * wide + padded(length) * tall;
}

KERNEL void fettle_causal_attention_forward(
  const float *projections, const float *past_keys, const float *past_values, long past, float *context, float *scratch,
  long length, long heads, long key_heads, long head_size) {
  long total = past + length, tall = padded(total), wide = padded(head_size);
  long queries = heads * head_size, keys = key_heads * head_size, stride = queries + 2 * keys;
  float *key = scratch, *value = key + tall * wide, *transposed = value + tall * wide;
  float *query = transposed + tall * wide, *result = query + padded(length) * wide;
  float *weights = result + padded(length) * wide;
  float scale = 1.0f / __builtin_sqrtf((float)head_size);
  for (long k = 0; k < key_heads; k++) {
    gather(past_keys + k * head_size, keys, key, past, head_size, 1);
    gather(past_values + k * head_size, keys, value, past, head_size, 1);
    gather(projections + queries + k * head_size, stride, key + past * wide, length, head_size, 1);
    gather(projections + queries + keys + k * head_size, stride, value + past * wide, length, head_size, 1);
    transpose(key, transposed, total, head_size);
    for (long h = k * (heads / key_heads); h < (k + 1) * (heads / key_heads); h++) {
      gather(projections + h * head_size, stride, query, length, head_size, scale);
      multiply(query, wide, 1, transposed, tall, weights, tall, length, tall, head_size);
      for (long i = 0; i < length; i++) softmax_row(weights + i * tall, past + i + 1, tall);
      multiply(weights, tall, 1, value, wide, result, wide, length, wide, total);
      scatter(result, context + h * head_size, queries, length, head_size, 1);
    }
  }
}

/// x / (1 + e^-x).
#define silu(x) ({ v16 of = (x); of / (1.0f + exp16(-of)); })

KERNEL void fettle_swiglu_forward(const float *gate_and_up, float *y, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    const float *gate = gate_and_up + r * 2 * columns, *up = gate + columns;
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      store_up_to(y + r * columns + c, silu(load_up_to(gate + c, n)) * load_up_to(up + c, n), n);
    }
  }
}
