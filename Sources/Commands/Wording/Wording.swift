import Foundation

/// `3 of 40 texts are mostly …`; nil where there are none. What the model has not read about it cannot tell apart.
func vocabularyRemark(_ count: Int, of texts: Int) -> String? {
  guard count > 0 else { return nil }
  let subject =
    texts == 1 ? "The text is" : "\(count) of \(texts) texts \(count == 1 ? "is" : "are")"
  return "\(subject) mostly outside the model's vocabulary; the model reads English."
}

/// A number with fixed digits, without the locale's comma.
func fixed(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", locale: nil, value)
}

/// `1 asset`, `200 assets`.
func counted(_ count: Int, _ noun: String) -> String {
  count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}

/// `3 rows repeat the text of an earlier one.`; nil where none does.
func repetitionRemark(_ count: Int, of noun: String) -> String? {
  count == 0
    ? nil : "\(counted(count, noun)) \(count == 1 ? "repeats" : "repeat") the text of an earlier one."
}
