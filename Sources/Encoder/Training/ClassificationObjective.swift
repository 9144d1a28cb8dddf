/// What a classifier is trained for: the cross-entropy of the category, by a linear head on each text's pooled states.
struct ClassificationObjective {
  let parameters: ParameterStore
  /// As `Head.normalises`.
  let normalises: Bool
  /// Share of a pooled vector's numbers that is left out.
  let dropout: Float

  private var hidden: Int { parameters.layout.head.hidden }

  private var head: Classification {
    let place = parameters.layout.head
    return Classification(
      weight: parameters[place.weight], bias: parameters[place.bias], hidden: hidden,
      categories: place.categories)
  }

  /// Returns the sum of the losses, in nats; the gradients are of `scale` times that.
  ///
  /// - Parameters:
  ///   - states: the last layer's, `[rows, hidden]`.
  ///   - pooled: memory for `[texts, hidden]`.
  ///   - gradient: takes that of the states, `[rows, hidden]`.
  ///   - vectors: laid out as the parameters are; the head's are added to.
  ///   - randomNumbers: those that a text's dropout is drawn from.
  func lossAndGradient(
    _ states: FloatPointer, _ texts: PackedTexts, _ examples: [TrainingExample], scale: Float,
    pooled: FloatPointer, gradient: FloatPointer, vectors: FloatPointer,
    randomNumbers: (_ text: Int) -> RandomNumbers
  ) -> Float {
    let head = head
    let place = parameters.layout.head
    Pooling.forward(states, texts: texts.ranges, pooled: pooled, hidden: hidden)
    var loss = 0.0
    for (text, example) in examples.enumerated() {
      let vector = pooled + text * hidden
      let length = normalises ? head.normalise(vector) : 1
      let unit = normalises ? Array(UnsafeBufferPointer(start: vector, count: hidden)) : []
      let mask = Dropout.mask(hidden, share: dropout, randomNumbers(text))
      Dropout.apply(mask, to: vector)
      let (nats, probabilities) = Classification.loss(head.forward(vector), category: example.category)
      loss += nats
      head.backward(
        vector, probabilities: probabilities, category: example.category, scale: scale,
        weightGradient: vectors + place.weight, biasGradient: vectors + place.bias)
      Dropout.apply(mask, to: vector)
      if normalises { head.normaliseBackward(vector, unit: unit, length: length) }
    }
    Pooling.backward(pooled, texts: texts.ranges, gradient: gradient, hidden: hidden)
    return Float(loss)
  }

  /// The most probable category of each text. `pooled` as above.
  func predict(_ states: FloatPointer, _ texts: PackedTexts, pooled: FloatPointer) -> [Int] {
    let head = head
    Pooling.forward(states, texts: texts.ranges, pooled: pooled, hidden: hidden)
    return texts.ranges.indices.map { text in
      if normalises { _ = head.normalise(pooled + text * hidden) }
      let logits = head.forward(pooled + text * hidden)
      return logits.indices.max { logits[$0] < logits[$1] } ?? 0
    }
  }
}
