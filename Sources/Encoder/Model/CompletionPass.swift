import Foundation

/// A prompt without the beginning that all prompts share, and what is to be written after it.
package struct PromptedExample: Sendable, Equatable {
  package var prompt: [Int32]
  package var completion: [Int32]

  package init(prompt: [Int32], completion: [Int32]) {
    (self.prompt, self.completion) = (prompt, completion)
  }

  /// Rows that it takes: the last token of the completion is not read.
  var rows: Int { prompt.count + completion.count - 1 }
}

/// Prompts and completions that go through a network together, one after another without padding, behind a beginning that they
/// share: its keys and values are computed once, and what it learns is the sum over all texts.
package struct CompletionBatch: Sendable {
  /// The shared beginning first, where there is one; then a text of each example.
  let texts: PackedTexts
  /// Tokens of the beginning.
  let prefix: Int
  /// The rows after which a token of a completion stands, ascending.
  let needed: [Int]
  /// Those tokens.
  let targets: [Int32]

  /// - Precondition: no prompt is empty where there is no prefix, and no completion.
  init(_ examples: some Sequence<PromptedExample>, after prefix: [Int32]) {
    var texts = PackedTexts()
    if !prefix.isEmpty { texts.append(prefix) }
    var needed: [Int] = []
    var targets: [Int32] = []
    for example in examples {
      texts.append(example.prompt + example.completion.dropLast())
      needed += texts.rows - example.completion.count..<texts.rows
      targets += example.completion
    }
    (self.texts, self.prefix, self.needed, self.targets) = (texts, prefix.count, needed, targets)
  }
}

/// How large the batches of a pass are at most.
package struct CompletionRoom: Equatable {
  var rows = 0
  var needed = 0
  var texts = 0
  var prefix = 0

  func joined(_ other: CompletionRoom) -> CompletionRoom {
    CompletionRoom(
      rows: max(rows, other.rows), needed: max(needed, other.needed), texts: max(texts, other.texts),
      prefix: max(prefix, other.prefix))
  }
}

extension CompletionBatch {
  var room: CompletionRoom {
    CompletionRoom(rows: texts.rows, needed: needed.count, texts: texts.ranges.count, prefix: prefix)
  }
}

/// The way of a batch of prompts and completions through a network that writes, and back, by all threads of a pool.
///
/// All rows go through a layer together, so that each matrix is read once; the work is shared out by rows and by texts, and what
/// is a sum over rows is summed in one order, whoever does it.
package protocol CompletionPass: AnyObject {
  /// Makes room for the batches to come, so that it need not grow with each that is larger than those before it.
  func reserve(_ room: CompletionRoom)

  /// Gives the memory back until the next batch.
  func release()

  /// The last states of the rows that are needed, with the final norm: `[needed, hidden]`, until the next call.
  func forward(_ batch: CompletionBatch) throws -> FloatPointer

  /// The way back of the last `forward`.
  /// - Parameters:
  ///   - gradient: that of its states.
  ///   - gradients: laid out as the parameters are, from what learns on; those of the scope are added to, but for matrices.
  ///   - adding: whether matrices' gradients are added to what stands there.
  ///   - scope: what this step changes; no more than the pass was made for.
  func backward(
    _ batch: CompletionBatch, gradient: FloatPointer, into gradients: FloatPointer, adding: Bool,
    scope: TrainableScope
  ) throws
}
