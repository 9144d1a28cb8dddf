import Foundation

/// The linear layer that makes categories of a text's pooled vector: `logits = weight * pooled + bias`. It acts on raw pooled
/// vectors, not on normalised ones.
public struct Head: Sendable, Equatable {
  /// `[categories, hidden]`, one row a category.
  public var weight: [Float]
  /// `[categories]`.
  public var bias: [Float]

  public init(weight: [Float], bias: [Float]) {
    self.weight = weight
    self.bias = bias
  }

  public var categories: Int { bias.count }
  public var hiddenSize: Int { bias.isEmpty ? 0 : weight.count / bias.count }

  /// `[categories]` from `[hidden]`.
  public func logits(_ pooled: [Float]) -> [Float] {
    precondition(pooled.count == hiddenSize, "a pooled vector of another model")
    return bias.indices.map { category in
      var sum = bias[category]
      for i in 0..<pooled.count { sum += weight[category * pooled.count + i] * pooled[i] }
      return sum
    }
  }

  /// Writes `weight` and `bias` as safetensors.
  /// - Throws: `ModelError.cannotWrite`.
  public func save(to file: URL) throws {
    try SafeTensors.write(
      [
        "weight": Tensor(shape: [categories, hiddenSize], floats: Floats(weight)),
        "bias": Tensor(shape: [categories], floats: Floats(bias)),
      ], to: file)
  }

  /// - Throws: `ModelError`.
  public static func load(from file: URL) throws -> Head {
    let tensors = try SafeTensors.open(file)
    guard let weight = tensors["weight"] else { throw ModelError.missingTensor("weight") }
    guard let bias = tensors["bias"] else { throw ModelError.missingTensor("bias") }
    guard bias.shape.count == 1, bias.count > 0 else {
      throw ModelError.wrongShape(tensor: "bias", expected: [1], found: bias.shape)
    }
    guard weight.shape.count == 2, weight.shape[0] == bias.count, weight.shape[1] > 0 else {
      throw ModelError.wrongShape(tensor: "weight", expected: [bias.count, 1], found: weight.shape)
    }
    let head = Head(
      weight: (0..<weight.count).map { weight[$0] }, bias: (0..<bias.count).map { bias[$0] })
    guard (head.weight + head.bias).allSatisfy(\.isFinite) else {
      throw ModelError.notANumber(where: file.lastPathComponent)
    }
    return head
  }
}
