import Encoder
import Foundation
import Testing

/// A head for vectors that are there.
@Suite struct LinearMethodTests {
  @Test("The roots of a matrix, multiplied, give the matrix and one")
  func roots() throws {
    // Eigenvalues from 1 to 0.002, in directions of no axis.
    let width = 24
    var random = RandomNumbers(seed: 3, stream: 0)
    var numbers = [Float](repeating: 0, count: width * width)
    for rank in 0..<width {
      let direction = (0..<width).map { _ in Float(random.uniform() - 0.5) }
      let size = pow(0.8, Float(rank))
      for i in 0..<width {
        for j in 0..<width { numbers[i * width + j] += size * direction[i] * direction[j] }
      }
    }
    for i in 0..<width { numbers[i * width + i] += 0.01 }
    let norm = Float(numbers.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
    let (root, inverse) = try SquareMatrix(numbers: numbers, width: width).roots()
    let (square, one) = (try root.applied(to: root.numbers), try root.applied(to: inverse.numbers))
    for place in numbers.indices {
      #expect(abs(square[place] - numbers[place] / norm) < 1e-4)
      #expect(abs(one[place] - (place % (width + 1) == 0 ? 1 : 0)) < 1e-3)
    }
  }

  /// Points of `categories` kinds that differ a little in some dimensions, while all vary much in others.
  private func points(_ count: Int, categories: Int, seed: UInt64) -> (vectors: [[Float]], labels: [Int]) {
    var random = RandomNumbers(seed: seed, stream: 0)
    func normal() -> Float { Float((0..<12).reduce(-6.0) { sum, _ in sum + random.uniform() }) }
    var kinds = RandomNumbers(seed: 99, stream: 0)
    let centres = (0..<categories).map { _ in (0..<24).map { _ in Float(kinds.uniform() - 0.5) } }
    let labels = (0..<count).map { $0 % categories }
    return (
      labels.map { label in
        let loud = (0..<8).map { _ in 3 * normal() }
        let quiet = centres[label].map { 1.2 * $0 + 0.25 * normal() }
        return loud + quiet + [4]
      }, labels
    )
  }

  private func accuracy(_ head: Head, _ points: (vectors: [[Float]], labels: [Int])) -> Double {
    let right = zip(points.vectors, points.labels).count { vector, label in
      let logits = head.logits(vector)
      return logits.indices.max { logits[$0] < logits[$1] } == label
    }
    return Double(right) / Double(points.labels.count)
  }

  @Test(
    "What varies most in all texts does not drown what tells dozens of categories apart; whatever the threads"
  )
  func evening() throws {
    let (few, many) = (
      points(60, categories: 30, seed: 1), points(900, categories: 30, seed: 2)
    )
    let test = points(600, categories: 30, seed: 4)
    func fit(_ points: (vectors: [[Float]], labels: [Int]), threads: Int = 2) throws -> Head {
      try fitLinear(points.vectors, labels: points.labels, categories: 30, seed: 7, threads: threads)
    }
    let head = try fit(many)
    // The head acts on raw vectors, whatever was done to them while it learned.
    #expect(accuracy(head, many) > 0.9)
    #expect(accuracy(head, test) > 0.8)
    #expect(try accuracy(head, test) > accuracy(fit(few), test))
    #expect(try fit(many, threads: 1) == head)
  }
}
