#include "kernels.h"
#include "vectors.h"

// Element-wise loops over rows of any width: whole vectors of 16 first, then what is left over.

KERNEL void fettle_add_bias(float *x, const float *bias, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    float *row = x + r * columns;
    long c = 0;
    for (; c + 16 <= columns; c += 16) store(row + c, load(row + c) + load(bias + c));
    for (; c < columns; c++) row[c] += bias[c];
  }
}

KERNEL void fettle_gelu_forward(float *x, const float *bias, float *y, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    float *in = x + r * columns, *out = y + r * columns;
    long c = 0;
    for (; c + 16 <= columns; c += 16) {
      v16 value = load(in + c) + load(bias + c);
      store(in + c, value);
      store(out + c, value * normal_cdf(value));
    }
    if (c < columns) {
      v16 value = load_part(in + c, columns - c) + load_part(bias + c, columns - c);
      store_up_to(in + c, value, columns - c);
      store_up_to(out + c, value * normal_cdf(value), columns - c);
    }
  }
}

/// GELU'(x) = cdf(x) + x * density(x).
#define gelu_slope(x) ({ v16 at = (x); normal_cdf(at) + at * (0.3989422804f * exp16(at * at * -0.5f)); })

KERNEL void fettle_gelu_backward(const float *x, float *gradient, long count) {
  long i = 0;
  for (; i + 16 <= count; i += 16) store(gradient + i, load(gradient + i) * gelu_slope(load(x + i)));
  if (i < count) {
    v16 product = load_part(gradient + i, count - i) * gelu_slope(load_part(x + i, count - i));
    store_up_to(gradient + i, product, count - i);
  }
}

KERNEL void fettle_layer_norm_forward(
  const float *x, const float *input_bias, const float *residual, const float *weight, const float *bias, float *y,
  float *xhat, float *rstd, long rows, long columns, float epsilon) {
  for (long r = 0; r < rows; r++) {
    const float *in = x + r * columns;
    const float *rest = residual ? residual + r * columns : 0;
    float *unit = xhat + r * columns, *out = y + r * columns;
    v16 sums = zeros();
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      v16 value = load_up_to(in + c, n);
      if (input_bias) value += load_up_to(input_bias + c, n);
      if (rest) value += load_up_to(rest + c, n);
      store_up_to(unit + c, value, n);
      sums += value;
    }
    float mean = sum16(sums) / (float)columns;
    v16 squares = zeros();
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      v16 value = load_up_to(unit + c, n) - mean;
      if (n < 16) value = first_lanes(value, n);
      squares += value * value;
    }
    float inverse = 1.0f / __builtin_sqrtf(sum16(squares) / (float)columns + epsilon);
    rstd[r] = inverse;
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      v16 value = (load_up_to(unit + c, n) - mean) * inverse;
      store_up_to(unit + c, value, n);
      store_up_to(out + c, value * load_up_to(weight + c, n) + load_up_to(bias + c, n), n);
    }
  }
}

KERNEL void fettle_layer_norm_backward(
  float *gradient, const float *xhat, const float *rstd, const float *weight,
  float *weight_gradient, float *bias_gradient, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    float *g = gradient + r * columns;
    const float *unit = xhat + r * columns;
    v16 plain = zeros(), along = zeros();
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      v16 dy = load_up_to(g + c, n), x = load_up_to(unit + c, n);
      store_up_to(weight_gradient + c, load_up_to(weight_gradient + c, n) + dy * x, n);
      store_up_to(bias_gradient + c, load_up_to(bias_gradient + c, n) + dy, n);
      v16 dx = dy * load_up_to(weight + c, n);
      plain += dx;
      along += dx * x;
    }
    float mean = sum16(plain) / (float)columns, slope = sum16(along) / (float)columns;
    float inverse = rstd[r];
    for (long c = 0; c < columns; c += 16) {
      long n = columns - c;
      v16 dx = load_up_to(g + c, n) * load_up_to(weight + c, n);
      store_up_to(g + c, (dx - mean - load_up_to(unit + c, n) * slope) * inverse, n);
    }
  }
}

KERNEL void fettle_add_column_sums(const float *x, float *sums, long rows, long columns) {
  long c = 0;
  for (; c + 64 <= columns; c += 64) {
    v16 s0 = zeros(), s1 = zeros(), s2 = zeros(), s3 = zeros();
    for (long r = 0; r < rows; r++) {
      const float *row = x + r * columns + c;
      s0 += load(row);
      s1 += load(row + 16);
      s2 += load(row + 32);
      s3 += load(row + 48);
    }
    store(sums + c, load(sums + c) + s0);
    store(sums + c + 16, load(sums + c + 16) + s1);
    store(sums + c + 32, load(sums + c + 32) + s2);
    store(sums + c + 48, load(sums + c + 48) + s3);
  }
  for (; c < columns; c += 16) {
    long n = columns - c;
    v16 s = zeros();
    for (long r = 0; r < rows; r++) s += load_up_to(x + r * columns + c, n);
    store_up_to(sums + c, load_up_to(sums + c, n) + s, n);
  }
}

KERNEL double fettle_sum_of_squares(const float *x, long count) {
  double total = 0;
  for (long start = 0; start < count; start += 4096) {
    long end = start + 4096 < count ? start + 4096 : count;
    v16 squares = zeros();
    for (long i = start; i < end; i += 16) {
      v16 value = load_up_to(x + i, end - i);
      squares += value * value;
    }
    total += sum16(squares);
  }
  return total;
}

KERNEL void fettle_adamw(
  float *weight, const float *gradient, float *moment1, float *moment2, long count, float gradient_scale,
  float learning_rate, float beta1, float beta2, float epsilon, float weight_decay, float correction1,
  float correction2) {
  float keep = 1.0f - learning_rate * weight_decay;
  float step = learning_rate / correction1;
  float root = 1.0f / __builtin_sqrtf(correction2);
  for (long i = 0; i < count; i += 16) {
    long n = count - i;
    v16 g = load_up_to(gradient + i, n) * gradient_scale;
    v16 m = load_up_to(moment1 + i, n), v = load_up_to(moment2 + i, n);
    m += (g - m) * (1.0f - beta1);
    v = v * beta2 + g * g * (1.0f - beta2);
    store_up_to(moment1 + i, m, n);
    store_up_to(moment2 + i, v, n);
    v16 w = load_up_to(weight + i, n) * keep;
    store_up_to(weight + i, w - step * (m / (__builtin_elementwise_sqrt(v) * root + epsilon)), n);
  }
}

KERNEL void fettle_transpose(const float *x, long x_stride, float *y, long y_stride, long rows, long columns) {
  for (long c = 0; c < columns; c += 16)
    for (long r = 0; r < rows; r += 16) {
      long wide = columns - c < 16 ? columns - c : 16, tall = rows - r;
      v16 row[16];
      for (int i = 0; i < 16; i++) row[i] = i < tall ? load_up_to(x + (r + i) * x_stride + c, wide) : zeros();
      EXCHANGE_ALL
      for (int i = 0; i < 16; i++)
        if (i < wide) {
          float *to = y + (c + i) * y_stride + r;
          // The other threads read it next: past the cache, memory is not read first only to be overwritten.
          if (tall >= 16 && ((uintptr_t)to & 63) == 0) __builtin_nontemporal_store(row[i], (v16 *)to);
          else store_up_to(to, row[i], tall);
        }
    }
  // Stores past the cache are not in order with those that follow.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

KERNEL void fettle_round_to_bf16(const float *x, uint16_t *y, long count) {
  for (long i = 0; i < count; i++) {
    uint32_t bits;
    __builtin_memcpy(&bits, x + i, 4);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    uint32_t kept = (bits >> 16) | 0x40;
    y[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? kept : rounded);
  }
}
