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
