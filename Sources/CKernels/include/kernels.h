#pragma once
#include <stdint.h>

// The few element-wise loops that are worth C: the compiler makes one version a kind of CPU of each, and the best one is
// chosen when the program starts. Beside each stands a plain Swift version (Encoder/Reference) that explains and tests it.
// All matrices are row-major; `rows` counts tokens. Counts need not be multiples of anything.

#ifdef __cplusplus
extern "C" {
#endif

/// y = (x + bias) for every row, in place. x: [rows, columns], bias: [columns].
void fettle_add_bias(float *x, const float *bias, long rows, long columns);

/// x = x + bias in place, y = GELU(x), the exact one with erf. x, y: [rows, columns], bias: [columns].
void fettle_gelu_forward(float *x, const float *bias, float *y, long rows, long columns);

/// gradient = gradient * GELU'(x) in place; x is what fettle_gelu_forward left.
void fettle_gelu_backward(const float *x, float *gradient, long count);

/// y = layer norm of (x + input_bias + residual) over the columns, times weight plus bias. input_bias and residual may be null.
/// xhat: [rows, columns] and rstd: [rows] are kept for the backward pass.
void fettle_layer_norm_forward(
  const float *x, const float *input_bias, const float *residual, const float *weight, const float *bias, float *y,
  float *xhat, float *rstd, long rows, long columns, float epsilon);

/// The gradient of the sum that was normalised, in place over the gradient of y; weight_gradient and bias_gradient are added to.
void fettle_layer_norm_backward(
  float *gradient, const float *xhat, const float *rstd, const float *weight,
  float *weight_gradient, float *bias_gradient, long rows, long columns);

/// sums[c] += the sum of x[r, c] over the rows. x: [rows, columns].
void fettle_add_column_sums(const float *x, float *sums, long rows, long columns);

/// How many floats fettle_attention_forward and _backward need as scratch memory.
long fettle_attention_scratch(long length, long head_size);

/// How many floats the probabilities of one text take: heads * length * (length rounded up to 16).
long fettle_attention_probabilities(long length, long heads);

/// Self-attention of one text. projections: [length, 3 * heads * head_size], queries, keys and values side by side;
/// context: [length, heads * head_size]; probabilities: see above, kept for the backward pass.
void fettle_attention_forward(
  const float *projections, float *context, float *probabilities, float *scratch, long length, long heads,
  long head_size);

/// The same for `rows` of a text's rows, from `first` on, the same to the last bit; the probabilities are not kept.
void fettle_attention_rows(
  const float *projections, float *context, float *scratch, long length, long first, long rows, long heads, long head_size);

/// The gradient of the projections from the gradient of the context.
void fettle_attention_backward(
  const float *projections, const float *probabilities, const float *context_gradient, float *projections_gradient,
  float *scratch, long length, long heads, long head_size);

/// y = x over the root of its mean square (Zhang & Sennrich 2019), times weight. x, y: [rows, columns], weight: [columns].
void fettle_rms_norm_forward(
  const float *x, const float *weight, float *y, long rows, long columns, float epsilon);

/// Rotates queries or keys by their positions (Su et al. 2021), in place: the halves of each head are the two coordinates.
/// x: [rows, heads * head_size] with `stride` numbers from one row to the next; cosines, sines: [rows, head_size / 2].
void fettle_rotate(
  float *x, long stride, const float *cosines, const float *sines, long rows, long heads, long head_size);

/// How many floats fettle_causal_attention_forward needs as scratch memory.
long fettle_causal_attention_scratch(long length, long past, long head_size);

/// Attention of one text in which each token sees itself and what is before it. projections: [length, (heads + 2 * key_heads) *
/// head_size], queries, keys and values side by side, the first two rotated; past_keys, past_values: [past, key_heads *
/// head_size], of the tokens before this text; context: [length, heads * head_size]. Query heads share the keys of their group
/// (Ainslie et al. 2023).
void fettle_causal_attention_forward(
  const float *projections, const float *past_keys, const float *past_values, long past, float *context, float *scratch,
  long length, long heads, long key_heads, long head_size);

/// The keys and values of tokens that stand one after another in a text, for reading them without moving them:
/// keys [key_heads, head_size, capacity], values [key_heads, capacity, head_size rounded up to 16]. `capacity` is a multiple of 16.
typedef struct {
  float *keys, *values;
  long count, capacity;
} fettle_tokens;

/// Writes the keys and values of `rows` tokens behind those that are there, and leaves `count` as it is. keys, values: rows of
/// key_heads * head_size with `stride` numbers from one to the next.
void fettle_append_tokens(
  const fettle_tokens *tokens, const float *keys, const float *values, long stride, long rows, long key_heads, long head_size);

/// How many floats fettle_cached_attention needs as scratch memory. total: tokens that the last row may see.
long fettle_cached_attention_scratch(long total, long heads, long key_heads, long head_size);

/// Attention of the last `rows` tokens of a text whose keys and values all stand in `parts`, one part behind the other; the rows' own
/// are the last of the last part, and are counted there. Each row sees itself and what is before it.
///
/// Where `parents` is given, the rows from `straight` on are a tree: row i sees the straight rows, itself, and its ancestors; the
/// row before it in its text is parents[i - straight], a row number below i, or any below `straight` for the last straight one.
/// queries: [rows, heads * head_size], rotated, `stride` numbers from one row to the next; context: [rows, heads * head_size].
/// A row's numbers are the same to the last bit however many rows are read at once, wherever the parts end, tree or no tree.
void fettle_cached_attention(
  const fettle_tokens *parts, long part_count, const float *queries, long stride, float *context, float *scratch, long rows,
  long straight, const int *parents, long heads, long key_heads, long head_size);

/// Takes in the logits of some more words, for several texts at once. logits: [words, texts]; first: the number of the first word;
/// best, most: [texts], the word with the greatest logit, and that logit; sum: [texts], the sum of the exponentials of the logits'
/// distances from `most`, or null where it is not wanted. Begin with `most` at minus infinity and `sum` at 0; texts is a multiple
/// of 16.
void fettle_add_logits(const float *logits, long words, long texts, int first, int *best, float *most, float *sum);

/// y = SiLU(gate) * up (Shazeer 2020). gate_and_up: [rows, 2 * columns], side by side; y: [rows, columns].
void fettle_swiglu_forward(const float *gate_and_up, float *y, long rows, long columns);

/// The sum of the squares.
double fettle_sum_of_squares(const float *x, long count);

/// One step of AdamW (Loshchilov & Hutter 2019), as PyTorch writes it. correction1 = 1 - beta1^t, correction2 = 1 - beta2^t;
/// the gradient is taken times gradient_scale (clipping).
void fettle_adamw(
  float *weight, const float *gradient, float *moment1, float *moment2, long count, float gradient_scale,
  float learning_rate, float beta1, float beta2, float epsilon, float weight_decay, float correction1,
  float correction2);

/// y[c, r] = x[r, c]. x: [rows, columns]; the strides are the numbers from one row to the next.
void fettle_transpose(const float *x, long x_stride, float *y, long y_stride, long rows, long columns);

/// Rounds to bf16, ties to even; not-a-number stays so.
void fettle_round_to_bf16(const float *x, uint16_t *y, long count);

#ifdef __cplusplus
}
#endif
