#include "kernels.h"
#include "products.h"

// A language model at work: attention that reads the keys and values of earlier tokens where they are kept, and what is made of logits.

void fettle_append_tokens(
  const fettle_tokens *tokens, const float *keys, const float *values, long stride, long rows, long key_heads, long head_size) {
  long wide = padded(head_size), capacity = tokens->capacity;
  for (long k = 0; k < key_heads; k++)
    for (long r = 0; r < rows; r++) {
      const float *key = keys + r * stride + k * head_size, *value = values + r * stride + k * head_size;
      float *column = tokens->keys + k * head_size * capacity + tokens->count + r;
      for (long d = 0; d < head_size; d++) column[d * capacity] = key[d];
      __builtin_memcpy(tokens->values + (k * capacity + tokens->count + r) * wide, value, head_size * sizeof(float));
    }
}

/// Rows whose scores are computed at once: enough to read keys seldom, few enough for the nearest cache.
static ALWAYS_INLINE long chunk_rows(void) { return 32; }

long fettle_cached_attention_scratch(long total, long heads, long key_heads, long head_size) {
  long queries = chunk_rows() * (heads / key_heads);
  return queries * (2 * padded(head_size) + padded(total) + 16);
}

/// The row's ancestors in the tree, from the eldest to itself, as rows. Returns how many.
static ALWAYS_INLINE long ancestors(long row, long straight, const int *parents, int *path) {
  long depth = 0;
  for (long at = row; at >= straight; at = parents[at - straight]) depth++;
  long place = depth;
  for (long at = row; at >= straight; at = parents[at - straight]) path[--place] = (int)at;
  return depth;
}

KERNEL void fettle_cached_attention(
  const fettle_tokens *parts, long part_count, const float *queries, long stride, float *context, float *scratch, long rows,
  long straight, const int *parents, long heads, long key_heads, long head_size) {
  long wide = padded(head_size), group = heads / key_heads, total = 0;
  for (long p = 0; p < part_count; p++) total += parts[p].count;
  const fettle_tokens *last = parts + part_count - 1;
  // In the text, and in the last part: where the rows begin.
  long past = total - rows, own = last->count - rows;
  long tall = padded(total) + 16, most = chunk_rows() * group;
  float *query = scratch, *result = query + most * wide, *weights = result + most * wide;
  float scale = 1.0f / __builtin_sqrtf((float)head_size);
  if (!parents) straight = rows;
  int path[rows - straight + 1];
  for (long k = 0; k < key_heads; k++)
    for (long start = 0; start < rows;) {
      // A chunk is straight or tree, so that both are read in one way.
      long end = start + chunk_rows() < rows ? start + chunk_rows() : rows;
      if (start < straight && end > straight) end = straight;
      long count = (end - start) * group, seen = past + end;
      for (long i = start; i < end; i++)
        gather(
          queries + i * stride + k * group * head_size, head_size, query + (i - start) * group * wide, group, head_size, scale);

      // A part's scores end in whole vectors; what is too much of them is overwritten by the next part's.
      long from = 0;
      for (long p = 0; p < part_count; p++) {
        long tokens = from + parts[p].count < seen ? parts[p].count : seen - from;
        multiply(
          query, wide, 1, parts[p].keys + k * head_size * parts[p].capacity, parts[p].capacity, weights + from, tall, count,
          padded(tokens), head_size);
        from += parts[p].count;
      }

      long common = start < straight ? seen : past + straight;
      for (long i = start; i < end; i++) {
        long visible = past + i + 1;
        long depth = i < straight ? 0 : ancestors(i, straight, parents, path);
        for (long g = 0; g < group; g++) {
          float *row = weights + ((i - start) * group + g) * tall;
          for (long a = 0; a < depth; a++) row[common + a] = row[past + path[a]];
          softmax_row(row, depth ? common + depth : visible, padded(depth ? common + depth : seen));
        }
      }

      from = 0;
      for (long p = 0; p < part_count; p++) {
        long tokens = from + parts[p].count < common ? parts[p].count : common - from;
        multiply_onto(
          weights + from, tall, 1, parts[p].values + k * parts[p].capacity * wide, wide, result, wide, count, wide, tokens, p > 0);
        from += parts[p].count;
      }
      for (long i = start; i < end && i >= straight; i++) {
        long depth = ancestors(i, straight, parents, path);
        for (long a = 0; a < depth; a++) {
          const float *value = last->values + (k * last->capacity + own + path[a]) * wide;
          for (long g = 0; g < group; g++) {
            long q = (i - start) * group + g;
            multiply_onto(weights + q * tall + common + a, 0, 0, value, wide, result + q * wide, wide, 1, wide, 1, 1);
          }
        }
      }
      for (long i = start; i < end; i++)
        scatter(
          result + (i - start) * group * wide, context + i * heads * head_size + k * group * head_size, head_size, group,
          head_size, 1);
      start = end;
    }
}

KERNEL void fettle_add_logits(
  const float *logits, long words, long texts, int first, int *best, float *most, float *sum) {
  for (long t = 0; t < texts; t += 16) {
    v16 before = load(most + t), greatest = before;
    i16 place;
    __builtin_memcpy(&place, best + t, sizeof place);
    for (long w = 0; w < words; w++) {
      v16 value = load(logits + w * texts + t);
      i16 more = value > greatest;
      place = more ? (i16)((int)w + first) : place;
      greatest = more ? value : greatest;
    }
    store(most + t, greatest);
    __builtin_memcpy(best + t, &place, sizeof place);
    if (sum) {
      v16 total = load(sum + t) * exp16(before - greatest);
      // A few hundred at a time, so that small ones are not lost beside a great sum.
      for (long start = 0; start < words; start += 256) {
        long end = start + 256 < words ? start + 256 : words;
        v16 part = zeros();
        for (long w = start; w < end; w++) part += exp16(load(logits + w * texts + t) - greatest);
        total += part;
      }
      store(sum + t, total);
    }
  }
}
