import Foundation

/// Probabilities from logits. The greatest logit is subtracted first, so that no exponential overflows.
public func softmax(_ logits: [Double]) -> [Double] {
  let (exponentials, sum) = exponentials(logits)
  return exponentials.map { $0 / sum }
}

/// The exponential of each logit's distance from the greatest, and their sum.
func exponentials(_ logits: [Double]) -> (exponentials: [Double], sum: Double) {
  let maximum = logits.max() ?? 0
  let exponentials = logits.map { exp($0 - maximum) }
  return (exponentials, exponentials.reduce(0, +))
}
