import CKernels
import COneDNN
import Foundation

/// Multinomial logistic regression with an L2 penalty, trained to convergence by L-BFGS (Liu & Nocedal 1989). One thread, so
/// the result depends on nothing but the numbers.
struct LogisticRegression {
  /// `[examples, width]`.
  let features: Floats
  let labels: [Int]
  let width: Int
  let categories: Int
  /// `[categories, width]`: the weights that the penalty pulls towards; nil for zero.
  let center: [Float]?

  /// The features the other way round, `[width, examples]`: one of the two products reads these, so that both have long rows.
  private let transposed: Floats

  init(features: Floats, labels: [Int], width: Int, categories: Int, center: [Float]? = nil) {
    self.center = center
    self.features = features
    self.labels = labels
    self.width = width
    self.categories = categories
    transposed = Floats(count: features.count)
    fettle_transpose(features.base, width, transposed.base, labels.count, labels.count, width)
  }

  private static let memory = 10
  private static let steps = 300

  private var examples: Int { labels.count }
  /// Weights `[categories, width]`, then biases `[categories]`.
  private var parameters: Int { categories * (width + 1) }

  /// Weights and biases, `[categories, width]` then `[categories]`, that make mean cross-entropy + penalty / 2 *
  /// |weights - center|² least.
  ///
  /// - Parameter tolerance: converged when no number of the mean loss's gradient is larger.
  /// - Throws: `ModelError.productFailed`, `CancellationError`.
  func fit(
    penalty: Float, from start: [Float]? = nil, tolerance: Float = 2e-5, isCancelled: () -> Bool = { false }
  ) throws -> [Float] {
    var x =
      start ?? (center ?? [Float](repeating: 0, count: categories * width))
      + [Float](repeating: 0, count: categories)
    var (value, gradient) = try lossAndGradient(x, penalty: penalty)
    var history: [(step: [Float], change: [Float], curvature: Float)] = []
    for _ in 0..<LogisticRegression.steps {
      if isCancelled() { throw CancellationError() }
      if gradient.lazy.map(abs).max() ?? 0 < tolerance { break }
      var direction = descent(gradient, history)
      var slope = dot(direction, gradient)
      if slope >= 0 {
        history = []
        direction = gradient.map { -$0 }
        slope = dot(direction, gradient)
      }
      var length: Float = history.isEmpty ? min(1, 1 / dot(gradient, gradient).squareRoot()) : 1
      var next = x
      var found = false
      for _ in 0..<20 {
        for i in next.indices { next[i] = x[i] + length * direction[i] }
        let (nextValue, nextGradient) = try lossAndGradient(next, penalty: penalty)
        if nextValue <= value + 1e-4 * Double(length * slope) {
          let step = zip(next, x).map { $0 - $1 }
          let change = zip(nextGradient, gradient).map { $0 - $1 }
          let curvature = dot(step, change)
          if curvature > 0 {
            history.append((step, change, curvature))
            if history.count > LogisticRegression.memory { history.removeFirst() }
          }
          (x, value, gradient) = (next, nextValue, nextGradient)
          found = true
          break
        }
        length /= 2
      }
      // Where no step gets lower, f32 has no digits left to get there.
      if !found { break }
    }
    return x
  }

  /// Of these examples, by what `fit` gave: `[examples, categories]`.
  func logits(_ parameters: [Float]) throws -> Floats {
    let transposed = try transposedLogits(parameters)
    let logits = Floats(count: examples * categories)
    fettle_transpose(transposed.base, examples, logits.base, categories, categories, examples)
    return logits
  }

  /// `[categories, examples]`: with the few categories as rows the product is three times as fast.
  private func transposedLogits(_ parameters: [Float]) throws -> Floats {
    let logits = Floats(count: categories * examples)
    try parameters.withUnsafeBufferPointer { parameters in
      guard let weights = parameters.baseAddress else { return }
      for category in 0..<categories {
        let bias = weights[categories * width + category]
        (logits.base + category * examples).update(repeating: bias, count: examples)
      }
      let status = onednn_multiply_f32(
        0, 0, categories, examples, width, weights, width, transposed.base, examples, 1, logits.base, examples
      )
      if status != 0 { throw ModelError.productFailed(status: Int(status)) }
    }
    return logits
  }

  private func lossAndGradient(_ x: [Float], penalty: Float) throws -> (value: Double, gradient: [Float]) {
    let gradients = try transposedLogits(x)
    var loss = 0.0
    var gradient = [Float](repeating: 0, count: parameters)
    let share = 1 / Float(examples)
    for (example, label) in labels.enumerated() {
      let column = gradients.base + example
      var maximum = column[0]
      for category in 1..<categories { maximum = max(maximum, column[category * examples]) }
      let correct = column[label * examples] - maximum
      var sum: Float = 0
      for category in 0..<categories {
        let exponential = exp(column[category * examples] - maximum)
        column[category * examples] = exponential
        sum += exponential
      }
      loss += Double(log(sum) - correct)
      for category in 0..<categories {
        let slope = (column[category * examples] / sum - (category == label ? 1 : 0)) * share
        column[category * examples] = slope
        gradient[categories * width + category] += slope
      }
    }
    var squares: Float = 0
    try gradient.withUnsafeMutableBufferPointer { gradient in
      guard let base = gradient.baseAddress else { return }
      for i in 0..<categories * width {
        let distance = x[i] - (center?[i] ?? 0)
        squares += distance * distance
        base[i] = penalty * distance
      }
      let status = onednn_multiply_f32(
        0, 0, categories, width, examples, gradients.base, examples, features.base, width, 1, base, width)
      if status != 0 { throw ModelError.productFailed(status: Int(status)) }
    }
    return (loss / Double(examples) + Double(penalty * squares) / 2, gradient)
  }

  /// The inverse Hessian, as the last steps show it, times the gradient, downwards.
  private func descent(
    _ gradient: [Float], _ history: [(step: [Float], change: [Float], curvature: Float)]
  ) -> [Float] {
    var direction = gradient.map { -$0 }
    var factors: [Float] = []
    for (step, change, curvature) in history.reversed() {
      let factor = dot(step, direction) / curvature
      factors.append(factor)
      add(change, times: -factor, to: &direction)
    }
    if let (_, change, curvature) = history.last {
      let scale = curvature / dot(change, change)
      for i in direction.indices { direction[i] *= scale }
    }
    for ((step, change, curvature), factor) in zip(history, factors.reversed()) {
      add(step, times: factor - dot(change, direction) / curvature, to: &direction)
    }
    return direction
  }

  /// Eight sums side by side, which the compiler can keep in vector registers; a single one it must not reorder.
  private func dot(_ a: [Float], _ b: [Float]) -> Float {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        var sums = SIMD8<Float>.zero
        var i = 0
        while i + 8 <= a.count {
          for lane in 0..<8 { sums[lane] += a[i + lane] * b[i + lane] }
          i += 8
        }
        var sum = sums.sum()
        while i < a.count {
          sum += a[i] * b[i]
          i += 1
        }
        return sum
      }
    }
  }

  private func add(_ a: [Float], times factor: Float, to b: inout [Float]) {
    b.withUnsafeMutableBufferPointer { b in
      a.withUnsafeBufferPointer { a in
        for i in 0..<b.count { b[i] += factor * a[i] }
      }
    }
  }
}
