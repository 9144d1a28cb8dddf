import Foundation

/// The linear head, softmax and cross-entropy.
struct Classification {
  /// `[categories, hidden]` and `[categories]`.
  let weight: FloatPointer
  let bias: FloatPointer
  let hidden: Int
  let categories: Int

  /// Divides a pooled vector by its length, which it returns.
  func normalise(_ pooled: FloatPointer) -> Float {
    let length = Head.length(Array(UnsafeBufferPointer(start: pooled, count: hidden)))
    for i in 0..<hidden { pooled[i] /= length }
    return length
  }

  /// The gradient of a vector from that of the same vector at length 1, which `unit` is: what points along it is lost.
  func normaliseBackward(_ gradient: FloatPointer, unit: [Float], length: Float) {
    var along: Float = 0
    for i in 0..<hidden { along += gradient[i] * unit[i] }
    for i in 0..<hidden { gradient[i] = (gradient[i] - along * unit[i]) / length }
  }

  /// logits = W pooled + b: `[categories]` from `[hidden]`.
  func forward(_ pooled: FloatPointer) -> [Float] {
    (0..<categories).map { category in
      let row = weight + category * hidden
      var sum = bias[category]
      for i in 0..<hidden { sum += row[i] * pooled[i] }
      return sum
    }
  }

  /// -log softmax(logits)[category], in nats, and the probabilities.
  static func loss(_ logits: [Float], category: Int) -> (loss: Double, probabilities: [Float]) {
    let maximum = logits.max() ?? 0
    let (exponentials, sum) = exponentials(logits.map { Double($0 - maximum) })
    return (log(sum) - Double(logits[category] - maximum), exponentials.map { Float($0 / sum) })
  }

  /// The gradient of `scale` times the loss: `pooled` is replaced by its own, the head's are added to.
  func backward(
    _ pooled: FloatPointer, probabilities: [Float], category: Int, scale: Float, weightGradient: FloatPointer,
    biasGradient: FloatPointer
  ) {
    let gradients = (0..<categories).map { (probabilities[$0] - ($0 == category ? 1 : 0)) * scale }
    for other in 0..<categories {
      biasGradient[other] += gradients[other]
      for i in 0..<hidden { weightGradient[other * hidden + i] += gradients[other] * pooled[i] }
    }
    for i in 0..<hidden {
      var sum: Float = 0
      for other in 0..<categories { sum += gradients[other] * weight[other * hidden + i] }
      pooled[i] = sum
    }
  }
}
