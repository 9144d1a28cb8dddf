import COneDNN
import Foundation

/// The first of the tutorial's methods: the encoder stays as it is, and a head is fitted to its pooled vectors until it changes no
/// more.
///
/// Where it is known what the categories mean, the penalty pulls towards a head that tells them apart by that, rather than towards
/// nothing: the fewer the examples, the more it is the zero-shot classifier. With one example a category 0.59 of the tutorial's texts
/// are right instead of 0.37, with eight 0.73 instead of 0.68, with 32 0.79 instead of 0.78 (means over draws from its training
/// set, tested on the rest of that).
///
/// Where thousands of examples ask for the weakest of the usual penalties, the vectors are evened out besides: each direction is
/// divided by the square root of how far the texts spread along it, halfway to whitening, since the few directions in which all
/// texts differ say little of what tells dozens of categories apart.
///
/// Two numbers are chosen on parts of the examples that are left out in turn: how strongly weights are held small, by accuracy;
/// and then, because weights held small make every answer sound unsure, one factor for all logits, by their probability
/// (temperature scaling, Guo et al. 2017), which changes no answer.
struct LinearProbe {
  /// From strong to weak, each fitted from the one before.
  private static let penalties: [Float] = [0.01, 0.005, 0.0025, 0.00125, 0.0006, 0.0003, 0.00015]
  /// Halved, each tried where the weakest so far was the best: thousands of examples, or dozens of categories.
  private static let weakerPenalties: [Float] = [7.5e-5, 3.75e-5, 1.9e-5, 9.5e-6, 4.7e-6, 2.4e-6]
  /// Of examples for each dimension: with fewer, how they spread along the less usual directions is chance.
  private static let enoughToEven = 4
  private static let folds = 10
  /// For fits that only serve to choose: near enough that none of their answers changes.
  private static let roughly: Float = 1e-4
  private static let precisely: Float = 2e-5

  /// A tolerance for a penalty: a weak one moves the weights so slowly that they would look converged where the stronger left them.
  private static func tolerance(_ tolerance: Float, _ penalty: Float) -> Float {
    tolerance * min(1, penalty / (penalties.last ?? penalty))
  }

  /// Vectors of length 1, then centred, and scaled to a mean squared length of 1.
  private let plain: Space
  private let labels: [Int]
  /// Of one of these either all or none are left out.
  private let groups: TextGroups
  private let width: Int
  private let categories: Int
  private let mean: [Float]
  private let scale: Float
  private let pool: ThreadPool

  /// What the classifier is fitted on.
  private struct Space {
    /// `[examples, width]`
    let features: Floats
    /// `[categories, width]`, for `features`; nil where nothing is known.
    let center: [Float]?
    /// `[width, width]`, symmetric: makes these features of the plain ones; nil for those themselves.
    var matrix: SquareMatrix?
  }

  /// How much of a logit a cosine of 1 with a category's prototype is. A quarter of what the zero-shot classifier takes served
  /// best for 1 to 32 examples a category, of 0, a quarter, a half, 1 and 2 times that.
  private static let prototypeWeight: Float = 5

  /// - Parameters:
  ///   - pooled: raw vectors, all of one width.
  ///   - prototypes: `[categories][width]`, the raw vectors of sentences about the categories; empty where there are none.
  ///   - groups: of examples that are one text to the model; nil where all are different.
  init(
    pooled raw: [[Float]], labels: [Int], categories: Int, prototypes: [[Float]] = [],
    groups: TextGroups? = nil,
    pool: ThreadPool
  ) {
    let width = raw.first?.count ?? 0
    let pooled = raw.map { vector in
      let length = Head.length(vector)
      return vector.map { $0 / length }
    }
    self.width = width
    self.labels = labels
    self.groups = groups ?? TextGroups(different: labels.count)
    self.categories = categories
    self.pool = pool
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
    let scale = squares > 0 ? Float(1 / squares.squareRoot()) : 1
    self.scale = scale
    let center: [Float]? =
      prototypes.isEmpty
      ? nil
      : prototypes.flatMap { prototype in
        let factor = LinearProbe.prototypeWeight / (Head.length(prototype) * scale)
        return prototype.map { $0 * factor }
      }
    let features = Floats(count: pooled.count * width)
    for (row, vector) in pooled.enumerated() {
      for i in 0..<width { features.base[row * width + i] = (vector[i] - self.mean[i]) * scale }
    }
    plain = Space(features: features, center: center)
  }

  struct Fit {
    /// It acts on raw pooled vectors, and has learned from all examples.
    var head: Head
    /// Its mean cross-entropy on them.
    var loss: Double
    /// Whether each example was right while it was left out; nil where there are too few to leave some out.
    var crossValidated: [Bool]?
  }

  /// - Throws: `ModelError`, `CancellationError`.
  func fit(seed: UInt64, isCancelled: () -> Bool) throws -> Fit {
    let choice = try choose(seed: seed, isCancelled: isCancelled)
    let all = LogisticRegression(
      features: choice.space.features, labels: labels, width: width, categories: categories,
      center: choice.space.center)
    let fitted = try all.fit(
      penalty: choice.penalty, tolerance: LinearProbe.tolerance(LinearProbe.precisely, choice.penalty),
      isCancelled: isCancelled
    ).map { $0 * choice.factor }
    return Fit(
      head: try head(fitted, choice.space),
      loss: HeldOut(try all.logits(fitted), labels, categories).loss(factor: 1),
      crossValidated: choice.right)
  }

  /// Centring, scaling and evening out are folded into weights and biases.
  private func head(_ fitted: [Float], _ space: Space) throws -> Head {
    let own = Array(fitted[..<(categories * width)])
    let weight = try (space.matrix?.applied(to: own) ?? own).map { $0 * scale }
    let bias = (0..<categories).map { category in
      var sum = fitted[categories * width + category]
      for i in 0..<width { sum -= weight[category * width + i] * mean[i] }
      return sum
    }
    return Head(weight: weight, bias: bias, normalises: true)
  }

  private struct Selection {
    let space: Space
    let penalty: Float
    /// For the logits.
    var factor: Float = 1
    /// Whether each example was right while it was left out.
    var right: [Bool]?
  }

  /// What had the most right answers on examples that were left out of fitting.
  private func choose(seed: UInt64, isCancelled: () -> Bool) throws -> Selection {
    let folds = min(LinearProbe.folds, groups.count / 2)
    guard folds >= 2 else { return Selection(space: plain, penalty: LinearProbe.penalties[3]) }
    var randomNumbers = RandomNumbers(seed: seed, stream: 1)
    let order = randomNumbers.permutation(groups.count)
    func examples(_ isIncluded: (_ place: Int) -> Bool) -> [Int] {
      order.indices.filter(isIncluded).flatMap { groups.members[order[$0]] }
    }
    let parts = (0..<folds).map { fold in
      (inside: examples { $0 % folds != fold }, outside: examples { $0 % folds == fold })
    }
    var trial = Trial(space: plain, folds: folds)
    try add(LinearProbe.penalties, to: &trial, parts, isCancelled)
    if trial.isWeakestBest, groups.count >= LinearProbe.enoughToEven * width {
      var other = Trial(space: try evened(), folds: folds)
      try add(LinearProbe.penalties.suffix(3), to: &other, parts, isCancelled)
      if other.count > trial.count { trial = other }
    }
    for weaker in LinearProbe.weakerPenalties where trial.isWeakestBest {
      try add([weaker], to: &trial, parts, isCancelled)
    }
    let heldOut = trial.heldOut.map { $0[trial.best] }
    let factors = (-8...16).map { Float(pow(2, Double($0) / 4)) }
    let losses = factors.map { factor in heldOut.reduce(0) { $0 + $1.loss(factor: factor) } }
    var isRight = [Bool](repeating: false, count: labels.count)
    for (part, heldOut) in zip(parts, heldOut) {
      for (place, example) in part.outside.enumerated() { isRight[example] = heldOut.isRight(place) }
    }
    return Selection(
      space: trial.space, penalty: trial.penalties[trial.best],
      factor: factors[losses.indices.min { losses[$0] < losses[$1] } ?? 0], right: isRight)
  }

  /// Penalties tried so far, and for each fold what each gave.
  private struct Trial {
    let space: Space
    var penalties: [Float] = []
    /// `[folds][penalties]`
    var heldOut: [[HeldOut]]
    /// `[folds]`: where the next penalty's fit begins.
    var fitted: [[Float]?]
    /// The number of the penalty to take, and how many answers it had right.
    var best = 0
    var count = 0.0

    init(space: Space, folds: Int) {
      self.space = space
      heldOut = Array(repeating: [], count: folds)
      fitted = Array(repeating: nil, count: folds)
    }

    var isWeakestBest: Bool { best == penalties.count - 1 }
  }

  private func add(
    _ penalties: some Collection<Float> & Sendable, to trial: inout Trial,
    _ parts: [(inside: [Int], outside: [Int])], _ isCancelled: () -> Bool
  ) throws {
    let space = trial.space
    try trial.heldOut.withUnsafeMutableBufferPointer { heldOut in
      try trial.fitted.withUnsafeMutableBufferPointer { fitted in
        try pool.run(parts.count) { fold, _ in
          let (inside, outside) = (part(parts[fold].inside, of: space), part(parts[fold].outside, of: space))
          for penalty in penalties {
            let next = try inside.fit(
              penalty: penalty, from: fitted[fold],
              tolerance: LinearProbe.tolerance(LinearProbe.roughly, penalty), isCancelled: isCancelled)
            heldOut[fold].append(HeldOut(try outside.logits(next), outside.labels, categories))
            fitted[fold] = next
          }
        }
      }
    }
    trial.penalties += penalties
    (trial.best, trial.count) = LinearProbe.best(trial.heldOut, of: trial.penalties.count)
  }

  /// The number of the penalty to take, of `count`, by what each fold's fits gave, and how many answers it had right.
  private static func best(_ heldOut: [[HeldOut]], of count: Int) -> (Int, Double) {
    let counted = (0..<count).map { number in softCorrectCount(heldOut.flatMap { $0[number].margins }) }
    // A few texts more or less are chance, so a penalty is judged with its neighbours; of those that are hardly worse than the best
    // it is the strongest.
    let judged = counted.indices.map { number in
      (counted[max(number - 1, 0)] + 2 * counted[number] + counted[min(number + 1, counted.count - 1)]) / 4
    }
    let enough = (judged.max() ?? 0) - slack
    let best = judged.firstIndex { $0 >= enough } ?? 0
    return (best, judged[best])
  }

  /// Right answers, where an answer on the edge counts half: a whole one would tip from right to wrong with the last bits of a
  /// product, which differ from processor to processor, and the choice of the penalty with it.
  private static func softCorrectCount(_ margins: [Float]) -> Double {
    let typical = margins.reduce(0.0) { $0 + Double(abs($1)) } / Double(max(margins.count, 1))
    guard typical > 0 else { return 0 }
    return margins.reduce(0.0) { $0 + 1 / (1 + exp(-Double($1) / (edge * typical))) }
  }

  /// How near the edge an answer counts as on it, as a share of the mean margin.
  private static let edge = 0.02

  /// How many texts worse than the best a penalty may be: none of the quarters that whole answers would give, so that no tie
  /// hangs on last bits either.
  private static let slack = 0.4

  /// Logits of examples, and their true categories.
  private struct HeldOut {
    let logits: Floats
    let labels: [Int]
    let categories: Int

    init(_ logits: Floats, _ labels: [Int], _ categories: Int) {
      self.logits = logits
      self.labels = labels
      self.categories = categories
    }

    private func row(_ example: Int) -> UnsafeBufferPointer<Float> {
      UnsafeBufferPointer(start: logits.base + example * categories, count: categories)
    }

    func isRight(_ example: Int) -> Bool {
      let row = row(example)
      return row.indices.max { row[$0] < row[$1] } == labels[example]
    }

    /// How far the right category's logit lies above the highest of the others.
    var margins: [Float] {
      labels.indices.map { example in
        let row = row(example)
        let others = row.indices.lazy.filter { $0 != labels[example] }.map { row[$0] }
        return row[labels[example]] - (others.max() ?? 0)
      }
    }

    /// Mean cross-entropy of `factor` times the logits.
    func loss(factor: Float) -> Double {
      labels.indices.reduce(0.0) { sum, example in
        sum + Classification.loss(row(example).map { $0 * factor }, category: labels[example]).loss
      } / Double(max(labels.count, 1))
    }
  }

  private func part(_ rows: [Int], of space: Space) -> LogisticRegression {
    let copy = Floats(count: rows.count * width)
    for (target, row) in rows.enumerated() {
      memcpy(copy.base + target * width, space.features.base + row * width, width * 4)
    }
    return LogisticRegression(
      features: copy, labels: rows.map { labels[$0] }, width: width, categories: categories,
      center: space.center)
  }

  /// The vectors with their directions evened out, and scaled to a mean squared length of 1 again.
  private func evened() throws -> Space {
    let count = labels.count
    var covariance = SquareMatrix(numbers: [Float](repeating: 0, count: width * width), width: width)
    let vectors = plain.features.base
    let status = onednn_multiply_f32(
      1, 0, width, width, count, vectors, width, vectors, width, 0, &covariance.numbers, width)
    if status != 0 { throw ModelError.productFailed(status: Int(status)) }
    // Summed over the examples, not averaged: the fewer there are, the less of how they spread is believed.
    for i in 0..<width { covariance.numbers[i * width + i] += 1 }
    var (back, matrix) = try covariance.roots().root.roots()
    let features = Floats(count: count * width)
    try matrix.apply(to: vectors, rows: count, into: features.base)
    let squares = (0..<count * width).reduce(0.0) {
      $0 + Double(features.base[$1]) * Double(features.base[$1])
    }
    let factor = squares > 0 ? Float((Double(count) / squares).squareRoot()) : 1
    for i in 0..<count * width { features.base[i] *= factor }
    for i in 0..<width * width {
      matrix.numbers[i] *= factor
      back.numbers[i] /= factor
    }
    return Space(features: features, center: try plain.center.map(back.applied), matrix: matrix)
  }
}
