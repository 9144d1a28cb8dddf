import Foundation

/// The linear layer that makes categories of a text's pooled vector: `logits = weight * pooled + bias`. It takes raw pooled
/// vectors, as `Embedder` gives them; where `normalises` is set it scales them to length 1 itself.
public struct Head: Sendable, Equatable {
  /// `[categories, hidden]`, one row a category.
  public var weight: [Float]
  /// `[categories]`.
  public var bias: [Float]
  /// Whether a pooled vector is divided by its length first: `linear` learns better so, and cannot fold it into the weight.
  public var normalises: Bool

  public init(weight: [Float], bias: [Float], normalises: Bool = false) {
    self.weight = weight
    self.bias = bias
    self.normalises = normalises
  }

  public var categories: Int { bias.count }
  var isFinite: Bool { weight.allSatisfy(\.isFinite) && bias.allSatisfy(\.isFinite) }
  public var hiddenSize: Int { bias.isEmpty ? 0 : weight.count / bias.count }

  /// `[categories]` from `[hidden]`.
  public func logits(_ pooled: [Float]) -> [Float] {
    precondition(pooled.count == hiddenSize, "a pooled vector of another model")
    let factor = normalises ? 1 / Head.length(pooled) : 1
    return bias.indices.map { category in
      var sum: Float = 0
      for i in 0..<pooled.count { sum += weight[category * pooled.count + i] * pooled[i] }
      return sum * factor + bias[category]
    }
  }

  /// Never 0, so that it may divide.
  static func length(_ pooled: [Float]) -> Float {
    max(pooled.reduce(0) { $0 + $1 * $1 }.squareRoot(), .leastNormalMagnitude)
  }

  /// Writes `weight` and `bias` as safetensors; `normalises` stands in the file's metadata.
  /// - Throws: `ModelError.cannotWrite`.
  public func save(to file: URL) throws {
    try SafeTensors.write(
      [
        "weight": Tensor(shape: [categories, hiddenSize], floats: Floats(weight)),
        "bias": Tensor(shape: [categories], floats: Floats(bias)),
      ], metadata: ["format": "pt", Head.normalisesKey: String(normalises)], to: file)
  }

  private static let normalisesKey = "normalises"

  /// - Throws: `ModelError`.
  public static func load(from file: URL) throws -> Head {
    let (tensors, metadata) = try SafeTensors.open(file) { ["weight", "bias"].contains($0) }
    guard let weight = tensors["weight"] else { throw ModelError.missingTensor("weight") }
    guard let bias = tensors["bias"] else { throw ModelError.missingTensor("bias") }
    guard bias.shape.count == 1, bias.count > 0 else {
      throw ModelError.wrongShape(tensor: "bias", expected: [1], found: bias.shape)
    }
    guard weight.shape.count == 2, weight.shape[0] == bias.count, weight.shape[1] > 0 else {
      throw ModelError.wrongShape(tensor: "weight", expected: [bias.count, 1], found: weight.shape)
    }
    let head = Head(
      weight: weight.array, bias: bias.array, normalises: metadata[normalisesKey] == "true")
    guard head.isFinite else {
      throw ModelError.notANumber(where: file.lastPathComponent)
    }
    return head
  }
}
