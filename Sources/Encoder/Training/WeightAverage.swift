/// The mean of the weights after several steps, which lies nearer the middle of the valley that training ends in than the last
/// step's do (Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization").
final class WeightAverage {
  private let mean: Floats
  private let crew: Crew
  private var steps = 0

  private static let slice = 1 << 16

  init(count: Int, crew: Crew) {
    mean = Floats(count: count)
    self.crew = crew
  }

  /// Each number's mean is its own, so threads change nothing.
  func add(_ weights: Floats) throws {
    steps += 1
    let share = 1 / Float(steps)
    let count = mean.count
    let (mean, weights) = (mean.base, weights.base)
    try crew.run((count + WeightAverage.slice - 1) / WeightAverage.slice) { task, _ in
      for i in task * WeightAverage.slice..<min((task + 1) * WeightAverage.slice, count) {
        mean[i] += (weights[i] - mean[i]) * share
      }
    }
  }

  /// Exchanges the mean and the weights, where there is a mean yet; the second time puts both back.
  func swap(_ weights: Floats) {
    guard steps > 0 else { return }
    for i in 0..<mean.count {
      let number = mean.base[i]
      mean.base[i] = weights.base[i]
      weights.base[i] = number
    }
  }
}
