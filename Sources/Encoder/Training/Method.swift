/// The four ways to fine-tune that the tutorial names.
public enum Method: String, Sendable, CaseIterable {
  /// The encoder stays as it is; only the head is learned, from the texts' pooled vectors.
  case linear
  /// All weights are updated.
  case full
  /// Layers are unfrozen one after another, from the topmost down, each lower one with a smaller rate (ULMFiT, Howard & Ruder
  /// 2018).
  case gradual
  /// Small bottleneck networks are added and learned, and the layer norms; the rest stays (Houlsby et al. 2019).
  case adapter
}

extension PretrainedModel {
  /// Bytes of numbers that a model of this one tuned by `method` takes on the disk, its head of `categories` too; the files'
  /// headers are some kilobytes more.
  public func bytesOnDisk(tunedBy method: Method, categories: Int) -> Int {
    let head = 4 * categories * (shape.hiddenSize + 1)
    switch method {
    case .linear: return head
    case .adapter:
      let size = adapterSize > 0 ? adapterSize : type(of: backbone).newAdapterSize
      return head + adapterTensors(size: size).reduce(0) { $0 + 4 * $1.shape.reduce(1, *) }
    case .full, .gradual: return head + bytesOnDisk
    }
  }
}
