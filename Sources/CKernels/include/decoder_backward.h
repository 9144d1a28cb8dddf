#pragma once

// The way back through a decoder of Llama's kind, and low-rank adapters. All matrices are row-major; `rows` counts tokens.

#ifdef __cplusplus
extern "C" {
#endif

/// gradient += that of x, from dy, that of fettle_rms_norm_forward's y. x, dy, gradient: [rows, columns]; weight_gradient:
/// [columns] is added to, and may be null.
void fettle_rms_norm_backward(
  const float *x, const float *weight, const float *dy, float *gradient, float *weight_gradient, long rows, long columns,
  float epsilon);

/// gradient = that of gate_and_up, [rows, 2 * columns], from dy, [rows, columns], that of fettle_swiglu_forward's y.
void fettle_swiglu_backward(const float *gate_and_up, const float *dy, float *gradient, long rows, long columns);

/// How many floats fettle_causal_attention_backward needs as scratch memory.
long fettle_causal_attention_backward_scratch(long length, long past, long heads, long key_heads, long head_size);

/// The way back of fettle_causal_attention_forward, whose arguments these are; probabilities are computed once more.
/// context_gradient: [length, heads * head_size]. Written are projections_gradient, as projections, and what the past gets of
/// this text, past_keys_gradient and past_values_gradient: [past, key_heads * head_size].
void fettle_causal_attention_backward(
  const float *projections, const float *past_keys, const float *past_values, long past, const float *context_gradient,
  float *projections_gradient, float *past_keys_gradient, float *past_values_gradient, float *scratch, long length,
  long heads, long key_heads, long head_size);

/// t = scale * x a^T. x: [rows, columns], `x_stride` numbers from row to row; a: [rank, columns]; t: [rows, rank] likewise.
void fettle_low_rank_reduce(
  const float *x, long x_stride, const float *a, float *t, long t_stride, long rows, long rank, long columns, float scale);

/// y += scale * t b. t: [rows, rank], b: [rank, columns], y: [rows, columns].
void fettle_low_rank_expand(
  const float *t, long t_stride, const float *b, float *y, long y_stride, long rows, long rank, long columns, float scale);

/// gradient += scale * t^T x. t: [rows, rank], x: [rows, columns], gradient: [rank, columns].
void fettle_low_rank_gradient(
  const float *t, long t_stride, const float *x, long x_stride, float *gradient, long gradient_stride, long rows,
  long rank, long columns, float scale);

/// The cross-entropy of rows of logits that stand in blocks of columns: what one block adds. logits: [rows, columns].
/// maxima, sums: [rows], the block's greatest logit and the sum of e^(logit - that).
void fettle_softmax_block(const float *logits, float *maxima, float *sums, long rows, long columns);

/// logits = scale * e^(logit - normaliser) in place: the loss's gradient but for the target's own. normalisers: [rows].
void fettle_softmax_block_gradient(float *logits, const float *normalisers, float scale, long rows, long columns);

#ifdef __cplusplus
}
#endif
