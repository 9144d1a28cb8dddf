import Foundation
import Workbench

/// The field's words that a learner meets in reports, each explained once in a workspace, where it first stands.
enum Glossary {
  /// A term as reports write it, and its line.
  static let terms: [(term: String, line: String)] = [
    ("~", "~ before a number: it depends on floating point and may differ a little on another machine."),
    (
      "IoU",
      "IoU: how far an asset's labellers agree; 1 when all chose the same, 0.5 when two chose two (Kili's measure)."
    ),
    (
      "95 %",
      "95 %: Wilson's interval; were the measurement repeated on other such texts, the true share would lie inside 95 times of 100."
    ),
    (
      "macro F1",
      "macro F1: precision and recall in one number per category, then the mean, so that rare categories count as much as common ones."
    ),
    (
      "recall",
      "precision: of the assets that were given a category, the share that have it; recall: of those that have it, the share that were given it."
    ),
    (
      "kappa",
      "kappa: how far two readers agree beyond what chance would bring about; 1 is always, 0 no more than by chance (Cohen)."
    ),
    (
      "Krippendorff",
      "Krippendorff's alpha: the same for any number of readers; he relies on labels above 0.8, with caution from 0.667 on."
    ),
    (
      "McNemar",
      "McNemar's test: looks only at the assets where just one of two models is right; p is how often so uneven a split comes by chance."
    ),
    (
      "loss",
      "loss: the mean surprise (cross-entropy) of the model at the right answers; 0 is certainty, ln of the number of categories is guessing."
    ),
    (
      "held-out",
      "held-out: examples kept out of the training, to see how the model does on texts it did not learn from."
    ),
    (
      "sent as plain text",
      "prompt: the text that a language model goes on with; what it writes is the completion."
    ),
    (
      "completions",
      "completion: what a language model is taught to write behind the prompt; the loss counts its tokens alone."
    ),
    (
      "LoRA",
      "LoRA: the model's own matrices stay as they are, and what is trained is a product of two thin ones beside each (Hu et al. 2021)."
    ),
    (
      ", alpha",
      "rank: how many rows, or columns, the two thin ones have; their product counts alpha / rank times."
    ),
    (
      "chat template",
      "chat template: the marks that a model was taught to find between the turns of a conversation."
    ),
    (
      "Ġ",
      "byte-level BPE: bytes merged by how often they stand together; Ġ is the blank before a word, which goes with it."
    ),
    (
      "+calibrate",
      "calibration: each name's probability divided by what it has without a text, so that a name does not win by being likely anyway."
    ),
    ("UNABLE_TO_CLASSIFY", "UNABLE_TO_CLASSIFY: the category of texts that the model cannot place."),
  ]

  /// The lines for terms that stand in an answer and were not explained before; remembers them.
  static func newLines(for answer: String, _ workbench: Workbench) throws -> [String] {
    let settings = try Settings(workbench)
    var explained = try settings.explained
    let new = terms.filter { !explained.contains(key($0.term)) && occurs($0.term, in: answer) }
    guard !new.isEmpty else { return [] }
    explained.formUnion(new.map { key($0.term) })
    try settings.set(explained: explained)
    return new.map(\.line)
  }

  private static func occurs(_ term: String, in text: String) -> Bool {
    // `~ ` alone begins a derived line and stands before no number.
    term == "~" ? text.contains(#/~[0-9+\-]/#) : text.contains(term)
  }

  /// Settings keep the names with blanks between them.
  private static func key(_ term: String) -> String { term.replacingOccurrences(of: " ", with: "_") }
}
