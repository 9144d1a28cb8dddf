#pragma once
// Sixteen floats at a time, whatever the CPU: the compiler splits them where its registers are narrower.
#pragma clang fp contract(fast)

#if defined(__x86_64__)
#define KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KERNEL
#endif
#define ALWAYS_INLINE __attribute__((always_inline)) inline

typedef float v16 __attribute__((ext_vector_type(16)));
typedef int i16 __attribute__((ext_vector_type(16)));
typedef float v16_anywhere __attribute__((ext_vector_type(16), aligned(4)));

#define zeros() ((v16)(0.0f))
#define load(p) (*(const v16_anywhere *)(p))
#define store(p, value) (*(v16_anywhere *)(p) = (value))

// A function that takes or returns sixteen floats would have another calling convention on each kind of CPU, which the
// compiler refuses; so each takes a pointer, is always inlined, and has the macro after it to be read as an expression.

static ALWAYS_INLINE void keep_first_lanes(v16 *value, long count) {
  for (long i = count; i < 16; i++) (*value)[i] = 0;
}
#define first_lanes(value, count) ({ v16 lanes = (value); keep_first_lanes(&lanes, count); lanes; })

static ALWAYS_INLINE void read_part(v16 *value, const float *p, long count) {
  *value = zeros();
  for (long i = 0; i < count; i++) (*value)[i] = p[i];
}
#define load_part(p, count) ({ v16 part; read_part(&part, p, count); part; })
#define load_up_to(p, count) ({ v16 upto; if ((count) >= 16) upto = load(p); else read_part(&upto, p, count); upto; })

static ALWAYS_INLINE void write_up_to(float *p, const v16 *value, long count) {
  if (count >= 16) store(p, *value);
  else for (long i = 0; i < count; i++) p[i] = (*value)[i];
}
#define store_up_to(p, value, count) ({ v16 written = (value); write_up_to(p, &written, count); })

static ALWAYS_INLINE float sum_of_lanes(const v16 *value) {
  float parts[16];
  store(parts, *value);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; i++) parts[i] += parts[i + width];
  return parts[0];
}
#define sum16(value) ({ v16 summed = (value); sum_of_lanes(&summed); })

static ALWAYS_INLINE float greatest_lane(const v16 *value) {
  float parts[16], best;
  store(parts, *value);
  best = parts[0];
  for (int i = 1; i < 16; i++) best = parts[i] > best ? parts[i] : best;
  return best;
}
#define max16(value) ({ v16 compared = (value); greatest_lane(&compared); })

/// e^x to about 1e-7 relative (Cephes' expf): x = n ln 2 + r, a polynomial for e^r, and n put into the exponent's bits.
static ALWAYS_INLINE void exponential(v16 *value) {
  const float shift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer that stands in the low bits
  v16 x = __builtin_elementwise_min(__builtin_elementwise_max(*value, (v16)(-87.0f)), (v16)(88.0f));
  v16 shifted = x * 1.44269504f + shift;
  v16 n = shifted - shift;
  v16 r = x - n * 0.693359375f - n * -2.12194440e-4f;
  v16 p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  i16 exponent = (__builtin_bit_cast(i16, shifted) - 0x4b400000 + 127) << 23;
  *value = p * __builtin_bit_cast(v16, exponent);
}
#define exp16(x) ({ v16 power = (x); exponential(&power); power; })

/// The normal distribution's share below x, (1 + erf(x / sqrt 2)) / 2; erf as a quotient of polynomials, error under 5e-7.
static ALWAYS_INLINE void cumulative(v16 *value) {
  v16 z = __builtin_elementwise_min(__builtin_elementwise_max(*value * 0.70710678f, (v16)(-4.0f)), (v16)(4.0f));
  v16 s = z * z;
  v16 p = s * -2.72614225801306e-10f + 2.77068142495902e-08f;
  p = p * s - 2.10102402082508e-06f;
  p = p * s - 5.69250639462346e-05f;
  p = p * s - 7.34990630326855e-04f;
  p = p * s - 2.95459980854025e-03f;
  p = p * s - 1.60960333262415e-02f;
  v16 q = s * -1.45660718464996e-05f - 2.13374055278905e-04f;
  q = q * s - 1.68282697438203e-03f;
  q = q * s - 7.37332916720468e-03f;
  q = q * s - 1.42647390514189e-02f;
  *value = 0.5f + 0.5f * (z * p / q);
}
#define normal_cdf(x) ({ v16 share = (x); cumulative(&share); share; })

// Rows and columns of sixteen vectors in `row` change places.
#define EXCHANGE_ALL EXCHANGE(1) EXCHANGE(2) EXCHANGE(4) EXCHANGE(8)
#define EXCHANGE(distance)                                                                                             \
  for (int i = 0; i < 16; i++)                                                                                         \
    if (!(i & distance)) {                                                                                             \
      v16 low = row[i], high = row[i + distance];                                                                      \
      row[i] = INTERLEAVE_LOW_##distance(low, high);                                                                   \
      row[i + distance] = INTERLEAVE_HIGH_##distance(low, high);                                                       \
    }
// Lane j of a row whose bit `distance` is set changes places with the lane without it of the row `distance` further on.
#define INTERLEAVE_LOW_1(l, h) __builtin_shufflevector(l, h, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
#define INTERLEAVE_HIGH_1(l, h) __builtin_shufflevector(l, h, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31)
#define INTERLEAVE_LOW_2(l, h) __builtin_shufflevector(l, h, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define INTERLEAVE_HIGH_2(l, h) __builtin_shufflevector(l, h, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define INTERLEAVE_LOW_4(l, h) __builtin_shufflevector(l, h, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
#define INTERLEAVE_HIGH_4(l, h) __builtin_shufflevector(l, h, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)
#define INTERLEAVE_LOW_8(l, h) __builtin_shufflevector(l, h, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#define INTERLEAVE_HIGH_8(l, h) __builtin_shufflevector(l, h, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
