import Foundation

extension Reference {
  /// Self-attention of one text (Vaswani et al. 2017, section 3.2): each row takes the rows' values, mixed by how well its query
  /// suits their keys.
  package struct Attention {
    package let length: Int
    package let heads: Int
    package let headSize: Int
    /// Queries, keys and values side by side: `[length, 3 * heads * headSize]`.
    package let projections: [Float]

    package init(length: Int, heads: Int, headSize: Int, projections: [Float]) {
      self.length = length
      self.heads = heads
      self.headSize = headSize
      self.projections = projections
    }

    private var hidden: Int { heads * headSize }

    private enum Part: Int { case query, key, value }

    private func place(_ part: Part, row: Int, head: Int, _ i: Int) -> Int {
      row * 3 * hidden + part.rawValue * hidden + head * headSize + i
    }

    private func number(_ part: Part, row: Int, head: Int, _ i: Int) -> Double {
      Double(projections[place(part, row: row, head: head, i)])
    }

    /// softmax(query · key / √size) of one row, over all rows: `[length]`.
    package func probabilities(row: Int, head: Int) -> [Double] {
      let scores = (0..<length).map { other in
        (0..<headSize).reduce(0.0) {
          $0 + number(.query, row: row, head: head, $1) * number(.key, row: other, head: head, $1)
        } / Double(headSize).squareRoot()
      }
      return softmax(scores)
    }

    /// context: `[length, heads * headSize]`.
    package func forward() -> [Float] {
      var context = [Float](repeating: 0, count: length * hidden)
      for head in 0..<heads {
        for row in 0..<length {
          let probabilities = probabilities(row: row, head: head)
          for i in 0..<headSize {
            context[row * hidden + head * headSize + i] = Float(
              (0..<length).reduce(0.0) { $0 + probabilities[$1] * number(.value, row: $1, head: head, i) })
          }
        }
      }
      return context
    }

    /// The gradient of the projections from that of the context.
    package func backward(gradient: [Float]) -> [Float] {
      var result = [Double](repeating: 0, count: projections.count)
      let scale = 1 / Double(headSize).squareRoot()
      for head in 0..<heads {
        for row in 0..<length {
          let probabilities = probabilities(row: row, head: head)
          func above(_ i: Int) -> Double { Double(gradient[row * hidden + head * headSize + i]) }
          // context = Σ probability · value
          var gradients = [Double](repeating: 0, count: length)
          for other in 0..<length {
            for i in 0..<headSize {
              result[place(.value, row: other, head: head, i)] += probabilities[other] * above(i)
              gradients[other] += above(i) * number(.value, row: other, head: head, i)
            }
          }
          // probability = softmax(score): the score's gradient is probability · (gradient - mean gradient)
          let mean = zip(probabilities, gradients).reduce(0.0) { $0 + $1.0 * $1.1 }
          for other in 0..<length {
            let score = probabilities[other] * (gradients[other] - mean) * scale
            // score = query · key / √size
            for i in 0..<headSize {
              result[place(.query, row: row, head: head, i)] +=
                score * number(.key, row: other, head: head, i)
              result[place(.key, row: other, head: head, i)] +=
                score * number(.query, row: row, head: head, i)
            }
          }
        }
      }
      return result.map { Float($0) }
    }
  }
}
