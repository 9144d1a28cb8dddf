import CKernels

/// A text's vector: the mean of its rows.
enum Pooling {
  /// pooled: `[texts, hidden]` from x: `[rows, hidden]`.
  static func forward(_ x: FloatPointer, texts: [Range<Int>], pooled: FloatPointer, hidden: Int) {
    for (number, text) in texts.enumerated() {
      let mean = pooled + number * hidden
      mean.update(repeating: 0, count: hidden)
      fettle_add_column_sums(x + text.lowerBound * hidden, mean, text.count, hidden)
      for i in 0..<hidden { mean[i] /= Float(text.count) }
    }
  }

  /// gradient: `[rows, hidden]` from that of the pooled vectors, `[texts, hidden]`.
  static func backward(_ pooled: FloatPointer, texts: [Range<Int>], gradient: FloatPointer, hidden: Int) {
    for (number, text) in texts.enumerated() {
      let mean = pooled + number * hidden
      for row in text {
        for i in 0..<hidden { gradient[row * hidden + i] = mean[i] / Float(text.count) }
      }
    }
  }
}
