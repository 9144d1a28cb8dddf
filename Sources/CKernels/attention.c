#include "kernels.h"
#include "products.h"

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

KERNEL void fettle_attention_rows(
  const float *projections, float *context, float *scratch, long length, long first, long rows, long heads, long head_size) {
  long hidden = heads * head_size, tall = padded(length), wide = padded(head_size), block = tall * wide;
  float *query = scratch, *key = query + block, *value = key + block, *transposed = value + block, *result = transposed + block;
  float *weights = result + block, scale = 1.0f / __builtin_sqrtf((float)head_size);
  for (long h = 0; h < heads; h++) {
    const float *head = projections + h * head_size;
    gather(head + first * 3 * hidden, 3 * hidden, query, rows, head_size, scale);
    gather(head + hidden, 3 * hidden, key, length, head_size, 1);
    gather(head + 2 * hidden, 3 * hidden, value, length, head_size, 1);
    transpose(key, transposed, length, head_size);
    multiply(query, wide, 1, transposed, tall, weights, tall, rows, tall, head_size);
    for (long i = 0; i < rows; i++) softmax_row(weights + i * tall, length, tall);
    multiply(weights, tall, 1, value, wide, result, wide, rows, wide, length);
    scatter(result, context + first * hidden + h * head_size, hidden, rows, head_size, 1);
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
