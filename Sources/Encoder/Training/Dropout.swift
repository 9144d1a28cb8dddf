/// Leaves out a random share of the numbers and scales the others up, so that their mean stays (Srivastava et al. 2014). The way
/// back multiplies by the same mask.
enum Dropout {
  /// Nil where nothing is left out.
  static func mask(_ count: Int, share: Float, _ randomNumbers: RandomNumbers) -> [Float]? {
    guard share > 0 else { return nil }
    var randomNumbers = randomNumbers
    let kept = 1 / (1 - share)
    return (0..<count).map { _ in randomNumbers.uniform() < share ? 0 : kept }
  }

  static func apply(_ mask: [Float]?, to numbers: FloatPointer) {
    guard let mask else { return }
    for i in mask.indices { numbers[i] *= mask[i] }
  }
}
