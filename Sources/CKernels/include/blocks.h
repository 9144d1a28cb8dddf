#pragma once
#include <stdint.h>

// Numbers as model files store them, made f32: halves, and the blocks of ggml's quantised types. What the bits mean is written in
// ggml-common.h and ggml-quants.c (github.com/ggml-org/ggml); results are the same to the last bit as those of gguf-py.
// `blocks` may stand anywhere, on no boundary. `count` counts blocks; a block of F16 and BF16 is one number.

#ifdef __cplusplus
extern "C" {
#endif

void fettle_decode_f16(const void *blocks, float *numbers, long count);
void fettle_decode_bf16(const void *blocks, float *numbers, long count);

/// Blocks of 32 numbers: a scale, in the types _1 a minimum, and 4, 5 or 8 bits for each number.
void fettle_decode_q4_0(const void *blocks, float *numbers, long count);
void fettle_decode_q4_1(const void *blocks, float *numbers, long count);
void fettle_decode_q5_0(const void *blocks, float *numbers, long count);
void fettle_decode_q5_1(const void *blocks, float *numbers, long count);
void fettle_decode_q8_0(const void *blocks, float *numbers, long count);

/// Blocks of 256 numbers: groups of 32 (Q6_K: 16), whose scales are themselves quantised.
void fettle_decode_q4_k(const void *blocks, float *numbers, long count);
void fettle_decode_q5_k(const void *blocks, float *numbers, long count);
void fettle_decode_q6_k(const void *blocks, float *numbers, long count);

/// As IEEE 754 half precision, ties to even; what is too large becomes infinite. y may stand anywhere.
void fettle_encode_f16(const float *x, uint16_t *y, long count);

#ifdef __cplusplus
}
#endif
