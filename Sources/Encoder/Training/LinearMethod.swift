import Foundation

/// The first of the tutorial's methods: the encoder stays as it is, and a head is fitted to its pooled vectors until it changes no
/// more. How strongly weights are held small is chosen on parts of the examples that are left out in turn.
struct LinearMethod {
  /// From strong to weak, each fitted from the one before. Times the mean square of the features, so that it means the same for
  /// any model.
  private static let penalties: [Float] = [0.1, 0.03, 0.01, 0.003, 0.001]
  private static let folds = 5

  /// `[examples, width]`, centred and scaled to a mean squared length of 1.
  private let features: Floats
  private let labels: [Int]
  private let width: Int
  private let categories: Int
  private let mean: [Float]
  private let scale: Float
  private let crew: Crew

  /// `pooled`: raw vectors, all of one width.
  init(pooled: [[Float]], labels: [Int], categories: Int, crew: Crew) {
    let width = pooled.first?.count ?? 0
    self.width = width
    self.labels = labels
    self.categories = categories
    self.crew = crew
    var mean = [Double](repeating: 0, count: width)
    for vector in pooled {
      for i in 0..<width { mean[i] += Double(vector[i]) / Double(pooled.count) }
    }
    var squares = 0.0
    for vector in pooled {
      for i in 0..<width {
        let difference = Double(vector[i]) - mean[i]
        squares += difference * difference / Double(pooled.count)
      }
    }
    self.mean = mean.map { Float($0) }
    scale = squares > 0 ? Float(1 / squares.squareRoot()) : 1
    features = Floats(count: pooled.count * width)
    for (row, vector) in pooled.enumerated() {
      for i in 0..<width { features.base[row * width + i] = (vector[i] - self.mean[i]) * scale }
    }
  }

  /// The head, which acts on raw pooled vectors, and its mean cross-entropy on the examples.
  /// - Throws: `ModelError`, `CancellationError`.
  func fit(seed: UInt64, isCancelled: () -> Bool) throws -> (head: Head, loss: Double) {
    let all = LogisticRegression(features: features, labels: labels, width: width, categories: categories)
    let penalty = try bestPenalty(seed: seed, isCancelled: isCancelled)
    let fitted = try all.fit(penalty: penalty, isCancelled: isCancelled)
    return (head(fitted), try all.score(fitted).loss)
  }

  /// Centring and scaling are folded into weights and biases.
  private func head(_ fitted: [Float]) -> Head {
    let weight = fitted[..<(categories * width)].map { $0 * scale }
    let bias = (0..<categories).map { category in
      var sum = fitted[categories * width + category]
      for i in 0..<width { sum -= weight[category * width + i] * mean[i] }
      return sum
    }
    return Head(weight: weight, bias: bias)
  }

  /// The penalty with the least loss on examples that were left out of fitting.
  private func bestPenalty(seed: UInt64, isCancelled: () -> Bool) throws -> Float {
    let folds = min(LinearMethod.folds, labels.count / 2)
    guard folds >= 2 else { return LinearMethod.penalties[1] }
    var randomNumbers = RandomNumbers(seed: seed, stream: 1)
    let order = randomNumbers.permutation(labels.count)
    let losses = Floats(count: folds * LinearMethod.penalties.count)
    try crew.run(folds) { fold, _ in
      let inside = part(order.indices.filter { $0 % folds != fold }.map { order[$0] })
      let outside = part(order.indices.filter { $0 % folds == fold }.map { order[$0] })
      var fitted: [Float]?
      for (number, penalty) in LinearMethod.penalties.enumerated() {
        let next = try inside.fit(penalty: penalty, from: fitted, isCancelled: isCancelled)
        losses.base[fold * LinearMethod.penalties.count + number] = Float(try outside.score(next).loss)
        fitted = next
      }
    }
    let sums = LinearMethod.penalties.indices.map { number in
      (0..<folds).reduce(Float(0)) { $0 + losses.base[$1 * LinearMethod.penalties.count + number] }
    }
    return LinearMethod.penalties[sums.indices.min { sums[$0] < sums[$1] } ?? 0]
  }

  private func part(_ rows: [Int]) -> LogisticRegression {
    let copy = Floats(count: rows.count * width)
    for (target, row) in rows.enumerated() {
      memcpy(copy.base + target * width, features.base + row * width, width * 4)
    }
    return LogisticRegression(features: copy, labels: rows.map { labels[$0] }, width: width, categories: categories)
  }
}
